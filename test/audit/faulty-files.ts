import { closeSync, openSync, statSync, writeSync } from 'node:fs'
import { diskFiles, type LogFile, type LogFiles } from '../../src/audit/log-file.ts'

/** What a file system may do instead of what it was asked. */
export type Fault =
  /** The call fails and does nothing. */
  | 'ENOSPC'
  | 'EIO'
  | 'EINTR'
  /** A write takes half of the bytes, or all but the newline, and says so. */
  | 'half'
  | 'no newline'
  /** A write takes all the bytes and fails; so does a change of names that takes place. */
  | 'written, then EIO'
  /** A sync fails, and the disk loses every byte written since the last one. */
  | 'lost at sync'

export interface FaultyFiles extends LogFiles {
  /** How many calls were made. */
  readonly calls: number
}

/** The real file system, whose call number n (from 1) goes wrong when `isFaulty(n)` says so. */
export function faultyFiles(fault: Fault, isFaulty: (call: number) => boolean): FaultyFiles {
  const files = diskFiles(process.getuid?.())
  let calls = 0
  const strike = () => isFaulty(++calls)

  return {
    get calls() {
      return calls
    },
    identify: (path) => orFault(() => files.identify(path)),
    open: (path) => opening(path, () => files.open(path)),
    openRotated: (path) => opening(path, () => files.openRotated(path)),
    create: (path) => opening(path, () => files.create(path)),
    namesBeside: (path) => orFault(() => files.namesBeside(path)),
    rename: (from, to) => changing(() => files.rename(from, to)),
    remove: (path) => changing(() => files.remove(path)),
    lock(path) {
      if (strike()) throw systemError(fault)
      return files.lock(path)
    },
  }

  async function orFault<Result>(call: () => Promise<Result>): Promise<Result> {
    if (strike()) throw systemError(fault)
    return call()
  }

  async function opening(path: string, call: () => Promise<LogFile>): Promise<LogFile> {
    return faultyFile(await orFault(call), path, fault, strike)
  }

  async function changing(call: () => Promise<void>): Promise<void> {
    const isStruck = strike()
    if (!isStruck || fault === 'written, then EIO') await call()
    if (isStruck) throw systemError(fault)
  }
}

function faultyFile(file: LogFile, path: string, fault: Fault, strike: () => boolean): LogFile {
  let synced = statSync(path).size
  return {
    ...file,
    async write(bytes) {
      if (!strike()) return file.write(bytes)
      if (fault === 'half') return file.write(bytes.subarray(0, bytes.length / 2))
      if (fault === 'no newline') return file.write(bytes.subarray(0, -1))
      if (fault === 'written, then EIO') await file.write(bytes)
      throw systemError(fault)
    },
    async sync() {
      if (strike()) {
        if (fault === 'lost at sync') blank(path, synced)
        throw systemError(fault)
      }
      await file.sync()
      synced = (await file.look()).size
    },
    async look() {
      if (strike()) throw systemError(fault)
      return file.look()
    },
    async read(position, length) {
      if (strike()) throw systemError(fault)
      return file.read(position, length)
    },
  }
}

/** Turns everything from `position` on into zero bytes, as a file system may after a lost write. */
function blank(path: string, position: number): void {
  const descriptor = openSync(path, 'r+')
  writeSync(descriptor, Buffer.alloc(statSync(path).size - position), 0, null, position)
  closeSync(descriptor)
}

function systemError(fault: Fault): NodeJS.ErrnoException {
  const code = fault.startsWith('E') ? fault : 'EIO'
  return Object.assign(new Error(`${code}: injected`), { code })
}
