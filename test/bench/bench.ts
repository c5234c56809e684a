/**
 * npm run bench: every figure that is promised, medians of several rounds, each compared within
 * this one run. It is no test: machines are shared and noisy, so a missed target is shown, and the
 * exit status stays 0.
 *
 * @module
 */
import { benchAudit } from './audit-bench.ts'
import { benchLog } from './log-bench.ts'
import { benchPolicy } from './policy-bench.ts'
import type { BenchRow } from './rows.ts'
import { benchServer } from './server-bench.ts'
import { benchSessions } from './session-bench.ts'
import { benchStartup } from './startup-bench.ts'

const PARTS: Record<string, () => BenchRow[] | Promise<BenchRow[]>> = {
  'credential server': benchServer,
  sessions: benchSessions,
  'start-up': benchStartup,
  policy: benchPolicy,
  'decision log': benchLog,
  'a decision log of a million records': benchAudit,
}

for (const [part, bench] of Object.entries(PARTS)) {
  console.log(`\n${part}`)
  for (const { what, value, unit, target, isMet } of await bench()) {
    const verdict = target === undefined ? '' : `  ${isMet ? '✓' : '✗'} ${target}`
    console.log(`  ${what.padEnd(56)} ${String(value).padStart(9)} ${unit}${verdict}`)
  }
}
