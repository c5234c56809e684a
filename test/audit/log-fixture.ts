import { mkdtempDisposableSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type DecisionLogOptions, openDecisionLog } from '../../src/audit/file-decision-log.ts'
import type { LogRecord } from '../../src/domain/log-record.ts'
import type { Clock } from '../../src/ports/clock.ts'
import type { DecisionLog } from '../../src/ports/decision-log.ts'
import { type Verification, verifyLog } from './verify-log.ts'

/** 2026-01-14T09:00:00.000Z, for ever. */
export const STILL_CLOCK: Clock = {
  now: () => ({ wall: 1_768_381_200_000, monotonic: 0 }),
  aws: () => 1_768_381_200_000,
  learn() {},
}

/** A place for a log in a new temporary directory, which is deleted at the end. */
export interface LogPlace extends Disposable {
  readonly path: string
  open(options?: Partial<DecisionLogOptions>): Promise<DecisionLog>
  text(): string
  verify(): Verification
}

export function makeLogPlace(): LogPlace {
  const directory = mkdtempDisposableSync(join(tmpdir(), 'sentinel-log-'))
  const path = join(directory.path, 'decisions.jsonl')
  const text = () => readFileSync(path, 'latin1')
  return {
    path,
    open: (options) =>
      openDecisionLog({
        path,
        stream: streamOf('a'),
        clock: STILL_CLOCK,
        host: 'host.example',
        pid: 4711,
        uid: process.getuid?.(),
        ...options,
      }),
    text,
    verify: () => verifyLog(text()),
    [Symbol.dispose]: () => directory[Symbol.dispose](),
  }
}

/** A stream's name that begins with `start`. */
export function streamOf(start: string): string {
  return start.padEnd(20, '7')
}

export function issued(requestId: string): LogRecord {
  return { type: 'issued', outcome: 'issued', request_id: requestId, profile: 'prod' }
}

/** The request ids on the chains of a log, in the order of each stream. */
export function requestIds({ streams }: Verification): string[] {
  return [...streams.values()].flat().flatMap(({ request_id: id }) => (id ? [String(id)] : []))
}
