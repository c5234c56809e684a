import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import {
  AssumeRoleCommand,
  type AssumeRoleCommandInput,
  AssumeRoleWithWebIdentityCommand,
  GetCallerIdentityCommand,
  GetSessionTokenCommand,
} from '@aws-sdk/client-sts'
import type { StandInAWS } from '../../src/demo/stand-in-aws.ts'
import { totpCode } from '../../src/demo/totp.ts'
import {
  ALICE_MFA_SEED,
  ALICE_MFA_SERIAL,
  CI_TOKEN,
  DEMO_KEYS,
  EXTERNAL_ID,
  ROLES,
  STORY,
} from '../../src/demo/world.ts'
import { keyOf, openStory, stsAs } from './story.ts'

const NAME = 'alice-session'

async function identify(aws: StandInAWS, key: Parameters<typeof stsAs>[1]) {
  const { $metadata, ...identity } = await stsAs(aws, key).send(new GetCallerIdentityCommand())
  assert.match($metadata.requestId ?? '', /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/)
  return identity
}

function assume(
  aws: StandInAWS,
  key: Parameters<typeof stsAs>[1],
  input: Partial<AssumeRoleCommandInput>,
) {
  const command = new AssumeRoleCommand({
    RoleArn: ROLES.prod,
    RoleSessionName: NAME,
    ...input,
  })
  return stsAs(aws, key).send(command)
}

const notAuthorized = (caller: string, action: string, role: string) => ({
  name: 'AccessDenied',
  message: `User: ${caller} is not authorized to perform: sts:${action} on resource: ${role}`,
})
const ALICE = 'arn:aws:iam::111122223333:user/alice'

suite('GetCallerIdentity of the stand-in AWS', () => {
  test('names users, with their path, by their own ARN and unique id', async () => {
    await using aws = await openStory()
    const { UserId, ...identity } = await identify(aws, DEMO_KEYS.bob)
    assert.deepEqual(identity, {
      Account: '111122223333',
      Arn: 'arn:aws:iam::111122223333:user/staff/bob',
    })
    assert.match(UserId ?? '', /^AIDA[A-Z2-7]{17}$/)
  })

  test('names the root user by its account', async () => {
    await using aws = await openStory()
    assert.deepEqual(await identify(aws, DEMO_KEYS.root), {
      Account: '111122223333',
      Arn: 'arn:aws:iam::111122223333:root',
      UserId: '111122223333',
    })
  })

  test('names an Identity Center session without the path of its role', async () => {
    await using aws = await openStory()
    const { Arn, UserId } = await identify(aws, DEMO_KEYS.carol)
    const role = 'AWSReservedSSO_Developer_0123456789abcdef'
    assert.equal(Arn, `arn:aws:sts::111122223333:assumed-role/${role}/carol@corp.example`)
    assert.match(UserId ?? '', /^AROA[A-Z2-7]{17}:carol@corp\.example$/)
  })

  test('knows the credentials that it issued, and those of somebody who signed in', async () => {
    await using aws = await openStory()
    const { Credentials, AssumedRoleUser } = await assume(aws, DEMO_KEYS.alice, {})
    const { Arn, UserId } = await identify(aws, keyOf(Credentials))
    assert.deepEqual({ Arn, AssumedRoleId: UserId }, AssumedRoleUser)
    const dave = aws.signIn(ROLES.sso, 'dave@corp.example', 900)
    assert.match((await identify(aws, dave)).Arn ?? '', /\/dave@corp\.example$/)
  })
})

