import type { Head } from '../domain/log-head.ts'
import type { Claim, LogArchive, ReadOptions } from '../ports/log-archive.ts'
import { type LogFileSelection, listFiles, logOf } from './archive-files.ts'
import { proveLine } from './prove-line.ts'
import type { ReadingOptions } from './read-lines.ts'
import { followRecords, readRecords } from './read-records.ts'
import { verifyChain } from './verify-chain.ts'
import { watchLines } from './watched-lines.ts'

/** Rejects with `LOG_NOT_FOUND` when there is no file, and with `LOG_UNREADABLE`. */
export async function openLogArchive(selection: LogFileSelection): Promise<LogArchive> {
  const files = await listFiles(selection)
  const total = files.reduce((sum, { bytes }) => sum + bytes, 0)

  let heads: ReadonlyMap<string, Head> | undefined

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
    async verify({ signal, onProgress, ...options }) {
      const progress = reading({ signal, ...(onProgress && { onProgress }) })
      const report = await verifyChain(selection, { ...options, ...progress })
      heads = report.heads
      return report
    },
    async check(claims, options) {
      const isLast = ({ stream, seq, hash }: Claim) => {
        const head = heads?.get(stream)
        return head?.seq === seq && head?.hash.startsWith(hash)
      }
      // Most claims are of last lines, and those were just read.
      const others = claims.filter((claim) => !isLast(claim))
      if (others.length === 0) return claims.map(() => 'present')
      const watched = await watchLines(selection, others, reading(options))
      const outcomes = new Map(watched.outcomes().map((outcome, index) => [others[index], outcome]))
      return claims.map((claim) => outcomes.get(claim) ?? 'present')
    },
  }
}
