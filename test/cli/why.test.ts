import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import type { LoggedRecord } from '../../src/domain/log-record.ts'
import type { Policy } from '../../src/domain/policy/types.ts'
import { SentinelError } from '../../src/errors.ts'
import { ID, written } from '../fixtures/app/written-records.ts'
import { aRecord, MemoryArchive } from '../fixtures/archive.ts'
import { sentinel } from '../fixtures/audit-cli.ts'
import {
  aGrant,
  anApprovalRule,
  anInput,
  aPolicy,
  aRule,
  NOON,
  users,
} from '../fixtures/policies.ts'

const OTHER = 'otherotherotherother'
const SHA = 'ab'.repeat(32)
const NEEDS_APPROVAL = aPolicy({
  rules: [
    aRule({ name: 'dev', conditions: { profiles: ['dev'] } }),
    aRule({ name: 'prod', effect: 'require_approval', conditions: { profiles: ['prod'] } }),
  ],
  approvals: [anApprovalRule({ approvers: users('bob', 'carol'), maxDuration: 7200 })],
})

const checked = (policy: Policy, sha256 = SHA) => ({
  ...{ policy, sha256, reference: 'policy.yaml', problems: [], warnings: [] },
})
const refused = (policy = NEEDS_APPROVAL) => written(policy, anInput(), { sha256: SHA })
const repeats = (count: number) =>
  aRecord({ type: 'refused', profile: 'prod', code: 'POLICY_DENIED', of: ID, repeats: count })

async function why(
  words: string,
  records: LoggedRecord[],
  scene: Parameters<typeof sentinel>[1] = {},
) {
  const archive = new MemoryArchive(records)
  const argv = ['why', ...words.split(' ').filter(Boolean)]
  return sentinel(argv, { archive, policy: checked(NEEDS_APPROVAL), ...scene })
}

