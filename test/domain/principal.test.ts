import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import {
  describePrincipal,
  isIssuedBySentinel,
  isSamePrincipal,
  type Principal,
  parsePrincipal,
  personOf,
} from '../../src/domain/principal.ts'
import { anSSOPrincipal, aPrincipal } from '../fixtures/policies.ts'
import {
  aFederatedPrincipal,
  aRolePrincipal,
  aRootPrincipal,
  aWebPrincipal,
} from '../fixtures/principals.ts'

const ACCOUNT = '111122223333'
const session = (role: string, name: string) => ({
  arn: `arn:aws:sts::${ACCOUNT}:assumed-role/${role}/${name}`,
  userId: `AROAEXAMPLE:${name}`,
  account: ACCOUNT,
})
const user = {
  arn: `arn:aws:iam::${ACCOUNT}:user/team/alice`,
  userId: 'AIDAALICE',
  account: ACCOUNT,
}

suite('parsePrincipal', () => {
  test('knows an IAM user by name and path', () => {
    assert.deepEqual(parsePrincipal(user), {
      kind: 'iam',
      partition: 'aws',
      account: ACCOUNT,
      name: 'alice',
      path: '/team/',
      uniqueId: 'AIDAALICE',
      arn: user.arn,
    })
  })

  const roles: [role: string, kind: string, permissionSet?: string][] = [
    ['AWSReservedSSO_Admin_0123456789abcdef', 'sso', 'Admin'],
    ['AWSReservedSSO_Power_User_0123456789abcdef', 'sso', 'Power_User'],
    ['AWSReservedSSO__0123456789abcdef', 'role'],
    ['AWSReservedSSO_Admin_0123456789abcde', 'role'],
    ['AWSReservedSSO_Admin_0123456789abcdef0', 'role'],
    ['AWSReservedSSO_Admin_0123456789ABCDEF', 'role'],
    ['awsreservedsso_Admin_0123456789abcdef', 'role'],
    ['My-AWSReservedSSO_Admin_0123456789abcdef', 'role'],
    ['Prod', 'role'],
  ]
  for (const [role, kind, permissionSet] of roles) {
    test(`takes a session of ${role} for ${kind}`, () => {
      const principal = parsePrincipal(session(role, 'alice@corp.example'))
      assert.partialDeepStrictEqual(principal, { kind, role, name: 'alice@corp.example' })
      if (principal.kind === 'sso') assert.equal(principal.permissionSet, permissionSet)
    })
  }

  test('does not take a user for an Identity Center session, whatever the name', () => {
    const arn = `arn:aws:iam::${ACCOUNT}:user/AWSReservedSSO_Admin_0123456789abcdef`
    assert.equal(parsePrincipal({ ...user, arn }).kind, 'iam')
  })

  test('knows federated users and root', () => {
    const bob = { arn: `arn:aws:sts::${ACCOUNT}:federated-user/bob`, userId: `${ACCOUNT}:bob` }
    const root = { arn: `arn:aws:iam::${ACCOUNT}:root`, userId: ACCOUNT }
    assert.partialDeepStrictEqual(parsePrincipal({ ...bob, account: ACCOUNT }), {
      kind: 'federated',
      name: 'bob',
    })
    assert.partialDeepStrictEqual(parsePrincipal({ ...root, account: ACCOUNT }), {
      kind: 'root',
      name: 'root',
    })
  })

  for (const provider of [
    'https://oidc.example/id/0A1B',
    'oidc.example/id/0A1B',
    `arn:aws:iam::${ACCOUNT}:oidc-provider/oidc.example/id/0A1B`,
  ]) {
    test(`names a web identity by its token, the provider being ${provider}`, () => {
      const identity = session('Pipeline', 'botocore-session-1')
      assert.partialDeepStrictEqual(parsePrincipal(identity, { provider, subject: 'repo:a/b' }), {
        kind: 'web',
        role: 'Pipeline',
        name: 'repo:a/b',
        provider: 'oidc.example/id/0A1B',
      })
    })
  }

  const refused: [why: string, ...Parameters<typeof parsePrincipal>][] = [
    ['an ARN in no known form', { ...user, arn: `arn:aws:iam::${ACCOUNT}:group/alice` }],
    ['an account other than that of the ARN', { ...user, account: '999999999999' }],
    ['no UserId', { ...user, userId: '' }],
    ['a UserId with a line break', { ...user, userId: 'AIDA\n' }],
    ['a UserId of another session', { ...session('Prod', 'alice'), userId: 'AROAEXAMPLE:bob' }],
    ['a UserId without the role', { ...session('Prod', 'alice'), userId: ':alice' }],
    ["a session's UserId for a user", { ...user, userId: 'AROAEXAMPLE:alice' }],
    [
      "a session's UserId for root",
      { ...user, arn: `arn:aws:iam::${ACCOUNT}:root`, userId: 'AROAEXAMPLE:root' },
    ],
    [
      "somebody else's UserId for a federated user",
      { ...user, arn: `arn:aws:sts::${ACCOUNT}:federated-user/bob`, userId: `${ACCOUNT}:eve` },
    ],
    ['a web identity of a user', user, { provider: 'p', subject: 's' }],
    ['a token without a subject', session('Prod', 'alice'), { provider: 'p', subject: '' }],
    ['a token without an issuer', session('Prod', 'alice'), { provider: 'https://', subject: 's' }],
  ]
  for (const [why, ...args] of refused) {
    test(`refuses ${why}`, () => {
      assert.throws(() => parsePrincipal(...args), { code: 'PRINCIPAL_UNKNOWN' })
    })
  }
})

