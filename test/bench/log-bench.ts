/**
 * How many durable appends a second the decision log takes, on the disk of the temporary directory.
 *
 * @module
 */
import { mkdtempDisposableSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openDecisionLog } from '../../src/audit/file-decision-log.ts'
import type { LogRecord } from '../../src/domain/log-record.ts'
import type { DecisionLog } from '../../src/ports/decision-log.ts'
import { type BenchRow, median } from './rows.ts'

const ROUNDS = 9
const ROUND_MS = 300

/** A record as long as one usually is. */
const RECORD: LogRecord = {
  type: 'issued',
  outcome: 'issued',
  user: 'sso.alice',
  principal: 'arn:aws:sts::111122223333:assumed-role/AWSReservedSSO_Admin_0123456789abcdef/alice',
  profile: 'prod',
  role_arn: 'arn:aws:iam::444455556666:role/Prod',
  mode: 'server',
  effect: 'allow',
  basis: 'policy',
  rule: 'prod-hours',
  rule_index: 2,
  policy: { reference: 'file:/etc/sentinel/policy.yaml', sha256: 'a'.repeat(64) },
  request_id: 'abcdefghijklmnopqrst',
  source_identity: 'sentinel:sso.alice:abcdefghijklmnopqrst',
  access_key_id: 'ASIAQWERTYUIOPASDFGH',
  duration_seconds: 900,
}

/** Measures with 1 and with 32 appenders at a time. Takes about 6 s. */
export async function benchLog(): Promise<BenchRow[]> {
  using directory = mkdtempDisposableSync(join(tmpdir(), 'sentinel-log-bench-'))
  await using log = await openDecisionLog({
    path: join(directory.path, 'decisions.jsonl'),
    stream: 'a'.repeat(20),
    clock: {
      now: () => ({ wall: Date.now(), monotonic: performance.now() }),
      aws: () => Date.now(),
      learn() {},
    },
    host: 'host.example',
    pid: process.pid,
    uid: process.getuid?.(),
  })
  const rows: BenchRow[] = []
  for (const appenders of [1, 32]) {
    // The first round warms up.
    const rates: number[] = []
    for (let round = 0; round <= ROUNDS; round++) rates.push(await appendFor(log, appenders))
    const value = Math.round(median(rates.slice(1)))
    rows.push({ what: `decision log, ${appenders} at a time`, value, unit: 'appends/s' })
  }
  return rows
}

async function appendFor(log: DecisionLog, appenders: number): Promise<number> {
  const start = performance.now()
  let count = 0
  const appendInTurn = async () => {
    while (performance.now() - start < ROUND_MS) {
      await log.append(RECORD)
      count++
    }
  }
  await Promise.all(Array.from({ length: appenders }, appendInTurn))
  return (count / (performance.now() - start)) * 1000
}