suite('AssumeRole of the stand-in AWS', () => {
  test('issues credentials for an hour, unless asked otherwise', async () => {
    const at = Date.now()
    await using aws = await openStory(STORY, () => at)
    const hour = await assume(aws, DEMO_KEYS.alice, {})
    const half = await assume(aws, DEMO_KEYS.alice, { DurationSeconds: 1800 })
    const inSeconds = Math.floor(at / 1000) * 1000
    assert.equal(hour.Credentials?.Expiration?.getTime(), inSeconds + 3_600_000)
    assert.equal(half.Credentials?.Expiration?.getTime(), inSeconds + 1_800_000)
    assert.match(hour.Credentials?.AccessKeyId ?? '', /^ASIADEMO[0-9A-F]{12}$/)
    assert.equal(hour.PackedPolicySize, undefined)
    assert.equal(hour.SourceIdentity, undefined)
  })

  test('answers and keeps the source identity, and journals it without a secret', async () => {
    await using aws = await openStory()
    const { Credentials, SourceIdentity } = await assume(aws, DEMO_KEYS.alice, {
      SourceIdentity: 'sentinel=alice=policy=abcdefghij0123456789',
    })
    assert.equal(SourceIdentity, 'sentinel=alice=policy=abcdefghij0123456789')
    const key = keyOf(Credentials)
    await identify(aws, key)
    const [issued, later] = aws.journal
    assert.partialDeepStrictEqual(issued, {
      service: 'sts',
      operation: 'AssumeRole',
      outcome: 'answered',
      sourceIdentity: SourceIdentity,
      caller: { accessKeyId: DEMO_KEYS.alice.accessKeyId, identity: { arn: ALICE } },
      issued: { accessKeyId: key.accessKeyId },
      parameters: { RoleArn: ROLES.prod, RoleSessionName: NAME },
    })
    assert.equal(later?.sourceIdentity, SourceIdentity)
    const journal = JSON.stringify(aws.journal)
    for (const secret of [key.secretAccessKey, key.sessionToken, DEMO_KEYS.alice.secretAccessKey]) {
      assert.ok(!journal.includes(secret))
    }
  })

  test('refuses a source identity where the trust policy has no word of it', async () => {
    await using aws = await openStory()
    await assume(aws, DEMO_KEYS.alice, { RoleArn: ROLES.legacy })
    await assert.rejects(
      assume(aws, DEMO_KEYS.alice, { RoleArn: ROLES.legacy, SourceIdentity: 'alice' }),
      notAuthorized(ALICE, 'SetSourceIdentity', ROLES.legacy),
    )
  })

  test('passes a source identity on along a chain, and lets nobody change it', async () => {
    await using aws = await openStory()
    const first = await assume(aws, DEMO_KEYS.alice, { SourceIdentity: 'alice' })
    const chain = (SourceIdentity?: string) =>
      assume(aws, keyOf(first.Credentials), {
        RoleArn: ROLES.chained,
        ...(SourceIdentity && { SourceIdentity }),
      })
    assert.equal((await chain()).SourceIdentity, 'alice')
    assert.equal((await chain('alice')).SourceIdentity, 'alice')
    await assert.rejects(chain('mallory'), {
      name: 'ValidationError',
      message: 'The source identity is already set for this assume role session',
    })
    aws.setRole(ROLES.chained, {
      trust: { principals: [ROLES.prod], maySetSourceIdentity: false },
    })
    await assert.rejects(
      chain(),
      notAuthorized(first.AssumedRoleUser!.Arn!, 'SetSourceIdentity', ROLES.chained),
    )
  })

  test('refuses who is not trusted like a role that does not exist', async () => {
    await using aws = await openStory()
    for (const RoleArn of [ROLES.chained, 'arn:aws:iam::777788889999:role/Nobody']) {
      await assert.rejects(
        assume(aws, DEMO_KEYS.alice, { RoleArn }),
        notAuthorized(ALICE, 'AssumeRole', RoleArn),
      )
    }
  })

  test('trusts accounts, users, roles and sessions by their ARNs, and no other', async () => {
    await using aws = await openStory()
    const carol = (await identify(aws, DEMO_KEYS.carol)).Arn!
    const trusts: [principal: string, alice: boolean, carol: boolean][] = [
      ['111122223333', true, true],
      ['arn:aws:iam::111122223333:root', true, true],
      [ALICE, true, false],
      [ROLES.sso, false, true],
      [carol, false, true],
      ['arn:aws:iam::111122223333:user/alic', false, false],
      ['444455556666', false, false],
    ]
    for (const [principal, ...expected] of trusts) {
      aws.setRole(ROLES.dev, { trust: { principals: [principal], maySetSourceIdentity: true } })
      const attempts = [DEMO_KEYS.alice, DEMO_KEYS.carol].map((key) =>
        assume(aws, key, { RoleArn: ROLES.dev }),
      )
      const settled = await Promise.allSettled(attempts)
      assert.deepEqual(
        settled.map(({ status }) => status === 'fulfilled'),
        expected,
        principal,
      )
    }
  })

  test('wants the external id that the trust policy names, to the letter', async () => {
    await using aws = await openStory()
    const partner = (ExternalId?: string) =>
      assume(aws, DEMO_KEYS.alice, {
        RoleArn: ROLES.partner,
        ...(ExternalId && { ExternalId }),
      })
    await partner(EXTERNAL_ID)
    const refused = notAuthorized(ALICE, 'AssumeRole', ROLES.partner)
    await assert.rejects(partner(), refused)
    await assert.rejects(partner(EXTERNAL_ID.toUpperCase()), refused)
  })

  test('wants sts:TagSession in the trust policy for tags, and distinct keys', async () => {
    await using aws = await openStory()
    const Tags = [{ Key: 'team', Value: 'ops' }]
    await assume(aws, DEMO_KEYS.alice, { Tags, TransitiveTagKeys: ['team'] })
    await assert.rejects(
      assume(aws, DEMO_KEYS.alice, { RoleArn: ROLES.legacy, Tags }),
      notAuthorized(ALICE, 'TagSession', ROLES.legacy),
    )
    await assert.rejects(
      assume(aws, DEMO_KEYS.alice, { Tags: [...Tags, { Key: 'TEAM', Value: '' }] }),
      { name: 'InvalidParameterValue' },
    )
  })

  test('holds the duration to the maximum of the role', async () => {
    await using aws = await openStory()
    const oneHour = (DurationSeconds: number) =>
      assume(aws, DEMO_KEYS.alice, { RoleArn: ROLES.oneHour, DurationSeconds })
    await oneHour(3600)
    await assert.rejects(oneHour(3601), {
      name: 'ValidationError',
      message: 'The requested DurationSeconds exceeds the MaxSessionDuration set for this role.',
    })
    aws.setRole(ROLES.oneHour, { maxSessionSeconds: 7200 })
    await oneHour(7200)
  })

  test('holds every session that assumes a role to one hour', async () => {
    await using aws = await openStory()
    const chained = {
      name: 'ValidationError',
      message:
        'The requested DurationSeconds exceeds the 1 hour session limit ' +
        'for roles assumed by role chaining.',
    }
    const user = keyOf(
      (await stsAs(aws, DEMO_KEYS.alice).send(new GetSessionTokenCommand())).Credentials,
    )
    for (const key of [DEMO_KEYS.carol, user]) {
      await assume(aws, key, { DurationSeconds: 3600 })
      await assert.rejects(assume(aws, key, { DurationSeconds: 3601 }), chained)
      // The role's own maximum is looked at before.
      await assert.rejects(assume(aws, key, { RoleArn: ROLES.oneHour, DurationSeconds: 3601 }), {
        message: /MaxSessionDuration/,
      })
    }
    await assume(aws, DEMO_KEYS.alice, { DurationSeconds: 43_200 })
  })

  test('is nothing for root', async () => {
    await using aws = await openStory()
    await assert.rejects(assume(aws, DEMO_KEYS.root, {}), {
      name: 'AccessDenied',
      message: 'Roles may not be assumed by root accounts.',
    })
  })

  test('measures session policies, and refuses what is no policy or too much', async () => {
    await using aws = await openStory()
    const withPolicy = (Policy: string) => assume(aws, DEMO_KEYS.alice, { Policy })
    assert.equal((await withPolicy(`{"a":"${'x'.repeat(1016)}"}`)).PackedPolicySize, 50)
    await withPolicy(`{"a":"${'x'.repeat(2040)}"}`)
    await assert.rejects(withPolicy(`{"a":"${'x'.repeat(2041)}"}`), {
      name: 'PackedPolicyTooLargeException',
      message: 'Packed policy consumes 101% of allotted space, please use smaller policy.',
    })
    await assert.rejects(withPolicy('{"a"'), { name: 'MalformedPolicyDocumentException' })
  })
})