suite('isSamePrincipal', () => {
  const alice = aPrincipal('alice')
  const web = aWebPrincipal('oidc.example', 'repo:a')
  const cases: [what: string, a: Principal, b: Principal, expected: boolean][] = [
    ['itself', alice, { ...alice }, true],
    ['a user renamed', alice, { ...alice, name: 'alicia' }, true],
    ['a user made again under the name', alice, { ...alice, uniqueId: 'AIDAOTHER' }, false],
    ['an id in another account', alice, { ...alice, account: '999999999999' }, false],
    ['an id in another partition', alice, { ...alice, partition: 'aws-cn' }, false],
    ['an id of another kind', alice, { ...aRootPrincipal(), uniqueId: alice.uniqueId }, false],
    ['another session of a role', aRolePrincipal('R', 'a-1'), aRolePrincipal('R', 'a-2'), false],
    ['a token anew', web, aWebPrincipal('oidc.example', 'repo:a', 'web-2'), true],
    ['a token of somebody else', web, aWebPrincipal('oidc.example', 'repo:b'), false],
    ['a token of another provider', web, aWebPrincipal('oidc.exampl', 'repo:a'), false],
    ['a token for a role made again', web, { ...web, uniqueId: 'AROANEW:web-1' }, false],
  ]
  for (const [what, a, b, expected] of cases) {
    test(`is ${expected} for ${what}`, () => {
      assert.deepEqual([isSamePrincipal(a, b), isSamePrincipal(b, a)], [expected, expected])
    })
  }
})

suite('personOf', () => {
  const cases: [principal: Principal, person: string][] = [
    [aPrincipal('alice'), 'iam:111122223333/alice'],
    [anSSOPrincipal('alice@corp.example'), 'sso:alice@corp.example'],
    [aRolePrincipal('Deploy', 'alice'), 'role:aws/111122223333/Deploy/alice'],
    [aFederatedPrincipal('alice'), 'federated:aws/111122223333/alice'],
    [aRootPrincipal(), 'root:aws/111122223333'],
    [aWebPrincipal('p/q', 'r/s'), 'web:aws/111122223333/Pipeline/p%2Fq/r/s'],
  ]
  for (const [principal, person] of cases) {
    test(`of ${principal.arn} is ${person}`, () => assert.equal(personOf(principal), person))
  }

  test('is one person under every permission set and in every account', () => {
    const admin = { ...anSSOPrincipal('alice', 'Admin'), account: '999999999999' }
    assert.equal(personOf(admin), personOf(anSSOPrincipal('alice', 'Developer')))
  })

  test('keeps apart what a slash could confuse', () => {
    assert.notEqual(personOf(aWebPrincipal('p', 'q/r')), personOf(aWebPrincipal('p/q', 'r')))
    assert.notEqual(personOf(aWebPrincipal('p%2Fq', 'r')), personOf(aWebPrincipal('p/q', 'r')))
  })
})

suite('describePrincipal', () => {
  const cases: [principal: Principal, patterns: string[]][] = [
    [aPrincipal('alice'), ['iam:111122223333/alice', 'iam:alice', 'alice', '*']],
    [aPrincipal('root'), ['iam:111122223333/root', 'iam:root', '*']],
    [anSSOPrincipal('a@b', 'Dev'), ['sso:Dev/a@b', 'sso:a@b', 'a@b', '*']],
    [aRolePrincipal('R', 'se'), ['role:111122223333/R/se', 'role:R/se', '*']],
    [aRolePrincipal('999999999999', 'se'), ['role:111122223333/999999999999/se', '*']],
    [aWebPrincipal('p/q', 'r/s'), ['web:p%2Fq/r/s', '*']],
    [aFederatedPrincipal('bob'), ['federated:bob', '*']],
    [aRootPrincipal(), ['root', '*']],
  ]
  for (const [principal, patterns] of cases) {
    test(`gives ${patterns[0]} and what is less exact`, () => {
      assert.deepEqual(describePrincipal(principal), patterns)
    })
  }
})

suite('isIssuedBySentinel', () => {
  const id = 'mzxw6ytboi3damrqgaya'
  const cases: [name: string, expected: boolean][] = [
    [`alice-${id}`, true],
    [`alice@corp.example-${id}`, true],
    [`a-b-${id}`, true],
    [`${'a'.repeat(21)}-${id}`, true],
    [`${'a'.repeat(22)}-${id}`, false],
    [`alice.smit,5nxeycxd3t-${id}`, true],
    [`,5nxeycxd3t-${id}`, true],
    [`alice.smith,5nxeycxd3t-${id}`, false],
    [`alice,5nxeycxd3-${id}`, false],
    [`ali=ce-${id}`, false],
    [`alice-${id.slice(1)}`, false],
    [`alice-${id}a`, false],
    [`alice-${id.toUpperCase()}`, false],
    [`alice-${id.replace('z', '1')}`, false],
    [`-${id}`, false],
    [id, false],
    ['alice', false],
  ]
  for (const [name, expected] of cases) {
    test(`is ${expected} for a role session called ${name}`, () => {
      assert.equal(isIssuedBySentinel(aRolePrincipal('Prod', name)), expected)
    })
  }

  test('is false for a person who is called so', () => {
    assert.equal(isIssuedBySentinel(aPrincipal(`alice-${id}`)), false)
    assert.equal(isIssuedBySentinel(anSSOPrincipal(`alice-${id}`)), false)
  })
})
