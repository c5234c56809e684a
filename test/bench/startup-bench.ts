/**
 * How long the binary takes to start, against bare Node in turns, as whole processes.
 *
 * @module
 */
import { spawnSync } from 'node:child_process'
import { openScene } from '../fixtures/scene.ts'
import { type BenchRow, median, row } from './rows.ts'

const ROUNDS = 25
const BINARY = 'dist/sentinel'

/** Measures `--version` against `node -e 0`, and a whole `credentials`. Takes about 10 s. */
export async function benchStartup(): Promise<BenchRow[]> {
  const pairs = Array.from({ length: ROUNDS + 1 }, () => ({
    bare: time(process.execPath, ['-e', '0']),
    version: time(BINARY, ['--version']),
  })).slice(1)
  const ratio = median(pairs.map(({ bare, version }) => version / bare))
  return [
    row('start of node -e 0', median(pairs.map(({ bare }) => bare)), 'ms'),
    row('start of sentinel --version', median(pairs.map(({ version }) => version)), 'ms'),
    { ...row('start against node -e 0', ratio, '×'), target: '≤ 1.3', isMet: ratio <= 1.3 },
    ...(await benchCredentials()),
  ]
}

/** A credential process from start to end: config, policy, STS on loopback, log, answer. */
async function benchCredentials(): Promise<BenchRow[]> {
  await using scene = await openScene()
  const times: number[] = []
  for (let round = 0; round <= ROUNDS; round++) {
    const start = performance.now()
    const { status, stderr } = await scene.sentinel(['credentials', '--profile', 'dev'])
    if (status !== 0) throw new Error(stderr)
    times.push(performance.now() - start)
  }
  return [row('sentinel credentials, a stand-in for STS', median(times.slice(1)), 'ms')]
}

function time(command: string, args: string[]): number {
  const start = performance.now()
  // NODE_EXTRA_CA_CERTS costs bare Node 60 ms, and the binary nothing before it calls AWS.
  const { NODE_EXTRA_CA_CERTS: _, ...env } = process.env
  const { status } = spawnSync(command, args, { env, stdio: 'ignore' })
  if (status !== 0) throw new Error(`${command} ended with ${status}`)
  return performance.now() - start
}
