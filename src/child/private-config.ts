import { mkdtempSync, rmSync, type Stats, statSync, writeFileSync } from 'node:fs'
import { isAbsolute, join } from 'node:path'
import { SentinelError } from '../errors.ts'

/** The AWS files of one child, in a directory of their own. Disposing removes them all, at once. */
export interface PrivateConfig extends Disposable {
  readonly config: string
  /** An empty file: `/dev/null` is not enough for the JavaScript SDK v2. */
  readonly credentials: string
}

export interface PrivateConfigPlaces {
  /** `XDG_RUNTIME_DIR`: used when it is what the standard demands, ours alone. */
  readonly runtimeDirectory?: string | undefined
  readonly temporaryDirectory: string
}

/**
 * Writes `text` as the AWS config of a child. The files go with `dispose` or when this process
 * exits, whichever is first; a signal that ends us leaves them behind (they hold no secret).
 * Throws `FILE_UNTRUSTED` when others could replace what is written, and
 * `PRIVATE_CONFIG_UNAVAILABLE` when it cannot be written.
 */
export function writePrivateConfig(places: PrivateConfigPlaces, text: string): PrivateConfig {
  const directory = makeDirectory(choosePlace(places))
  const remove = () => {
    process.removeListener('exit', remove)
    rmSync(directory, { recursive: true, force: true })
  }
  process.once('exit', remove)

  const config = join(directory, 'config')
  const credentials = join(directory, 'credentials')
  try {
    writeFileSync(config, text, { flag: 'wx', mode: 0o600 })
    writeFileSync(credentials, '', { flag: 'wx', mode: 0o600 })
  } catch (error) {
    remove()
    throw unavailable(directory, error)
  }
  return { config, credentials, [Symbol.dispose]: remove }
}

function choosePlace({ runtimeDirectory, temporaryDirectory }: PrivateConfigPlaces): string {
  if (runtimeDirectory !== undefined && isOursAlone(runtimeDirectory)) return runtimeDirectory
  assertKeepsFilesApart(temporaryDirectory)
  return temporaryDirectory
}

/** After `sudo` or `su` the variable may still name somebody else's directory. */
function isOursAlone(directory: string): boolean {
  if (!isAbsolute(directory)) return false
  try {
    const stats = statSync(directory)
    return stats.isDirectory() && stats.uid === process.getuid?.() && isForOwner(stats)
  } catch {
    return false // Missing or out of reach: there is still the other place.
  }
}

function isForOwner({ mode }: Stats): boolean {
  return (mode & 0o777) === 0o700
}

/**
 * A directory that others may write to must be sticky, or they could put a config of their own,
 * with a `credential_process` in it, in the place of ours. Windows has no such bits.
 */
function assertKeepsFilesApart(directory: string): void {
  if (process.getuid === undefined) return
  const { mode, uid } = statsOf(directory)
  const isShared = (mode & 0o022) !== 0
  const isSticky = (mode & 0o1000) !== 0
  if ((uid === 0 || uid === process.getuid()) && (!isShared || isSticky)) return
  throw new SentinelError('FILE_UNTRUSTED', `others can replace files in ${directory}`, {
    hint: 'point TMPDIR at a directory that only you can write to',
  })
}

function statsOf(directory: string): Stats {
  try {
    return statSync(directory)
  } catch (error) {
    throw unavailable(directory, error)
  }
}

function makeDirectory(place: string): string {
  try {
    return mkdtempSync(join(place, 'sentinel-')) // With mode 0700.
  } catch (error) {
    throw unavailable(place, error)
  }
}

function unavailable(place: string, cause: unknown): SentinelError {
  return new SentinelError(
    'PRIVATE_CONFIG_UNAVAILABLE',
    `the AWS config for the command cannot be written in ${place}`,
    { hint: 'point TMPDIR at a directory with room that you can write to', cause },
  )
}
