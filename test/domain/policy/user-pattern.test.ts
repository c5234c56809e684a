import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { matchesUser, parseUserPattern } from '../../../src/domain/policy/user-pattern.ts'
import { describePrincipal, type Principal } from '../../../src/domain/principal.ts'
import { SentinelError } from '../../../src/errors.ts'
import { anSSOPrincipal, aPrincipal } from '../../fixtures/policies.ts'
import {
  aFederatedPrincipal,
  aRolePrincipal,
  aRootPrincipal,
  aWebPrincipal,
} from '../../fixtures/principals.ts'

const ACCOUNT = '111122223333'

suite('parseUserPattern', () => {
  const accepted: [text: string, pattern: ReturnType<typeof parseUserPattern>][] = [
    ['*', { kind: 'any' }],
    ['**', { kind: 'person', name: '**' }],
    ['alice', { kind: 'person', name: 'alice' }],
    ['*@corp.example', { kind: 'person', name: '*@corp.example' }],
    ['iam:alice', { kind: 'iam', name: 'alice' }],
    ['iam:111122223333/al*', { kind: 'iam', account: ACCOUNT, name: 'al*' }],
    ['iam:1111*/alice', { kind: 'iam', account: '1111*', name: 'alice' }],
    ['sso:x@corp.example', { kind: 'sso', name: 'x@corp.example' }],
    ['sso:Power_User/*', { kind: 'sso', permissionSet: 'Power_User', name: '*' }],
    ['role:Deploy/*', { kind: 'role', role: 'Deploy', session: '*' }],
    ['role:*/111122223333/s', { kind: 'role', account: '*', role: ACCOUNT, session: 's' }],
    ['federated:bob', { kind: 'federated', name: 'bob' }],
    ['root', { kind: 'root' }],
    ['iam:root', { kind: 'iam', name: 'root' }],
    [
      'web:token.example/repo:org/app:ref:refs/heads/main',
      { kind: 'web', provider: 'token.example', subject: 'repo:org/app:ref:refs/heads/main' },
    ],
    [
      'web:oidc.example%2Fid%2F0A1B%25/system:serviceaccount:ns:*',
      { kind: 'web', provider: 'oidc.example/id/0A1B%', subject: 'system:serviceaccount:ns:*' },
    ],
    ['web:p/spiffe://x', { kind: 'web', provider: 'p', subject: 'spiffe://x' }],
  ]
  for (const [text, pattern] of accepted) {
    test(`reads ${text}`, () => assert.deepEqual(parseUserPattern(text), pattern))
  }

  const refused: [why: string, text: string, message: RegExp, hint: RegExp][] = [
    ['nothing', '', /a part is empty/, /name/],
    ['an unknown kind', 'user:bob', /no kind "user"/, /^write iam:NAME .*, sso:NAME/],
    ['a kind in capitals', 'IAM:bob', /no kind "IAM"/, /iam:NAME/],
    ['a kind of no language', 'x:bob', /no kind "x"/, /iam:.*sso:.*role:.*federated:.*web:.*root/],
    ['an ARN', 'arn:aws:iam::111122223333:user/bob', /no kind "arn"/, /iam:ACCOUNT\/NAME/],
    ['an empty kind', ':bob', /no kind ""/, /iam:NAME/],
    ['an empty name', 'iam:', /a part is empty/, /iam:NAME/],
    ['an empty name after an account', 'iam:111122223333/', /a part is empty/, /iam:/],
    ['an empty account', 'iam:/alice', /"" is not an account/, /iam:/],
    ['a path of a user', 'iam:team/alice', /"team" is not an account/, /without the user's path/],
    ['an account of 11 digits', 'iam:11112222333/alice', /is not an account/, /ACCOUNT/],
    ['an account and a path', 'iam:111122223333/team/alice', /not an account/, /path/],
    ['an account without a kind', '111122223333/alice', /characters that no name/, /the kind too/],
    ['a third part of an sso user', 'sso:a/b/c', /too many parts/, /sso:SET\/NAME/],
    ['an empty permission set', 'sso:/alice', /a part is empty/, /sso:SET/],
    ['a role without a session', 'role:Deploy', /session is missing/, /SESSION/],
    ['an account and a role', 'role:111122223333/Deploy/', /a part is empty/, /role:/],
    ['an account taken for a role', 'role:111122223333/Deploy', /session is missing/, /role:/],
    ['a role with a path', 'role:team/x/Deploy/s', /too many parts/, /role:/],
    ['a role under a path', 'role:team/Deploy/s', /"team" is not an account/, /role:/],
    ['a web identity without a subject', 'web:token.example', /subject is missing/, /web:/],
    ['a web identity without a provider', 'web:/x', /the provider or/, /web:/],
    ['a provider with a scheme', 'web:https://token.example/x', /scheme/, /https/],
    ['a name of root', 'root:x', /root has no name/, /root alone/],
    ['a question mark', 'alic?', /characters that no name has/, /wildcard \*/],
    ['a character class', 'iam:[ab]', /characters that no name has/, /wildcard \*/],
    ['a space', 'alice smith', /characters that no name has/, /letters/],
    ['a line break at the end', 'alice\n', /characters that no name has/, /letters/],
    ['letters beyond ASCII', 'sso:аlice', /characters that no name has/, /letters/],
  ]
  for (const [why, text, message, hint] of refused) {
    test(`refuses ${why}`, () => {
      assert.throws(
        () => parseUserPattern(text),
        (error) => {
          assert.ok(error instanceof SentinelError)
          assert.equal(error.code, 'POLICY_INVALID')
          assert.match(error.message, message)
          assert.match(error.hint ?? '', hint)
          return true
        },
      )
    })
  }
})

suite('matchesUser', () => {
  const matches = (text: string, principal: Principal, accounts?: readonly string[]) =>
    matchesUser(parseUserPattern(text), principal, accounts)

  const iam = aPrincipal('alice')
  const sso = anSSOPrincipal('alice', 'Power_User')
  const role = aRolePrincipal('Deploy', 'alice')
  const federated = aFederatedPrincipal('alice')
  const web = aWebPrincipal('oidc.example/id/0A1B', 'alice')
  const root = aRootPrincipal()
  const everyone = { iam, sso, role, federated, web, root }

  const cases: [text: string, whom: readonly (keyof typeof everyone)[]][] = [
    ['*', ['iam', 'sso', 'role', 'federated', 'web', 'root']],
    ['**', ['iam', 'sso']],
    ['alice', ['iam', 'sso']],
    ['Alice', []],
    ['iam:alice', ['iam']],
    ['iam:111122223333/alice', ['iam']],
    ['iam:111122223334/alice', []],
    ['iam:*/alice', ['iam']],
    ['sso:alice', ['sso']],
    ['sso:Power_User/alice', ['sso']],
    ['sso:Power/alice', []],
    ['role:Deploy/alice', ['role']],
    ['role:*/*', ['role']],
    ['role:111122223333/Deploy/*', ['role']],
    ['role:AWSReservedSSO_*/*', []],
    ['federated:*', ['federated']],
    ['web:oidc.example%2Fid%2F0A1B/alice', ['web']],
    ['web:oidc.example/id/0A1B/alice', []],
    ['web:oidc.example*/alice', ['web']],
    ['web:*/*', ['web']],
    ['root', ['root']],
    ['iam:root', []],
  ]
  for (const [text, whom] of cases) {
    test(`${text} stands for ${whom.join(', ') || 'none of them'}`, () => {
      const matched = Object.entries(everyone)
        .filter(([, principal]) => matches(text, principal))
        .map(([kind]) => kind)
      assert.deepEqual(matched, whom)
    })
  }

  test('holds names without a kind to the principal accounts, and no others', () => {
    const elsewhere = ['999999999999']
    for (const person of [iam, sso]) {
      assert.equal(matches('alice', person, [ACCOUNT]), true)
      assert.equal(matches('alice', person, elsewhere), false)
      assert.equal(matches('*e', person, elsewhere), false)
      assert.equal(matches('*', person, elsewhere), true)
      assert.equal(matches(`${person.kind}:alice`, person, elsewhere), true)
    }
  })

  test('matches each principal by every pattern that describes it', () => {
    const odd = [
      aPrincipal('root'),
      anSSOPrincipal('root'),
      aRolePrincipal('111122223333', 'ci'),
      aWebPrincipal('oidc.example/%2F/x', 'repo:a/b:ref'),
    ]
    for (const principal of [...Object.values(everyone), ...odd]) {
      for (const text of describePrincipal(principal)) {
        assert.ok(matches(text, principal), `${text} for ${principal.arn}`)
      }
    }
  })
})