suite('sentinel why', () => {
  test('shows the last refusal, every rule, and the way to access', async () => {
    const { status, stdout, stderr } = await why('', [await refused(), repeats(2), repeats(3)])
    assert.equal(status, 0)
    assert.equal(stderr, '')
    assert.equal(
      stdout,
      `the last refusal in the log is that of alice:

time      2026-01-14T12:00:00.000Z
outcome   refused POLICY_DENIED
reason    profile prod is refused: rule "prod" requires approval
rule      2. prod (require_approval)
user      alice (arn:aws:iam::111122223333:user/alice)
profile   prod (arn:aws:iam::444455556666:role/Prod)
mode      cli
policy    file:p, sha256 abababababab
session   00000000000a11ce
request   ${ID}
repeated  5 times more

under the same policy, at 2026-01-14T12:00:00Z:

✗ 1. dev (allow)
    ✗ profiles: prod, wanted dev
✓ 2. prod (require_approval)  ← decides
    ✓ profiles: prod, wanted prod

refuse: rule "prod" requires approval
nearest: approvals rule approvers would let it be, with:
    approval: none, wanted by bob or carol

asked for again now, at 2026-01-14T12:00:00Z, without a grant:
refuse: rule "prod" requires approval
to change it: approval by 1 of bob, carol (rule "approvers", for 2h at most)
    sentinel request prod --duration 1h --justification "…"
`,
    )
  })

  test('says what was decided then, and what would be now, when the policy has changed', async () => {
    const policy = checked(aPolicy({ rules: [aRule({ name: 'open' })] }), 'cd'.repeat(32))
    const { stdout } = await why('mzxw', [await refused()], { policy })
    assert.match(stdout, /^time /)
    assert.match(
      stdout,
      /^the policy has changed since: it is now policy.yaml, sha256 cdcdcdcdcdcd$/m,
    )
    assert.match(stdout, /^decided then: refuse by rule "prod"$/m)
    assert.match(stdout, /^the same access at the same time, .*: allow$/m)
    assert.match(stdout, /^✓ 1. open \(allow\) {2}← decides$/m)
  })

  test('explains why a credential was issued, by the grant that lifted', async () => {
    const record = await written(NEEDS_APPROVAL, anInput({ grants: [aGrant()] }), { sha256: SHA })
    const served = aRecord({ type: 'served', request_id: ID, count: 3 })
    const { stdout } = await why(`sentinel=alice=approval=${ID}`, [record, served])
    assert.match(stdout, /^grant +approval r-1$/m)
    assert.match(stdout, /^served +3 times$/m)
    assert.match(stdout, /^allow: approval r-1 lifts rule "prod" until 2026-01-14T13:00:00Z$/m)
    assert.doesNotMatch(stdout, /nearest|asked for again/)
  })

  test('says what a code means where no rule decided, and asks for no policy', async () => {
    const failure = new SentinelError('BASE_CREDENTIALS_EXPIRED', 'the SSO session has ended')
    const allowed = aPolicy({ rules: [aRule()] })
    const record = await written(allowed, anInput(), { failure })
    const { stdout, policyFlags } = await why('', [record])
    assert.match(
      stdout,
      /^BASE_CREDENTIALS_EXPIRED: the base credentials have ended: log in again$/m,
    )
    assert.match(stdout, /^the policy had allowed it: this was not for its rules to decide$/m)
    assert.match(stdout, /^to go on: log in again, .*: sentinel whoami prod$/m)
    assert.doesNotMatch(stdout, /[✓✗]/)
    assert.equal(policyFlags, undefined)
  })

  test('shows the record, with a warning, when the policy cannot be read', async () => {
    const policyFault = new SentinelError('POLICY_NOT_FOUND', 'there is no policy.yaml')
    const { status, stdout, stderr } = await why('', [await refused()], { policyFault })
    assert.equal(status, 0)
    assert.match(
      stderr,
      /^warning: the policy as it is now cannot be read: there is no policy.yaml$/m,
    )
    assert.match(stdout, /^request +mzxw6ytboi3damrqgaya$/m)
    assert.match(stdout, /^POLICY_DENIED: the policy does not allow the access$/m)
  })

  test('shows the record, with a warning, when the policy is not valid', async () => {
    const { policy: _, ...invalid } = checked(aPolicy())
    const problem = { line: 3, column: 1, message: 'unknown key "rulez"' }
    const policy = { ...invalid, problems: [problem] }
    const { stderr } = await why('', [await refused()], { policy })
    assert.match(stderr, /cannot be read: policy.yaml:3:1: unknown key "rulez"$/m)
  })

  test('reads the log and the policy that are named, and leads on to them', async () => {
    const words = '--log-file other.jsonl --policy other.yaml'
    const { stdout, selection, policyFlags } = await why(words, [await refused()])
    assert.deepEqual(selection, { 'log-file': 'other.jsonl' })
    assert.equal(policyFlags?.policy, 'other.yaml')
    assert.match(stdout, /sentinel request prod .* --policy other\.yaml$/m)
  })

  test('is narrowed to a user and a profile', async () => {
    const bobs = { ...(await refused()), user: 'bob', profile: 'dev', request_id: OTHER }
    const records = [await refused(), bobs]
    assert.match((await why('', records)).stdout, /^the last refusal in the log is that of bob:$/m)
    const { stdout } = await why('--user alice --profile prod', records)
    assert.match(stdout, /^the last refusal of alice for prod in the log:$/m)
    assert.match(stdout, new RegExp(`^request +${ID}$`, 'm'))
  })

  test('gives programs all of it in one document, with the same keys each time', async () => {
    const failure = new SentinelError('STS_UNAVAILABLE', 'STS did not answer')
    const failed = await written(aPolicy({ rules: [aRule()] }), anInput(), { failure })
    const documents = await Promise.all(
      [await refused(), failed].map(async (record) => {
        const { stdout } = await why('--output json', [record])
        return JSON.parse(stdout)
      }),
    )
    const [explained, told] = documents
    assert.deepEqual(Object.keys(explained), Object.keys(told))
    assert.partialDeepStrictEqual(explained, {
      record: { request_id: ID, code: 'POLICY_DENIED' },
      file: 'decisions.jsonl',
      line: 1,
      carried_out: true,
      repeats: 0,
      decided: 'refuse',
      policy_now: { reference: 'policy.yaml', sha256: SHA },
      same_policy: true,
      explanation: {
        at: '2026-01-14T12:00:00Z',
        decision: { outcome: 'refuse', rule: { name: 'prod', index: 1 } },
        nearest: { kind: 'approval', rule: 'approvers', is_enough: true },
        approval: { approvers: ['bob', 'carol'], required: 1, max_duration: 7200 },
      },
      again: { at: '2026-01-14T12:00:00Z', decision: { outcome: 'refuse' } },
    })
    assert.partialDeepStrictEqual(told, {
      meaning: { when: 'STS did not answer' },
      decided: 'allow',
      policy_now: null,
      explanation: null,
      again: null,
    })
  })

  test('puts what a log holds on one line', async () => {
    const reason = 'a\nb\u001b[2J\u202e'
    const { stdout } = await why('', [{ ...(await refused()), reason }])
    assert.match(stdout, /^reason +a\\nb\\u001b\[2J\\u202e$/m)
  })

  const mistakes: [words: string, status: number, told: RegExp][] = [
    ['mzxw --profile prod', 2, /a request and --profile are both given/],
    ['mzxw --user alice', 2, /a request and --user are both given/],
    ['nope!', 2, /not the id of a request/],
    ['aaaa', 4, /no issuance or refusal/],
    ['--user bob', 4, /the log has no refusal of bob/],
  ]
  for (const [words, expected, told] of mistakes) {
    test(`${words} ends with status ${expected}`, async () => {
      const { status, stdout, stderr } = await why(words, [await refused()])
      assert.equal(status, expected)
      assert.match(stderr, told)
      assert.equal(stdout, '')
    })
  }

  test('says which requests an ambiguous beginning may mean', async () => {
    const like = { ...(await refused()), request_id: `${ID.slice(0, 19)}b` }
    const { status, stderr } = await why('mzxw6', [await refused(), like])
    assert.equal(status, 4)
    assert.match(stderr, new RegExp(`${ID}, ${like.request_id}`))
  })
})

test('a refusal of a server that is tracked nowhere is explained by the same words', async () => {
  const policy = aPolicy({
    rules: [aRule({ name: 'tracked', effect: 'require_server_session' })],
    stores: { sessions: 'local' },
  })
  const record = await written(policy, anInput({ mode: 'server', at: NOON }), { sha256: SHA })
  const { stdout } = await why('', [record], { policy: checked(policy) })
  assert.match(stdout, /^ {4}session: not tracked, wanted tracked in local$/m)
  assert.match(stdout, /^to change it: run it as a server, which is tracked in local/m)
})
