import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import {
  AssumeRoleCommand,
  AssumeRoleWithWebIdentityCommand,
  GetSessionTokenCommand,
} from '@aws-sdk/client-sts'
import { ALICE_MFA_SERIAL, CI_TOKEN, DEMO_KEYS, ROLES } from '../../src/demo/world.ts'
import { openStory, stsAs } from './story.ts'

const NAME_PATTERN = '[\\w+=,.@-]*'
const TAG_KEY_PATTERN = '[\\p{L}\\p{Z}\\p{N}_.:/=+\\-@]+'
const TAG_VALUE_PATTERN = '[\\p{L}\\p{Z}\\p{N}_.:/=+\\-@]*'

const tooShort = (min: number) => `Member must have length greater than or equal to ${min}`
const tooLong = (max: number) => `Member must have length less than or equal to ${max}`
const tooLow = (min: number) => `Member must have value greater than or equal to ${min}`
const tooHigh = (max: number) => `Member must have value less than or equal to ${max}`
const unlike = (pattern: string) => `Member must satisfy regular expression pattern: ${pattern}`

const roleOf = (length: number) => {
  const prefix = 'arn:aws:iam::444455556666:role/'
  return prefix + 'r'.repeat(length - prefix.length)
}
const tagsOf = (count: number) =>
  Array.from({ length: count }, (_, index) => ({ Key: `k${index}`, Value: '' }))
const arnsOf = (count: number) => Array(count).fill({ arn: 'arn:aws:iam::aws:policy/View' })

interface Case {
  readonly member: string
  /** How the refusal writes its place; the member in lower case, unless given. */
  readonly place?: string
  readonly passes: readonly unknown[]
  readonly fails: readonly (readonly [value: unknown, ...constraints: string[]])[]
}

const nameCases = (member: string): Case => ({
  member,
  passes: ['ab', 'a'.repeat(64), 'azAZ09_+=,.@-'],
  fails: [
    ['a', tooShort(2)],
    ['a'.repeat(65), tooLong(64)],
    ['sentinel:alice', unlike(NAME_PATTERN)],
    ['aws:alice', unlike(NAME_PATTERN)],
    ['a b', unlike(NAME_PATTERN)],
    ['ab\n', unlike(NAME_PATTERN)],
    ['zoë', unlike(NAME_PATTERN)],
    ['/', tooShort(2), unlike(NAME_PATTERN)],
    // Characters are counted: these are 64, of 128 UTF-16 units.
    ['😀'.repeat(64), unlike(NAME_PATTERN)],
  ],
})

const durationCases = (max: number): Case => ({
  member: 'DurationSeconds',
  passes: [900, max],
  fails: [
    [899, tooLow(900)],
    [max + 1, tooHigh(max)],
    [0, tooLow(900)],
    [-1, tooLow(900)],
  ],
})

const mfaCases: readonly Case[] = [
  {
    member: 'TokenCode',
    passes: [],
    fails: [
      ['12345', tooShort(6)],
      ['1234567', tooLong(6)],
      ['12345a', unlike('[\\d]*')],
    ],
  },
  {
    member: 'SerialNumber',
    passes: [],
    fails: [
      ['a'.repeat(8), tooShort(9)],
      ['a'.repeat(257), tooLong(256)],
      [`${ALICE_MFA_SERIAL} `, unlike('[\\w+=/:,.@-]*')],
    ],
  },
]

const ASSUME_ROLE_CASES: readonly Case[] = [
  nameCases('RoleSessionName'),
  nameCases('SourceIdentity'),
  durationCases(43_200),
  ...mfaCases,
  {
    member: 'ExternalId',
    passes: ['ab', 'x'.repeat(1224), 'azAZ09_+=,.@:/-'],
    fails: [
      ['a', tooShort(2)],
      ['x'.repeat(1225), tooLong(1224)],
      ['a b', unlike('[\\w+=,.@:\\/-]*')],
    ],
  },
  {
    member: 'RoleArn',
    passes: [ROLES.prod],
    fails: [
      ['arn:aws:iam::1:role', tooShort(20)],
      [roleOf(2049), tooLong(2048)],
    ],
  },
  {
    member: 'Tags',
    place: 'tags',
    passes: [tagsOf(50), [{ Key: 'é:/=+-@_. 1'.repeat(11), Value: 'ü'.repeat(256) }]],
    fails: [[tagsOf(51), tooLong(50)]],
  },
  {
    member: 'Tags',
    place: 'tags.1.member.key',
    passes: [[{ Key: 'k'.repeat(128), Value: '' }]],
    fails: [
      [[{ Key: '', Value: '' }], tooShort(1), unlike(TAG_KEY_PATTERN)],
      [[{ Key: 'k'.repeat(129), Value: '' }], tooLong(128)],
      [[{ Key: 'a*', Value: '' }], unlike(TAG_KEY_PATTERN)],
      [[{ Value: 'v' }], 'Member must not be null'],
    ],
  },
  {
    member: 'Tags',
    place: 'tags.2.member.value',
    passes: [],
    fails: [
      [[...tagsOf(1), { Key: 'k', Value: 'v'.repeat(257) }], tooLong(256)],
      [[...tagsOf(1), { Key: 'k', Value: 'a*' }], unlike(TAG_VALUE_PATTERN)],
    ],
  },
  {
    member: 'TransitiveTagKeys',
    passes: [tagsOf(50).map(({ Key }) => Key)],
    fails: [[tagsOf(51).map(({ Key }) => Key), tooLong(50)]],
  },
  { member: 'PolicyArns', passes: [arnsOf(10)], fails: [[arnsOf(11), tooLong(10)]] },
  {
    member: 'PolicyArns',
    place: 'policyArns.1.member.arn',
    passes: [],
    fails: [[[{ arn: 'a'.repeat(19) }], tooShort(20)]],
  },
  {
    member: 'Policy',
    passes: ['{}'],
    fails: [
      ['', tooShort(1), unlike('[\\u0009\\u000A\\u000D\\u0020-\\u00FF]+')],
      ['{"a":"€"}', unlike('[\\u0009\\u000A\\u000D\\u0020-\\u00FF]+')],
    ],
  },
]