suite('MFA of the stand-in AWS', () => {
  const code = (at: number) => totpCode(ALICE_MFA_SEED, at)
  const badCode = {
    name: 'AccessDenied',
    message: 'MultiFactorAuthentication failed with invalid MFA one time pass code. ',
  }

  test('opens a role that asks for it, with a code that is good once', async () => {
    await using aws = await openStory()
    const attempt = (TokenCode?: string) =>
      assume(aws, DEMO_KEYS.alice, {
        RoleArn: ROLES.mfa,
        ...(TokenCode && { SerialNumber: ALICE_MFA_SERIAL, TokenCode }),
      })
    await assert.rejects(attempt(), notAuthorized(ALICE, 'AssumeRole', ROLES.mfa))
    const good = code(Date.now())
    await attempt(good)
    await assert.rejects(attempt(good), badCode)
    await assert.rejects(attempt(good === '000000' ? '000001' : '000000'), badCode)
    assert.ok(!JSON.stringify(aws.journal).includes(`"${good}"`))
  })

  test('takes the codes of the steps beside, in their order, and none beyond', async () => {
    const at = Date.now()
    await using aws = await openStory(STORY, () => at)
    const attempt = (step: number) =>
      assume(aws, DEMO_KEYS.alice, {
        SerialNumber: ALICE_MFA_SERIAL,
        TokenCode: code(at + step * 30_000),
      })
    await assert.rejects(attempt(-2), badCode)
    await assert.rejects(attempt(2), badCode)
    await attempt(-1)
    await attempt(1)
    await assert.rejects(attempt(0), badCode)
  })

  test('wants serial and code together, and the device of who signs', async () => {
    await using aws = await openStory()
    const TokenCode = code(Date.now())
    await assert.rejects(assume(aws, DEMO_KEYS.alice, { TokenCode }), {
      name: 'AccessDenied',
      message:
        'MultiFactorAuthentication failed, must provide both MFA serial number ' +
        'and one time pass code.',
    })
    for (const key of [DEMO_KEYS.bob, DEMO_KEYS.carol]) {
      await assert.rejects(assume(aws, key, { SerialNumber: ALICE_MFA_SERIAL, TokenCode }), {
        name: 'AccessDenied',
        message: /unable to validate MFA code/,
      })
    }
  })

  test('is carried by a session of GetSessionToken, and by no role session', async () => {
    await using aws = await openStory()
    const session = (input: object) =>
      stsAs(aws, DEMO_KEYS.alice).send(new GetSessionTokenCommand(input))
    const plain = keyOf((await session({})).Credentials)
    const strong = keyOf(
      (await session({ SerialNumber: ALICE_MFA_SERIAL, TokenCode: code(Date.now()) })).Credentials,
    )
    await assert.rejects(assume(aws, plain, { RoleArn: ROLES.mfa }), { name: 'AccessDenied' })
    const role = keyOf((await assume(aws, strong, { RoleArn: ROLES.mfa })).Credentials)
    aws.setRole(ROLES.mfa, {
      trust: { principals: ['444455556666'], maySetSourceIdentity: true, requiresMFA: true },
    })
    await assert.rejects(assume(aws, role, { RoleArn: ROLES.mfa }), { name: 'AccessDenied' })
  })
})

