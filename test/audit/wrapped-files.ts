import { diskFiles, type LogFile, type LogFiles } from '../../src/audit/log-file.ts'

/** The real file system, which notes writes and syncs in `calls` and syncs after `beforeSync`. */
export function spying(calls: string[], beforeSync: () => Promise<void>): LogFiles {
  return wrapping((file) => ({
    ...file,
    write: (bytes) => {
      calls.push('write')
      return file.write(bytes)
    },
    sync: async () => {
      calls.push('sync')
      await beforeSync()
      await file.sync()
    },
  }))
}

/** The real file system, with `around` around every write. */
export function onWrite(around: (write: () => Promise<number>) => Promise<number>): LogFiles {
  return wrapping((file) => ({ ...file, write: (bytes) => around(() => file.write(bytes)) }))
}

/** The real file system, which tells `note` how much each read asks for. */
export function onRead(note: (length: number) => void): LogFiles {
  return wrapping((file) => ({
    ...file,
    read: (position, length) => {
      note(length)
      return file.read(position, length)
    },
  }))
}

function wrapping(wrap: (file: LogFile) => LogFile): LogFiles {
  const files = diskFiles(process.getuid?.())
  return { ...files, open: async (path) => wrap(await files.open(path)) }
}
