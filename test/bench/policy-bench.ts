/**
 * How long one decision takes under a policy of 1,000 rules of which the last one matches.
 *
 * @module
 */
import { decide } from '../../src/domain/policy/evaluate.ts'
import { anInput, aPolicy, aRule, users } from '../fixtures/policies.ts'
import { type BenchRow, median, row } from './rows.ts'

const ROUNDS = 15
const DECISIONS = 200

/** Measures an allow and a refusal. Takes about a second. */
export function benchPolicy(): BenchRow[] {
  const others = Array.from({ length: 999 }, (_, index) =>
    aRule({
      name: `team-${index}`,
      conditions: { profiles: [`team-${index}-*`], users: users('alice', 'sso:*@corp.example') },
    }),
  )
  const last = aRule({ name: 'last', conditions: { profiles: ['prod'], users: users('*') } })
  const allowing = aPolicy({ rules: [...others, last] })
  const refusing = aPolicy({ rules: others })
  const allow = micros(() => decide(allowing, anInput()).outcome === 'allow')
  const refuse = micros(() => decide(refusing, anInput()).outcome === 'refuse')
  return [
    { ...row('a policy of 1,000 rules allows', allow, 'µs'), target: '≤ 100', isMet: allow <= 100 },
    row('a policy of 1,000 rules refuses, and says what would help', refuse, 'µs'),
  ]
}

function micros(decideOnce: () => boolean): number {
  const rounds: number[] = []
  for (let round = 0; round <= ROUNDS; round++) {
    const start = performance.now()
    for (let turn = 0; turn < DECISIONS; turn++)
      if (!decideOnce()) throw new Error('wrong decision')
    rounds.push(((performance.now() - start) / DECISIONS) * 1000)
  }
  return median(rounds.slice(1))
}
