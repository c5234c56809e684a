import { existsSync, mkdtempDisposableSync, readdirSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { gunzipSync } from 'node:zlib'
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

/** A clock that stands still but for `advance`. */
export function manualClock(): Clock & { advance(ms: number): void } {
  let passed = 0
  const { wall, monotonic } = STILL_CLOCK.now()
  return {
    now: () => ({ wall: wall + passed, monotonic: monotonic + passed }),
    aws: () => wall + passed,
    learn() {},
    advance(ms) {
      passed += ms
    },
  }
}

/** A place for a log in a new temporary directory, which is deleted at the end. */
export interface LogPlace extends Disposable {
  readonly path: string
  open(options?: Partial<DecisionLogOptions>): Promise<DecisionLog>
  /** Of the file at the path. */
  text(): string
  /** The files that were moved aside, in their order. */
  rotated(): string[]
  /** Of all files. */
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
    rotated: () => rotatedFiles(path),
    verify: () => verifyLog(readWholeLog(path)),
    [Symbol.dispose]: () => directory[Symbol.dispose](),
  }
}

/** The text of all files of the log at `path`, in their order. */
export function readWholeLog(path: string): string {
  const rotated = rotatedFiles(path).map((file) => {
    const bytes = readFileSync(file)
    return file.endsWith('.gz') ? gunzipSync(bytes).toString('latin1') : bytes.toString('latin1')
  })
  const live = existsSync(path) ? readFileSync(path, 'latin1') : ''
  // A torn end of one file does not run into the next.
  return [...rotated, live].join('\n')
}

/** The files of the log at `path` that were moved aside, in their order. */
export function rotatedFiles(path: string): string[] {
  const stamped = /^\.\d{8}T\d{9}Z(\.gz)?$/
  const log = basename(path)
  return readdirSync(dirname(path))
    .filter((name) => name.startsWith(log) && stamped.test(name.slice(log.length)))
    .toSorted()
    .map((name) => join(dirname(path), name))
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
