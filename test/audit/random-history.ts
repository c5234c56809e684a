import { hasCode } from '../../src/errors.ts'
import type { DecisionLog } from '../../src/ports/decision-log.ts'
import { pick } from '../fixtures/random.ts'
import { type Fault, faultyFiles } from './faulty-files.ts'
import { issued, type LogPlace, manualClock, streamOf } from './log-fixture.ts'

/** Those that harm nobody but the one that they strike. */
const SHARED: readonly Fault[] = [
  'ENOSPC',
  'EIO',
  'EINTR',
  'half',
  'no newline',
  'written, then EIO',
]

/**
 * Writes a log as several runs may leave it: side by side or one after the other, on a disk whose
 * calls go wrong now and then, moved aside when it is full, ended properly or not at all.
 */
export async function writeHistory(place: LogPlace, next: () => number): Promise<void> {
  const clock = manualClock()
  // What a disk loses is lost to all who write at the same time.
  const isAlone = next() < 0.3
  const runs = 1 + Math.floor(next() * 4)
  const open: DecisionLog[] = []
  let records = 0

  const begin = async (run: number) => {
    const fault = isAlone ? 'lost at sync' : pick(next, SHARED)
    const isFaulty = next() < 0.6
    const log = await attempt(() =>
      place.open({
        stream: streamOf('abcdefgh'[run] ?? 'z'),
        clock,
        files: faultyFiles(fault, () => isFaulty && next() < 0.08),
        ...(next() < 0.5 && { limits: { maxBytes: 2000, maxAgeMs: 1e9 } }),
      }),
    )
    if (!log) return
    log.note({ type: 'start', version: '1.0.0' })
    open.push(log)
  }
  const act = async (log: DecisionLog) => {
    clock.advance(10)
    const kind = next()
    if (kind < 0.15) log.note({ type: 'witness' })
    const count = kind < 0.7 ? 1 : 1 + Math.floor(next() * 12)
    const appends = Array.from({ length: count }, () => {
      records += 1
      return attempt(() => log.append(issued(`r${records}`)))
    })
    await Promise.all(appends)
  }
  const end = async (log: DecisionLog) => {
    if (next() < 0.8) log.note({ type: 'stop', exit_status: 0 })
    await attempt(async () => log[Symbol.asyncDispose]())
  }

  for (let run = 0; run < runs; run++) {
    await begin(run)
    for (let turn = 0; turn < 8 && open.length > 0; turn++) await act(pick(next, open))
    if (isAlone || next() < 0.5) for (const log of open.splice(0)) await end(log)
  }
  for (const log of open) await end(log)
}

/** `undefined` where the log could not be written: that is the disk's doing. */
async function attempt<Result>(work: () => Promise<Result>): Promise<Result | undefined> {
  try {
    return await work()
  } catch (error) {
    if (!hasCode(error, 'LOG_UNAVAILABLE')) throw error
    return undefined
  }
}
