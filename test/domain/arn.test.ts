import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { isAssumedRoleOf, parseCallerArn, parseRoleArn, roleName } from '../../src/domain/arn.ts'

const owner = { partition: 'aws', account: '111122223333' }

suite('parseCallerArn', () => {
  test('knows the user that moto names for keys it has never seen', () => {
    const { type, account } = parseCallerArn('arn:aws:sts::123456789012:user/moto') ?? {}
    assert.deepEqual([type, account], ['user', '123456789012'])
  })

  const known: [arn: string, expected: ReturnType<typeof parseCallerArn>][] = [
    ['arn:aws:iam::111122223333:user/alice', { ...owner, type: 'user', path: '/', name: 'alice' }],
    [
      'arn:aws:iam::111122223333:user/team:a/b/al.i=c,e@x',
      { ...owner, type: 'user', path: '/team:a/b/', name: 'al.i=c,e@x' },
    ],
    [
      'arn:aws-us-gov:iam::111122223333:user/a',
      { partition: 'aws-us-gov', account: '111122223333', type: 'user', path: '/', name: 'a' },
    ],
    [
      'arn:aws:sts::111122223333:assumed-role/Prod/i-0abc',
      { ...owner, type: 'assumed-role', role: 'Prod', session: 'i-0abc' },
    ],
    [
      'arn:aws:sts::111122223333:federated-user/bob',
      { ...owner, type: 'federated-user', name: 'bob' },
    ],
    ['arn:aws:iam::111122223333:root', { ...owner, type: 'root' }],
  ]
  for (const [arn, expected] of known) {
    test(`reads ${arn}`, () => assert.deepEqual(parseCallerArn(arn), expected))
  }

  const unknown: [why: string, arn: string][] = [
    ['nothing', ''],
    ['a user without a name', 'arn:aws:iam::111122223333:user/'],
    ['a user with an empty path', 'arn:aws:iam::111122223333:user//alice'],
    ['a name of 65 characters', `arn:aws:iam::111122223333:user/${'a'.repeat(65)}`],
    ['a session of one character', 'arn:aws:sts::111122223333:assumed-role/Prod/s'],
    ['a session of 65 characters', `arn:aws:sts::111122223333:assumed-role/P/${'s'.repeat(65)}`],
    ['a session with a slash', 'arn:aws:sts::111122223333:assumed-role/Prod/a/b'],
    ['a session with a colon', 'arn:aws:sts::111122223333:assumed-role/Prod/a:b'],
    ['a session of the wrong service', 'arn:aws:iam::111122223333:assumed-role/Prod/ab'],
    ['a user of a third service', 'arn:aws:sso::111122223333:user/alice'],
    ['an account of 11 digits', 'arn:aws:iam::11112222333:user/alice'],
    ['digits of another script', 'arn:aws:iam::١11122223333:user/alice'],
    ['a region', 'arn:aws:sts:eu-central-1:111122223333:assumed-role/Prod/ab'],
    ['another partition', 'arn:azure:iam::111122223333:user/alice'],
    ['a partition that is none', 'arn:aws-:iam::111122223333:user/alice'],
    ['a session of root', 'arn:aws:sts::111122223333:assumed-root'],
    ['a name beyond ASCII', 'arn:aws:iam::111122223333:user/аlice'],
    ['text before', ' arn:aws:iam::111122223333:root'],
    ['a line after', 'arn:aws:iam::111122223333:root\n'],
    ['a path too long', `arn:aws:iam::111122223333:user/${'p/'.repeat(1100)}alice`],
    ['a role', 'arn:aws:iam::111122223333:role/Prod'],
    ['a group', 'arn:aws:iam::111122223333:group/admins'],
  ]
  for (const [why, arn] of unknown) {
    test(`does not know ${why}`, () => assert.equal(parseCallerArn(arn), undefined))
  }
})

suite('parseRoleArn', () => {
  test('reads path and name', () => {
    assert.deepEqual(parseRoleArn('arn:aws-cn:iam::111122223333:role/team/x/Prod'), {
      partition: 'aws-cn',
      account: '111122223333',
      path: '/team/x/',
      name: 'Prod',
    })
  })

  for (const arn of [
    'arn:aws:iam::111122223333:role/',
    'arn:aws:iam::111122223333:role/team/',
    'arn:aws:iam::*:role/Prod',
    'arn:aws:iam::111122223333:role/*',
    'arn:aws:sts::111122223333:assumed-role/Prod/session',
  ]) {
    test(`does not take ${arn} for a role`, () => assert.equal(parseRoleArn(arn), undefined))
  }
})

suite('roleName', () => {
  const cases: [arn: string, expected: string | undefined][] = [
    ['arn:aws:iam::111122223333:role/team/Prod', 'Prod'],
    ['arn:aws:sts::111122223333:assumed-role/Prod/session', 'Prod'],
    ['arn:aws:iam::111122223333:user/Prod', undefined],
    ['Prod', undefined],
  ]
  for (const [arn, expected] of cases) {
    test(`of ${arn} is ${expected}`, () => assert.equal(roleName(arn), expected))
  }
})

suite('isAssumedRoleOf', () => {
  const session = 'arn:aws:sts::111122223333:assumed-role/Prod/alice-1'
  const role = 'arn:aws:iam::111122223333:role/team/Prod'
  const cases: [what: string, args: [string, string, string], expected: boolean][] = [
    ['its own session', [session, role, 'alice-1'], true],
    ['another session', [session, role, 'alice-2'], false],
    ['another role', [session, role.replace('Prod', 'prod'), 'alice-1'], false],
    ['another account', [session, role.replace('1111', '9999'), 'alice-1'], false],
    ['another partition', [session, role.replace('aws', 'aws-cn'), 'alice-1'], false],
    ['a user', ['arn:aws:iam::111122223333:user/Prod/alice-1', role, 'alice-1'], false],
    ['what is no role', [session, 'Prod', 'alice-1'], false],
    ['nothing', ['', '', ''], false],
  ]
  for (const [what, args, expected] of cases) {
    test(`is ${expected} for ${what}`, () => assert.equal(isAssumedRoleOf(...args), expected))
  }
})