suite('GetSessionToken of the stand-in AWS', () => {
  test('gives a user a session that is still the user', async () => {
    await using aws = await openStory()
    const { Credentials } = await stsAs(aws, DEMO_KEYS.alice).send(new GetSessionTokenCommand())
    const hours = (Credentials!.Expiration!.getTime() - Date.now()) / 3_600_000
    assert.ok(hours > 11.9 && hours <= 12)
    assert.equal((await identify(aws, keyOf(Credentials))).Arn, ALICE)
  })

  test('gives no session a session', async () => {
    await using aws = await openStory()
    await assert.rejects(stsAs(aws, DEMO_KEYS.carol).send(new GetSessionTokenCommand()), {
      name: 'AccessDenied',
      message: 'Cannot call GetSessionToken with session credentials',
    })
  })

  test('gives root an hour', async () => {
    await using aws = await openStory()
    const { Credentials } = await stsAs(aws, DEMO_KEYS.root).send(
      new GetSessionTokenCommand({ DurationSeconds: 7200 }),
    )
    assert.ok(Credentials!.Expiration!.getTime() <= Date.now() + 3_600_000)
  })
})

suite('AssumeRoleWithWebIdentity of the stand-in AWS', () => {
  const come = (aws: StandInAWS, input: object = {}) =>
    stsAs(aws, DEMO_KEYS.alice).send(
      new AssumeRoleWithWebIdentityCommand({
        RoleArn: ROLES.ci,
        RoleSessionName: 'ci-job',
        WebIdentityToken: CI_TOKEN,
        ...input,
      }),
    )

  test('takes a token for an unsigned request', async () => {
    await using aws = await openStory()
    const answer = await come(aws)
    assert.partialDeepStrictEqual(answer, {
      Provider: 'arn:aws:iam::777788889999:oidc-provider/token.ci.example',
      Audience: 'sts.amazonaws.com',
      SubjectFromWebIdentityToken: 'repo:corp/app:job:deploy',
    })
    assert.equal(aws.journal[0]?.caller, undefined)
    assert.ok(!JSON.stringify(aws.journal).includes(CI_TOKEN))
    assert.equal(
      (await identify(aws, keyOf(answer.Credentials))).Arn,
      'arn:aws:sts::777788889999:assumed-role/CI/ci-job',
    )
  })

  test('refuses other tokens, other roles and other subjects', async () => {
    await using aws = await openStory()
    await assert.rejects(come(aws, { WebIdentityToken: 'not-one' }), {
      name: 'InvalidIdentityTokenException',
    })
    await assert.rejects(come(aws, { RoleArn: ROLES.prod }), {
      message: 'No OpenIDConnect provider found in your account for https://token.ci.example',
    })
    await assert.rejects(come(aws, { RoleArn: ROLES.dev }), {
      name: 'AccessDenied',
      message: 'Not authorized to perform sts:AssumeRoleWithWebIdentity',
    })
    const webIdentity = { issuer: 'https://token.ci.example', subjects: ['repo:corp/other'] }
    const trust = { principals: [], maySetSourceIdentity: false, webIdentity }
    aws.setRole(ROLES.ci, { trust })
    await assert.rejects(come(aws), { name: 'AccessDenied' })
  })

  test('refuses a token for another audience', async () => {
    const accounts = STORY.accounts.map((account) => ({
      ...account,
      oidcProviders: (account.oidcProviders ?? []).map((provider) => ({
        ...provider,
        audiences: ['vault.example'],
      })),
    }))
    await using aws = await openStory({ ...STORY, accounts })
    await assert.rejects(come(aws), {
      name: 'InvalidIdentityTokenException',
      message: 'Incorrect token audience',
    })
  })

  test('holds the duration to the maximum of the role, and is no chain', async () => {
    await using aws = await openStory()
    await assert.rejects(come(aws, { DurationSeconds: 7201 }), { name: 'ValidationError' })
    await come(aws, { DurationSeconds: 7200 })
  })
})
