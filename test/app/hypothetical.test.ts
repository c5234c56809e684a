import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { hypotheticalPrincipal } from '../../src/app/hypothetical.ts'
import { matchesUser, parseUserPattern } from '../../src/domain/policy/user-pattern.ts'
import { parsePrincipal } from '../../src/domain/principal.ts'

const ACCOUNT = '111122223333'

suite('hypotheticalPrincipal', () => {
  const patterns = [
    'iam:bob',
    'iam:999988887777/bob',
    'sso:carol@corp.example',
    'sso:Admin/carol@corp.example',
    'role:CI/build-7',
    'role:999988887777/CI/build-7',
    'federated:dora',
    'web:token.actions.githubusercontent.com/repo:corp/app:ref:refs/heads/main',
    'root',
  ]
  for (const text of patterns) {
    test(`makes of ${text} a principal that the pattern names`, () => {
      const principal = hypotheticalPrincipal(text, ACCOUNT)
      assert.ok(matchesUser(parseUserPattern(text), principal, [principal.account]))
      assert.equal(principal.account, text.includes('999988887777') ? '999988887777' : ACCOUNT)
    })
  }

  test('makes principals as STS would name them', () => {
    for (const text of patterns.filter((pattern) => !pattern.startsWith('web:'))) {
      const principal = hypotheticalPrincipal(text, ACCOUNT)
      const { arn, uniqueId: userId, account } = principal
      assert.deepEqual(parsePrincipal({ arn, userId, account }), principal, text)
    }
  })

  test('does with an account of AWS documentation when nobody names one', () => {
    assert.equal(hypotheticalPrincipal('iam:bob').account, '123456789012')
  })

  const refusals: [text: string, message: RegExp][] = [
    ['*', /does not name one principal/],
    ['bob', /does not name one principal/],
    ['iam:b*', /does not name one principal/],
    ['sso:*@corp.example', /does not name one principal/],
    ['imam:bob', /^--user: /],
    ['', /^--user: /],
  ]
  for (const [text, message] of refusals) {
    test(`refuses "${text}"`, () => {
      assert.throws(() => hypotheticalPrincipal(text), { code: 'USAGE', message })
    })
  }
})
