import { open, rm } from 'node:fs/promises'
import { SentinelError } from '../errors.ts'
import { hasErrno } from './log-file.ts'

/**
 * Writes `text` to a new file for its owner alone, durably. Rejects with `FILE_NOT_WRITTEN`, and
 * leaves nothing behind then; what is at `path` already stays as it is.
 */
export async function writeNewFile(path: string, text: string): Promise<void> {
  try {
    await using file = await open(path, 'wx', 0o600)
    try {
      await file.writeFile(text)
      await file.sync()
    } catch (error) {
      await rm(path, { force: true })
      throw error
    }
  } catch (cause) {
    if (!hasErrno(cause)) throw cause
    const { code } = cause
    const message = code === 'EEXIST' ? `${path} is there already` : `${path}: ${code}`
    throw new SentinelError('FILE_NOT_WRITTEN', `nothing was written: ${message}`, {
      hint: 'name a new file, in a directory that is yours',
      cause,
    })
  }
}
