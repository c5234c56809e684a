import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import type { CheckedPolicy } from '../../src/deps.ts'
import type { Rule } from '../../src/domain/policy/types.ts'
import { aRecord, MemoryArchive } from '../fixtures/archive.ts'
import { sentinel } from '../fixtures/audit-cli.ts'
import { aPolicy, aPrincipal, aRule, PROD } from '../fixtures/policies.ts'

const { arn, uniqueId } = aPrincipal()
const ISSUED = aRecord({
  ...{ type: 'issued', outcome: 'issued', user: 'alice', person: 'iam:111122223333/alice' },
  ...{ principal: arn, principal_id: uniqueId, profile: 'prod', role_arn: PROD, stamped: true },
  ...{ account: '444455556666', mode: 'cli', effect: 'allow', basis: 'policy', rule: 'old' },
  ...{ duration_seconds: 3600, request_id: 'mzxw6ytboi3damrqgaya' },
})

const under = (...rules: Partial<Rule>[]): CheckedPolicy => ({
  ...{ reference: 'new.yaml', sha256: 'ab12', problems: [], warnings: [] },
  policy: aPolicy({ rules: rules.map((rule) => aRule(rule)) }),
})

const REPLAY = ['audit', 'replay', '--policy', 'new.yaml']
const archive = (...records: (typeof ISSUED)[]) => new MemoryArchive(records)

suite('sentinel audit replay', () => {
  test('shows what changes, by user, profile and rule', async () => {
    const later = { ...ISSUED, time: '2026-01-14T13:00:00.000Z', request_id: 'last' }
    const { status, stdout, stderr, policyFlags } = await sentinel(REPLAY, {
      archive: archive(ISSUED, later, aRecord({ type: 'refused', code: 'STS_UNAVAILABLE' })),
      policy: under(),
    })
    assert.equal(status, 0)
    assert.equal(policyFlags?.policy, 'new.yaml')
    assert.equal(
      stdout,
      `\
new.yaml on 2 logged accesses, 2026-01-14T12:00:00Z to 2026-01-14T13:00:00Z:
  0  as before
  2  allowed then, refused now
  0  refused then, allowed now
  0  allowed by another rule
  0  allowed for less time than was issued
not decided again: 1 that failed before the policy was asked

allowed then, refused now:
  2 × alice, prod: old → (no rule)
      no rule matches
      2026-01-14T12:00:00Z to 2026-01-14T13:00:00Z, as in last
`,
    )
    assert.match(stderr, /^note: replayed is what the policy says: not what sessions, locks/)
  })

  const ends: [what: string, rules: Partial<Rule>[], extra: string[], status: number][] = [
    ['an outcome that changes', [], ['--fail-on-change'], 1],
    ['nothing that changes', [{ name: 'old' }], ['--fail-on-change'], 0],
    ['another rule alone', [{ name: 'new' }], ['--fail-on-change'], 0],
    ['a smaller cap alone', [{ name: 'old', maxDuration: 900 }], ['--fail-on-change'], 0],
    ['a change, when nobody asked', [], [], 0],
  ]
  for (const [what, rules, extra, expected] of ends) {
    test(`ends with ${expected} on ${what}`, async () => {
      const scene = { archive: archive(ISSUED), policy: under(...rules) }
      assert.equal((await sentinel([...REPLAY, ...extra], scene)).status, expected)
    })
  }

  test('prints JSON with the policy that was asked', async () => {
    const { stdout } = await sentinel([...REPLAY, '--output', 'json'], {
      archive: archive(ISSUED),
      policy: under({ name: 'new' }),
    })
    assert.deepEqual(JSON.parse(stdout), {
      policy: { reference: 'new.yaml', sha256: 'ab12' },
      decided: 1,
      unchanged: 0,
      undecidable: { undecided: 0, incomplete: 0 },
      changes: { refused: 0, allowed: 0, rule: 1, cap: 0 },
      ungrouped: 0,
      from: '2026-01-14T12:00:00.000Z',
      to: '2026-01-14T12:00:00.000Z',
      groups: [
        {
          ...{ change: 'rule', count: 1, user: 'alice', profile: 'prod' },
          ...{ old_rule: 'old', new_rule: 'new', reason: 'rule "new" allows it' },
          ...{ first: '2026-01-14T12:00:00.000Z', last: '2026-01-14T12:00:00.000Z' },
          example: 'mzxw6ytboi3damrqgaya',
        },
      ],
    })
  })

  test('prints CSV without formulas', async () => {
    const { stdout } = await sentinel([...REPLAY, '--format', 'csv'], {
      archive: archive({ ...ISSUED, rule: '=cmd()' }),
      policy: under({ name: '@new' }),
    })
    const [heading, line] = stdout.split('\n')
    assert.equal(heading, 'change,count,user,profile,old_rule,new_rule,reason,first,last,example')
    assert.match(line ?? '', /^rule,1,alice,prod,'=cmd\(\),'@new,/)
  })

  test('prints no control character from a record', async () => {
    const hostile = { ...ISSUED, user: 'a\u001b[2J\nb', rule: '\u202e' }
    const { stdout } = await sentinel(REPLAY, { archive: archive(hostile), policy: under() })
    assert.match(stdout, /1 × a\\u001b\[2J\\nb, prod: \\u202e → \(no rule\)/)
  })

  test('looks at a period, a user and a profile alone', async () => {
    const others = [
      { ...ISSUED, time: '2026-01-13T00:00:00.000Z' },
      { ...ISSUED, user: 'bob' },
      { ...ISSUED, profile: 'dev' },
    ]
    const filters = ['--since', '2h', '--user', 'alice', '--profile', 'p*', '--output', 'json']
    const scene = { archive: archive(...others, ISSUED), policy: under() }
    assert.equal(JSON.parse((await sentinel([...REPLAY, ...filters], scene)).stdout).decided, 1)
  })

  test('refuses a policy that is not valid, before it reads the log', async () => {
    const problem = { line: 3, column: 5, message: 'unknown effect "alow"', hint: 'write allow' }
    const { status, stderr, selection } = await sentinel(REPLAY, {
      policy: { reference: 'new.yaml', sha256: '', warnings: [], problems: [problem] },
    })
    assert.equal(status, 5)
    assert.equal(stderr, 'error: new.yaml:3:5: unknown effect "alow"\nhint: write allow\n')
    assert.equal(selection, undefined)
  })
})
