import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { SSMPolicySource } from '../../src/aws/ssm-policy.ts'
import { STSTokenService } from '../../src/aws/sts.ts'
import { totpCode } from '../../src/demo/totp.ts'
import {
  ALICE_MFA_SEED,
  ALICE_MFA_SERIAL,
  CI_TOKEN,
  DEMO_KEYS,
  EXTERNAL_ID,
  ROLES,
} from '../../src/demo/world.ts'
import type { SentinelError } from '../../src/errors.ts'
import { openStory } from '../demo/story.ts'
import { openHome } from '../fixtures/aws/home.ts'
import { openRoom, QUIETLY } from '../fixtures/aws/room.ts'

const { alice, carol } = DEMO_KEYS
const { signal } = QUIETLY

const CONFIG = `[profile alice]
aws_access_key_id = ${alice.accessKeyId}
aws_secret_access_key = ${alice.secretAccessKey}
[profile carol]
aws_access_key_id = ${carol.accessKeyId}
aws_secret_access_key = ${carol.secretAccessKey}
aws_session_token = ${carol.sessionToken}
[profile prod]
role_arn = ${ROLES.prod}
source_profile = alice
[profile one-hour]
role_arn = ${ROLES.oneHour}
source_profile = alice
[profile legacy]
role_arn = ${ROLES.legacy}
source_profile = alice
[profile partner]
role_arn = ${ROLES.partner}
source_profile = alice
external_id = ${EXTERNAL_ID}
[profile chained]
role_arn = ${ROLES.chained}
source_profile = prod
[profile mfa]
role_arn = ${ROLES.mfa}
source_profile = alice
mfa_serial = ${ALICE_MFA_SERIAL}
`

/** The room over an AWS that checks signatures, patterns, trust policies and codes. */
async function openWorld(options: Parameters<typeof openRoom>[0] = {}) {
  await using stack = new AsyncDisposableStack()
  const aws = stack.use(await openStory())
  const home = stack.use(openHome({ config: CONFIG }, { AWS_ENDPOINT_URL: aws.url }))
  const room = stack.use(openRoom({ region: 'eu-central-1', ...options }))
  const service = new STSTokenService(room.sts, { region: 'eu-central-1', profile: 'prod' })

  /** Does for a profile what an issuer does. */
  async function issue(profile: string, duration = 900) {
    const { base, role } = await room.profiles.resolve(profile, { mayPrompt: true, signal })
    const request = {
      roleArn: role?.arn ?? '',
      roleSessionName: 'alice-aaaaaaaaaaaaaaaaaaaa',
      sourceIdentity: 'sentinel=alice=p=aaaaaaaaaaaaaaaaaaaa',
      duration,
      ...(role?.externalId !== undefined && { externalId: role.externalId }),
      ...(role?.mfa !== undefined && { mfa: role.mfa }),
    }
    return await service.assumeRole(base, request, signal)
  }

  const opened = stack.move()
  return { aws, home, room, service, issue, [Symbol.asyncDispose]: () => opened.disposeAsync() }
}

const promptMFACode = async () => totpCode(ALICE_MFA_SEED, Date.now())

suite('the AWS room against an AWS that checks', () => {
  for (const profile of ['prod', 'partner', 'chained']) {
    test(`issues for ${profile}, stamped, for the account of its role`, async () => {
      await using world = await openWorld()
      const { credentials, assumedRoleArn } = await world.issue(profile)
      const { arn } = await world.service.identify(credentials, signal)
      assert.equal(arn, assumedRoleArn)
      assert.equal(credentials.accountId, assumedRoleArn.split(':')[4])
    })
  }

  test('tells that the trust policy does not let it stamp', async () => {
    await using world = await openWorld()
    await assert.rejects(world.issue('legacy'), {
      code: 'STS_REFUSED',
      hint: /sts:SetSourceIdentity.*trust policy/,
    })
  })

  const durations: [what: string, profile: string, duration: number][] = [
    ['the role allows', 'one-hour', 3601],
    ['a chain allows', 'chained', 3601],
  ]
  for (const [what, profile, duration] of durations) {
    test(`tells that a duration is longer than ${what}`, async () => {
      await using world = await openWorld()
      await assert.rejects(world.issue(profile, duration), (error: SentinelError) => {
        assert.equal(error.code, 'STS_REFUSED')
        assert.partialDeepStrictEqual(error.cause, { durationTooLong: true })
        return true
      })
    })
  }

  for (const mfaSession of ['session', 'pass-through'] as const) {
    test(`issues for a role that wants MFA, by ${mfaSession}`, async () => {
      await using world = await openWorld({ mfaSession, promptMFACode })
      const { assumedRoleArn } = await world.issue('mfa')
      assert.match(assumedRoleArn, /assumed-role\/MFA\/alice-/)
    })
  }

  test('spends one code on a session, however often it issues', async () => {
    await using world = await openWorld({ promptMFACode })
    await world.issue('mfa')
    await world.issue('mfa')
    const operations = world.aws.journal.map(({ operation }) => operation)
    assert.deepEqual(operations, ['GetSessionToken', 'AssumeRole', 'AssumeRole'])
  })

  test('takes the session of an IAM user with its account', async () => {
    await using world = await openWorld()
    const { base } = await world.room.profiles.resolve('alice', QUIETLY)
    const session = await world.service.getSessionToken(base, 900, signal)
    assert.equal(session.accountId, '111122223333')
  })

  test('exchanges a web identity and knows whose it is', async () => {
    await using world = await openWorld()
    const token = world.home.write('token', `${CI_TOKEN}\n`)
    const config = `[profile ci]\nrole_arn = ${ROLES.ci}\nweb_identity_token_file = ${token}\n`
    world.home.write('.aws/config', config)
    const { base, webIdentity } = await world.room.profiles.resolve('ci', QUIETLY)
    assert.equal(webIdentity?.subject, 'repo:corp/app:job:deploy')
    assert.match((await world.service.identify(base, signal)).arn, /assumed-role\/CI\//)
  })

  test('tells that base credentials have ended', async () => {
    await using world = await openWorld()
    const { base } = await world.room.profiles.resolve('carol', QUIETLY)
    world.aws.expire(carol.accessKeyId)
    const asking = world.service.identify(base, signal)
    await assert.rejects(asking, { code: 'BASE_CREDENTIALS_EXPIRED' })
  })

  test('tells that the clock is off when AWS refuses the signature for it', async () => {
    await using world = await openWorld()
    world.aws.clockOffset = 3_600_000
    const { base } = await world.room.profiles.resolve('alice', QUIETLY)
    await world.service.identify(base, signal).catch(() => {})
    assert.throws(() => world.room.clock.aws(), { code: 'CLOCK_SKEWED' })
  })

  test('follows the versions of a policy', async () => {
    await using world = await openWorld()
    const source = new SSMPolicySource({
      transport: world.room.transport,
      region: 'eu-central-1',
      parameter: '/sentinel/policy',
      profile: 'alice',
      credentials: async () => (await world.room.profiles.resolve('alice', QUIETLY)).base,
    })
    await assert.rejects(source.fetch(signal), { code: 'POLICY_NOT_FOUND' })
    world.aws.putParameter('/sentinel/policy', 'one')
    assert.deepEqual(await source.fetch(signal), { text: 'one', version: 1 })
    world.aws.putParameter('/sentinel/policy', 'two')
    assert.deepEqual(await source.fetch(signal), { text: 'two', version: 2 })
  })
})
