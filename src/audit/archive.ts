import type { LogArchive, ReadOptions } from '../ports/log-archive.ts'
import { type LogFileSelection, listFiles, logOf } from './archive-files.ts'
import { proveLine } from './prove-line.ts'
import type { ReadingOptions } from './read-lines.ts'
import { followRecords, readRecords } from './read-records.ts'

/** Rejects with `LOG_NOT_FOUND` when there is no file, and with `LOG_UNREADABLE`. */
export async function openLogArchive(selection: LogFileSelection): Promise<LogArchive> {
  const files = await listFiles(selection)
  const total = files.reduce((sum, { bytes }) => sum + bytes, 0)

  /** `passes`: how often all files are read. */
  const reading = ({ signal, onProgress }: ReadOptions, passes = 1): ReadingOptions => {
    let done = 0
    const onBytes = (count: number) => {
      done += count
      // A log that is being written has grown since.
      onProgress?.(Math.min(done, total * passes), total * passes)
    }
    return { signal, onBytes }
  }

  return {
    files,
    records: (query, options) =>
      query.follow
        ? followRecords(logOf(selection), query, options)
        : readRecords(selection, query, reading(options, 2)),
    prove: (at, options) => proveLine(selection, at, { ...reading(options), lines: options.lines }),
    verify: async () => {
      throw new TypeError('not yet')
    },
    check: async () => {
      throw new TypeError('not yet')
    },
  }
}
