import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { automaticLimit, isDecider } from '../../../src/domain/policy/automatic.ts'
import { parsePrincipal } from '../../../src/domain/principal.ts'
import { anApprovalRule, NOON, users } from '../../fixtures/policies.ts'

const ACCOUNT = '111122223333'
const POLICY = { principalAccounts: [ACCOUNT] }

function principal(resource: string, userId: string, service = 'sts') {
  const arn = `arn:aws:${service}::${ACCOUNT}:${resource}`
  return parsePrincipal({ arn, userId, account: ACCOUNT })
}

const bob = principal('user/bob', 'AIDABOB', 'iam')
const carol = principal(
  'assumed-role/AWSReservedSSO_Ops_0123456789abcdef/carol@corp.example',
  'AROAOPS:carol@corp.example',
)
const session = principal('assumed-role/Ops/anything', 'AROAROLE:anything')

suite('isDecider', () => {
  const cases: [who: string, of: typeof bob, patterns: string[], is: boolean][] = [
    ['an IAM user who is named', bob, ['bob'], true],
    ['an IAM user under *', bob, ['*'], true],
    ['an Identity Center session under *', carol, ['*'], true],
    ['somebody who is not named', bob, ['carol', 'sso:*'], false],
    ['a session of a role under *', session, ['*'], false],
    ['a session of a role that is named', session, ['role:Ops/*'], true],
    ['a session of a role beside *', session, ['*', 'role:Other/*'], false],
  ]
  for (const [who, of, patterns, is] of cases) {
    test(`${is ? 'takes' : 'does not take'} ${who}`, () => {
      assert.equal(isDecider(users(...patterns), of, POLICY), is)
    })
  }
})

suite('automaticLimit', () => {
  const limit = (autoApprove: ReturnType<typeof anApprovalRule>['autoApprove'], who = bob) =>
    automaticLimit(
      anApprovalRule({ maxDuration: 3600, ...(autoApprove && { autoApprove }) }),
      who,
      NOON,
      POLICY,
    )

  test('is none without auto_approve', () => assert.equal(limit(undefined), undefined))
  test("is the rule's own cap", () => assert.equal(limit({}), 3600))
  test('is its own, where that is less', () => assert.equal(limit({ maxDuration: 1800 }), 1800))
  test('is never more than the rule gives', () => assert.equal(limit({ maxDuration: 7200 }), 3600))
  test('is none for others', () => assert.equal(limit({ users: users('carol') }), undefined))
  test('is none outside of its hours', () => {
    const hours = { start: 0, end: 60 }
    const time = { hours, overnight: false, timezone: 'Etc/UTC' }
    assert.equal(limit({ time }), undefined)
  })
})
