import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { decide } from '../../../src/domain/policy/evaluate.ts'
import { explain } from '../../../src/domain/policy/explain.ts'
import type { AccessInput, Conditions, Decision, Policy } from '../../../src/domain/policy/types.ts'
import { aRule } from '../../fixtures/policies.ts'
import { pick, random, scaled } from '../../fixtures/random.ts'
import { answer, remediesNow, ruleMatches } from './naive-evaluator.ts'
import { randomInput, randomPolicy, randomRule } from './random-policies.ts'

const SEED = 2026

/** Runs `check` on random cases. A failure names the seed that draws its case first. */
function forAll(
  cases: number,
  check: (policy: Policy, input: AccessInput, next: () => number) => void,
): void {
  for (let seed = SEED; seed < SEED + scaled(cases); seed++) {
    const next = random(seed)
    const [policy, input] = [randomPolicy(next), randomInput(next)]
    try {
      check(policy, input, next)
    } catch (error) {
      const shown = JSON.stringify({ policy, input }, undefined, 1)
      throw new Error(`seed ${seed}: ${error}\n${shown}`, { cause: error })
    }
  }
}

const allows = (policy: Policy, input: AccessInput) => decide(policy, input).outcome === 'allow'

suite('decide, against a naive evaluator (POL-1)', () => {
  test('answers the same', () => {
    const seen = new Map<string, number>()
    forAll(20_000, (policy, input) => {
      const decision = decide(policy, input)
      assert.deepEqual(summary(decision), answer(policy, input))
      const kind = `${decision.outcome} ${decision.effect} ${decision.basis}`
      seen.set(kind, (seen.get(kind) ?? 0) + 1)
    })
    // Random cases are worth what they reach: every way to allow and every effect that refuses.
    for (const kind of [
      'allow allow policy',
      'allow require_server policy',
      'allow require_server_session policy',
      'allow require_approval approval',
      'allow require_approval break_glass',
      'allow deny approval',
      'allow deny break_glass',
      'refuse allow policy',
      'refuse deny policy',
      'refuse require_approval policy',
      'refuse require_server policy',
      'refuse require_server_session policy',
    ]) {
      assert.ok((seen.get(kind) ?? 0) > 20, `${kind}: ${seen.get(kind)} cases`)
    }
  })

  test('names the same remedies', () => {
    forAll(3000, (policy, input) => {
      const { remedies } = decide(policy, input)
      const now = remedies.filter(({ kind }) => kind !== 'window')
      assert.deepEqual(now, remediesNow(policy, input))
    })
  })

  test('names windows that open, and no sooner', () => {
    let windows = 0
    forAll(3000, (policy, input) => {
      for (const remedy of decide(policy, input).remedies) {
        if (remedy.kind !== 'window') continue
        const opened = { ...input, at: remedy.opensAt, grants: [] }
        const { outcome, rule } = answer(policy, opened)
        assert.equal(outcome, 'allow')
        assert.equal(policy.rules[rule ?? -1]?.name, remedy.rule)
        const before = { ...input, at: remedy.opensAt - 1 }
        assert.equal(ruleMatches(policy, policy.rules[rule!]!, before), false)
        windows++
      }
    })
    assert.ok(windows > 20, `only ${windows} windows`)
  })
})

suite('explain', () => {
  test('is the decision, and the first rule that it shows to match decides', () => {
    forAll(3000, (policy, input) => {
      const { decision, rules } = explain(policy, input)
      assert.deepEqual(decision, decide(policy, input))
      for (const { matched, conditions } of rules) {
        assert.equal(
          matched,
          conditions.every((check) => check.matched),
        )
      }
      if (decision.reason.includes('the policy binds it to')) return
      assert.equal(decision.rule?.index, rules.find(({ matched }) => matched)?.index)
    })
  })
})

suite('a policy that is changed (POL-2)', () => {
  test('never allows more by a deny in front', () => {
    forAll(3000, (policy, input, next) => {
      const deny = { ...randomRule(next), effect: 'deny' } as const
      // A grant for the default deny is one that the new deny takes away, and never one it gives.
      const stricter = { ...policy, rules: [deny, ...policy.rules], breakGlass: [] }
      if (allows(stricter, input)) assert.ok(allows({ ...policy, breakGlass: [] }, input))
    })
  })

  test('allows nothing behind a deny of everything that nothing overrides', () => {
    forAll(2000, (policy, input) => {
      const rules = [aRule({ effect: 'deny' }), ...policy.rules]
      const breakGlass = policy.breakGlass.map((rule) => ({ ...rule, overridesDeny: false }))
      assert.equal(allows({ ...policy, rules, breakGlass }, input), false)
    })
  })

  test('never allows less by a condition fewer on a rule that allows', () => {
    forAll(3000, (policy, input, next) => {
      const index = Math.floor(next() * policy.rules.length)
      const rule = policy.rules[index]
      if (!rule || !allows(policy, input)) return
      // A rule that accepts what cannot be stamped: else the wider one may be a refusal of its own.
      const allowing = { ...rule, effect: 'allow', unstamped: true } as const
      const before = { ...policy, rules: policy.rules.with(index, allowing) }
      if (!allows(before, input)) return
      const conditions = without(allowing.conditions, next)
      const after = { ...policy, rules: policy.rules.with(index, { ...allowing, conditions }) }
      assert.ok(allows(after, input))
    })
  })

  test('never allows more by a condition fewer on a rule that denies', () => {
    forAll(3000, (policy, input, next) => {
      const index = Math.floor(next() * policy.rules.length)
      const rule = policy.rules[index]
      if (!rule) return
      const denying = { ...rule, effect: 'deny' } as const
      const before = { ...policy, breakGlass: [], rules: policy.rules.with(index, denying) }
      const conditions = without(denying.conditions, next)
      const after = { ...before, rules: before.rules.with(index, { ...denying, conditions }) }
      if (allows(after, input)) assert.ok(allows(before, input))
    })
  })

  test('never allows more by a condition whose key is misspelt', () => {
    forAll(2000, (policy, input, next) => {
      const rules = policy.rules.map((rule) => {
        const keys = Object.keys(rule.conditions) as (keyof Conditions)[]
        if (keys.length === 0) return rule
        const key = pick(next, keys)
        const { [key]: value, ...rest } = rule.conditions
        return { ...rule, conditions: { ...rest, [`${key}s`]: value } }
      })
      const before = allows(policy, input)
      try {
        if (allows({ ...policy, rules }, input)) assert.ok(before)
      } catch (error) {
        // To throw is to refuse.
        assert.ok(error instanceof TypeError)
      }
    })
  })

  test('never allows more by a grant fewer', () => {
    forAll(3000, (policy, input) => {
      const fewer = { ...input, grants: input.grants.slice(1) }
      if (allows(policy, fewer)) assert.ok(allows(policy, input))
    })
  })
})

function without(conditions: Conditions, next: () => number): Conditions {
  const keys = Object.keys(conditions) as (keyof Conditions)[]
  if (keys.length === 0) return conditions
  const { [pick(next, keys)]: _, ...rest } = conditions
  return rest
}

function summary({ outcome, effect, basis, rule, grant, ...rest }: Decision) {
  return {
    outcome,
    effect,
    basis,
    rule: rule?.index,
    grant: grant?.id,
    grantEndsAt: grant?.endsAt,
    maxDuration: rest.maxDuration,
    unstamped: rest.unstamped === true,
  }
}
