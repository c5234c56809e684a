/**
 * What tracking costs, on the binary with DynamoDB Local: the throughput with and without a
 * session, and DDB-1, the latency while the table is blackholed against that while it is not. Each
 * pair is asked in turns, in one run.
 *
 * @module
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import { missingDynamoDBLocal, openDynamoDBLocal } from '../fixtures/dynamodb-local.ts'
import { eventually, type Gateway } from '../fixtures/interop/gateway.ts'
import { openSessionScene, type SessionScene } from '../fixtures/interop/session-scene.ts'
import { load, type Measured } from './load.ts'
import { type BenchRow, median, row } from './rows.ts'

const THROUGHPUT_ROUNDS = 11
/** Until V8 has compiled what it will. */
const WARM_UP_ROUNDS = 5
const LATENCY_ROUNDS = 5

const SATURATING = { connections: 16, durationMs: 400 }
/** Two looks at the table, and requests enough for a p99. */
const PACED = { connections: 8, durationMs: 4000, rate: 200 }
/** Until a look has met what the table is like now. */
const SETTLING_MS = 2500

/** Measures both. Takes about 75 s; without DynamoDB Local it says so, and measures nothing. */
export async function benchSessions(): Promise<BenchRow[]> {
  const reason = await missingDynamoDBLocal()
  if (reason) {
    console.log(`  ${reason}`)
    return []
  }
  await using local = await openDynamoDBLocal()
  await using sessions = await openSessionScene(local)
  const worker = new Worker(new URL('./server-load.ts', import.meta.url))
  try {
    const tracked = await sessions.serve()
    await eventually('the record', () => sessions.row(tracked.id))
    const untracked = await sessions.serve([])
    const throughput = await benchThroughput(worker, { tracked, untracked })
    await untracked.end()
    const latency = await benchBlackhole(worker, tracked, sessions)
    await tracked.end()
    return [...throughput, ...latency]
  } finally {
    await worker.terminate()
  }
}

async function benchThroughput(
  worker: Worker,
  { tracked, untracked }: { readonly tracked: Gateway; readonly untracked: Gateway },
): Promise<BenchRow[]> {
  const rounds: { tracked: Measured; untracked: Measured }[] = []
  for (let round = -WARM_UP_ROUNDS; round < THROUGHPUT_ROUNDS; round += 1) {
    const measured = {
      untracked: await load(worker, targetOf(untracked), SATURATING),
      tracked: await load(worker, targetOf(tracked), SATURATING),
    }
    if (round >= 0) rounds.push(measured)
  }
  const of = (kind: 'tracked' | 'untracked') => median(rounds.map((one) => one[kind].perSecond))
  const share = median(rounds.map((one) => one.tracked.perSecond / one.untracked.perSecond))
  return [
    row('without a session', of('untracked'), 'requests/s'),
    row('tracked in DynamoDB', of('tracked'), 'requests/s'),
    {
      ...row('throughput against untracked', share * 100, '%'),
      target: '≥ 90',
      isMet: share >= 0.9,
    },
  ]
}

async function benchBlackhole(
  worker: Worker,
  gateway: Gateway,
  { proxy }: SessionScene,
): Promise<BenchRow[]> {
  const healthy: Measured[] = []
  const faulty: Measured[] = []
  for (let round = 0; round < LATENCY_ROUNDS; round += 1) {
    proxy.heal()
    await sleep(SETTLING_MS)
    healthy.push(await load(worker, targetOf(gateway), PACED))
    proxy.fail('silent')
    await sleep(SETTLING_MS)
    faulty.push(await load(worker, targetOf(gateway), PACED))
  }
  proxy.heal()
  const p99 = (runs: readonly Measured[]) => median(runs.map(({ p99Ms }) => p99Ms))
  const allowed = Math.max(p99(healthy) * 1.1, p99(healthy) + 1)
  const failed = faulty.reduce((sum, run) => sum + run.failed, 0)
  return [
    row('p99 at 200/s', p99(healthy), 'ms'),
    {
      ...row('p99 at 200/s, the table blackholed', p99(faulty), 'ms'),
      target: `≤ ${allowed.toFixed(2)}`,
      isMet: p99(faulty) <= allowed,
    },
    { ...row('failed answers meanwhile', failed, ''), target: '= 0', isMet: failed === 0 },
  ]
}

function targetOf({ url, token }: Gateway) {
  return { url: new URL(url), token }
}
