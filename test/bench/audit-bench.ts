/**
 * What it takes to read a decision log of a million records: whole processes of the binary, their
 * time and the most memory that each held.
 *
 * @module
 */
import { spawn } from 'node:child_process'
import { mkdtempDisposableSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { writeBigLog } from '../fixtures/big-log.ts'
import { type BenchRow, median, row } from './rows.ts'

const RECORDS = 1_000_000
const ROUNDS = 3
const MB = 1e6

const POLICY = `\
version: "1"
principal_accounts: ["111122223333"]
rules:
  - name: nobody
    effect: deny
    conditions: {}
`

interface Cost {
  readonly seconds: number
  /** Bytes. */
  readonly memory: number
}

/** Measures verify, show and replay. Takes two or three minutes, and a gigabyte of disk. */
export async function benchAudit(): Promise<BenchRow[]> {
  using directory = mkdtempDisposableSync(join(tmpdir(), 'sentinel-audit-bench-'))
  const log = join(directory.path, 'decisions.jsonl')
  const policy = join(directory.path, 'policy.yaml')
  writeBigLog(log, { records: RECORDS })
  writeFileSync(policy, POLICY, { mode: 0o600 })
  const small = join(directory.path, 'small.jsonl')
  writeBigLog(small, { records: RECORDS / 100 })
  const megabytes = statSync(log).size / MB

  const commands: Record<string, (file: string) => string[]> = {
    verify: (file) => ['verify', '--no-anchors', file],
    'show --user': (file) => ['show', '--user', 'sso.alice', '--limit', '100', file],
    stats: (file) => ['stats', file],
    replay: (file) => ['replay', '--policy', policy, file],
  }
  const rows = [row('the log, 1,000,000 records', megabytes, 'MB')]
  for (const [name, argsOf] of Object.entries(commands)) {
    const run = (file: string) => cost(directory.path, ['audit', ...argsOf(file)])
    const base = await run(small)
    const costs: Cost[] = []
    for (let round = 0; round < ROUNDS; round++) costs.push(await run(log))
    const seconds = median(costs.map((each) => each.seconds))
    const rate = megabytes / seconds
    const memory = Math.max(...costs.map((each) => each.memory)) / MB
    rows.push(row(`audit ${name}`, seconds, 's'))
    const speed = row(`audit ${name}`, rate, 'MB/s')
    rows.push(
      name === 'verify' ? { ...speed, target: '≥ 100', isMet: rate >= 100 } : speed,
      row(`audit ${name}, most memory`, memory, 'MB'),
      row(`audit ${name}, most memory for 10,000 records`, base.memory / MB, 'MB'),
    )
  }
  return rows
}

/** Runs the binary on its own, and looks at what it holds every 20 ms. */
async function cost(home: string, args: readonly string[]): Promise<Cost> {
  const start = performance.now()
  const child = spawn('dist/sentinel', args, {
    env: { PATH: process.env.PATH, HOME: home },
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  let memory = 0
  const look = setInterval(() => {
    memory = Math.max(memory, peakOf(child.pid))
  }, 20)
  const { promise, resolve, reject } = Promise.withResolvers<number | null>()
  child.on('error', reject).on('exit', resolve)
  const status = await promise.finally(() => clearInterval(look))
  if (status !== 0) throw new Error(`sentinel ${args.join(' ')} ended with ${status}`)
  return { seconds: (performance.now() - start) / 1000, memory }
}

/** Linux keeps the peak; elsewhere there is no figure. */
function peakOf(pid: number | undefined): number {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8')
    return Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0) * 1024
  } catch {
    return 0
  }
}