function placeOf({ member, place }: Case): string {
  return place ?? member[0]!.toLowerCase() + member.slice(1)
}

/** Sends every value of every case, and compares what is said of it. */
async function check(cases: readonly Case[], send: (input: object) => Promise<unknown>) {
  for (const { passes, fails, ...where } of cases) {
    const place = placeOf(where as Case)
    for (const value of passes) {
      await assert.doesNotReject(send({ [where.member]: value }), `${place} ${String(value)}`)
    }
    for (const [value, ...constraints] of fails) {
      const error = await send({ [where.member]: value }).catch((error: unknown) => error)
      assert.ok(error instanceof Error, `${place} took ${JSON.stringify(value)}`)
      assert.equal(error.name, 'ValidationError')
      const noun = constraints.length === 1 ? 'error' : 'errors'
      assert.ok(
        error.message.startsWith(`${constraints.length} validation ${noun} detected: Value `),
      )
      for (const constraint of constraints) {
        const clause = `at '${place}' failed to satisfy constraint: ${constraint}`
        assert.ok(error.message.includes(clause), `${error.message}\nlacks: ${clause}`)
      }
    }
  }
}

suite('constraints of the stand-in STS', () => {
  test('AssumeRole takes each parameter to its bounds and not one past them', async () => {
    await using aws = await openStory()
    const sts = stsAs(aws, DEMO_KEYS.alice)
    const base = { RoleArn: ROLES.prod, RoleSessionName: 'alice' }
    await check(ASSUME_ROLE_CASES, (input) =>
      sts.send(new AssumeRoleCommand({ ...base, ...input })),
    )
  })

  test('GetSessionToken takes 900 s to 36 h', async () => {
    await using aws = await openStory()
    const sts = stsAs(aws, DEMO_KEYS.alice)
    await check([durationCases(129_600), ...mfaCases], (input) =>
      sts.send(new GetSessionTokenCommand(input)),
    )
  })

  test('AssumeRoleWithWebIdentity has bounds too, and shows no token', async () => {
    await using aws = await openStory()
    aws.setRole(ROLES.ci, { maxSessionSeconds: 43_200 })
    const sts = stsAs(aws, DEMO_KEYS.alice)
    const base = { RoleArn: ROLES.ci, RoleSessionName: 'ci', WebIdentityToken: CI_TOKEN }
    const cases: Case[] = [
      nameCases('RoleSessionName'),
      durationCases(43_200),
      {
        member: 'WebIdentityToken',
        passes: [CI_TOKEN],
        fails: [
          ['abc', tooShort(4)],
          ['t'.repeat(20_001), tooLong(20_000)],
        ],
      },
      { member: 'Policy', passes: ['{}'], fails: [['x'.repeat(2049), tooLong(2048)]] },
      { member: 'ProviderId', passes: ['abcd'], fails: [['abc', tooShort(4)]] },
    ]
    await check(cases, (input) =>
      sts.send(new AssumeRoleWithWebIdentityCommand({ ...base, ...input })),
    )
    const refusals = aws.journal.map(({ errorMessage = '' }) => errorMessage).join('\n')
    assert.match(refusals, /Value '\*\*\*' at 'webIdentityToken'/)
    assert.doesNotMatch(refusals, /'abc' at 'webIdentityToken'|ttttt/)
  })

  test('what is required and missing is named', async () => {
    await using aws = await openStory()
    const nothing = new AssumeRoleCommand({ RoleArn: undefined, RoleSessionName: undefined })
    await assert.rejects(stsAs(aws, DEMO_KEYS.alice).send(nothing), {
      name: 'ValidationError',
      message:
        "2 validation errors detected: Value null at 'roleArn' failed to satisfy constraint: " +
        "Member must not be null; Value null at 'roleSessionName' failed to satisfy constraint: " +
        'Member must not be null',
    })
  })

  test('an ARN that is well-formed and not of a role is invalid', async () => {
    await using aws = await openStory()
    for (const RoleArn of [
      'arn:aws:iam::444455556666:user/Prod',
      'a'.repeat(20),
      `${roleOf(32)} `,
    ]) {
      const command = new AssumeRoleCommand({ RoleArn, RoleSessionName: 'alice' })
      await assert.rejects(stsAs(aws, DEMO_KEYS.alice).send(command), {
        name: 'ValidationError',
        message: 'Request ARN is invalid',
      })
    }
  })
})
