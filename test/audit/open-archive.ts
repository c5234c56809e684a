import { mkdtempDisposableSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openLogArchive } from '../../src/audit/archive.ts'
import type { ChainReport, LogArchive, VerifyOptions } from '../../src/ports/log-archive.ts'

/** A new temporary directory for files of a log, which is deleted at the end. */
export interface ArchivePlace extends Disposable {
  /** Where a file of that name is. */
  path(name?: string): string
  /** Writes a file. */
  write(content: string | Buffer, name?: string): string
  /** Opens the files of those names; without any, the log of the usual name, whole. */
  open(...names: string[]): Promise<LogArchive>
  verify(options?: Partial<VerifyOptions>): Promise<ChainReport>
}

const LOG = 'decisions.jsonl'

/** Nobody interrupts. */
export const AT_EASE = { signal: new AbortController().signal }

export function makeArchivePlace(): ArchivePlace {
  const directory = mkdtempDisposableSync(join(tmpdir(), 'sentinel-archive-'))
  const path = (name = LOG) => join(directory.path, name)
  const open = (...names: string[]) =>
    openLogArchive(
      names.length > 0 ? { named: names.map((name) => path(name)) } : { live: path(LOG) },
    )
  return {
    path,
    write(content, name = LOG) {
      writeFileSync(path(name), content, 'latin1')
      return path(name)
    },
    open,
    verify: async (options) => (await open()).verify({ extent: 'whole', ...AT_EASE, ...options }),
    [Symbol.dispose]: () => directory.remove(),
  }
}
