import assert from 'node:assert/strict'
import { afterEach, beforeEach, mock, suite, test } from 'node:test'
import type { Credentials } from '../../src/domain/credentials.ts'
import type { Policy } from '../../src/domain/policy/types.ts'
import { HOUR, MINUTE, SECOND } from '../../src/domain/time.ts'
import { SentinelError } from '../../src/errors.ts'
import { anIdentity, anIssuer } from '../fixtures/app/issuing.ts'
import { keys, session } from '../fixtures/app/profiles.ts'
import { stsFault } from '../fixtures/app/token-service.ts'
import { stopTimers, World } from '../fixtures/app/world.ts'
import {
  aGrant,
  anApprovalRule,
  anSSOPrincipal,
  aPolicy,
  aRule,
  NOON,
  PROD,
} from '../fixtures/policies.ts'

let world: World

/** What was asked of STS. */
function asked() {
  return world.tokens.sessions.map(({ request }) => request)
}

function anUnstamped(base: Credentials) {
  return anIdentity({ resolved: { base }, target: { account: '111122223333', stamped: false } })
}

const UNSTAMPED = aPolicy({ rules: [aRule({ name: 'own', unstamped: true })] })

suite('CredentialMaker', () => {
  beforeEach(() => {
    stopTimers()
    world = new World()
  })
  afterEach(() => mock.timers.reset())

  suite('AssumeRole', () => {
    test('is asked for what the profile says', async () => {
      const mfa = { serialNumber: 'arn:aws:iam::111122223333:mfa/alice', tokenCode: '123456' }
      const role = { arn: PROD, externalId: 'partner:7', mfa }
      const identity = anIdentity({ resolved: { base: keys(), role } })
      await (await anIssuer(world, { identity })).issue()
      assert.partialDeepStrictEqual(asked(), [{ roleArn: PROD, externalId: 'partner:7', mfa }])
    })

    test('carries tags when they are on, in STS letters', async () => {
      const policy = aPolicy({ rules: [aRule({ name: 'été (nights) #1' })] })
      await (await anIssuer(world, { policy, hasSessionTags: true })).issue()
      assert.deepEqual(asked()[0]?.tags, {
        'sentinel:profile': 'prod',
        'sentinel:rule': 'été _nights_ _1',
        'sentinel:request': 'mzxw6ytboi3damrqgaya',
      })
    })

    test('carries none when they are off', async () => {
      await (await anIssuer(world)).issue()
      assert.equal(asked()[0]?.tags, undefined)
    })

    test('stamps the basis', async () => {
      world.grants.grants = [aGrant()]
      const policy = aPolicy({ approvals: [anApprovalRule()] })
      await (await anIssuer(world, { policy })).issue()
      assert.match(asked()[0]?.sourceIdentity ?? '', /^sentinel=alice=approval=/)
    })

    test('is never asked more than an hour by a role, and the user is told once', async () => {
      world.tokens.know('ASIA1', anSSOPrincipal())
      const base = session('ASIA1', NOON + 8 * HOUR)
      const identity = anIdentity({
        principal: anSSOPrincipal(),
        resolved: { base, role: { arn: PROD } },
      })
      const { issue } = await anIssuer(world, { identity, asked: 4 * 3600 })
      await issue()
      await issue()
      assert.deepEqual(
        asked().map(({ duration }) => duration),
        [3600, 3600],
      )
      assert.deepEqual(world.notices.infos, [
        'credentials last 1h instead of 4h: STS allows a chained role no more',
      ])
    })

    test('falls back to an hour when the role allows no more, and remembers that', async () => {
      world.tokens.roleMax = 3600
      const { issue } = await anIssuer(world, { asked: 4 * 3600 })
      const { duration } = await issue()
      await issue()
      assert.equal(duration, 3600)
      assert.deepEqual(
        asked().map(({ duration }) => duration),
        [3600, 3600],
      )
      assert.equal(world.tokens.calls.assumeRole, 3)
      assert.deepEqual(world.notices.infos, [
        'credentials last 1h instead of 4h: the role allows no more',
      ])
      assert.deepEqual(
        world.log.of('issued').map((record) => record.duration_seconds),
        [3600, 3600],
      )
    })

    test('is not tried again for another refusal', async () => {
      const { issue } = await anIssuer(world, { asked: 4 * 3600 })
      world.tokens.fault = new SentinelError('STS_REFUSED', 'AccessDenied')
      await assert.rejects(issue(), { code: 'STS_REFUSED' })
      assert.equal(world.tokens.calls.assumeRole, 1)
    })

    test('is not asked for what it cannot give', async () => {
      world.grants.grants = [aGrant({ endsAt: NOON + 15 * MINUTE })]
      const policy = aPolicy({ approvals: [anApprovalRule()] })
      const { issue } = await anIssuer(world, { policy })
      await assert.rejects(issue(), { code: 'DURATION_TOO_SHORT' })
      assert.equal(world.tokens.calls.assumeRole, 0)
    })

    test('I3: is asked for no more than a grant has left, less 10 s', async () => {
      world.grants.grants = [aGrant({ endsAt: NOON + 30 * MINUTE })]
      const policy = aPolicy({ approvals: [anApprovalRule()] })
      await (await anIssuer(world, { policy, asked: 3600 })).issue()
      assert.equal(asked()[0]?.duration, 1790)
    })
  })

  suite('an answer of STS that is not what was asked for', () => {
    const ARN = 'arn:aws:sts::444455556666:assumed-role/Prod/alice-mzxw6ytboi3damrqgaya'
    const wrong: [what: string, arn: string][] = [
      ['another role', ARN.replace('/Prod/', '/Admin/')],
      ['another account', ARN.replace('444455556666', '999999999999')],
      ['another partition', ARN.replace('arn:aws:', 'arn:aws-cn:')],
      ['another session', ARN.replace('alice-', 'mallory-')],
      ['no ARN', 'Prod'],
    ]
    for (const [what, assumedRoleArn] of wrong) {
      test(`is not used: ${what}`, async () => {
        world.tokens.distort = (answer) => ({ ...answer, assumedRoleArn })
        const { issue } = await anIssuer(world)
        await assert.rejects(issue(), { code: 'STS_UNAVAILABLE', hint: /nothing of this answer/ })
        assert.deepEqual(world.log.of('issued'), [])
      })
    }

    const ends: [what: string, left: number, isUsed: boolean][] = [
      ['dead', -SECOND, false],
      ['dying', 60 * SECOND, false],
      ['short of what was asked', 60 * SECOND + 1, true],
      ['a minute late', 16 * MINUTE, true],
      ['longer than was asked', 16 * MINUTE + 1, false],
      ['without an end', Number.NaN, false],
    ]
    for (const [what, left, isUsed] of ends) {
      test(`is ${isUsed ? '' : 'not '}used: credentials that are ${what}`, async () => {
        world.tokens.distort = ({ credentials, ...answer }) => ({
          ...answer,
          credentials: { ...credentials, expiration: NOON + left },
        })
        const { issue } = await anIssuer(world)
        if (isUsed) await issue()
        else await assert.rejects(issue(), { code: 'STS_UNAVAILABLE' })
      })
    }
  })

  suite('a profile that cannot be stamped', () => {
    test("gets a session of a user's keys, never the keys", async () => {
      const { issue } = await anIssuer(world, { policy: UNSTAMPED, identity: anUnstamped(keys()) })
      const { credentials } = await issue()
      assert.equal(credentials.accessKeyId, 'ASIASESSION1')
      assert.equal(world.tokens.calls.getSessionToken, 1)
      assert.deepEqual(world.notices.warnings, ['credentials of profile prod carry no stamp'])
      const [record] = world.log.of('issued')
      assert.deepEqual([record?.stamped, record?.source_identity], [false, undefined])
    })

    test('gets the session that it is, as it is', async () => {
      const base = session('ASIA1', NOON + 20 * MINUTE)
      const { issue } = await anIssuer(world, { policy: UNSTAMPED, identity: anUnstamped(base) })
      const { credentials, duration, isRenewable } = await issue()
      assert.deepEqual(credentials, { ...base, accountId: '111122223333' })
      assert.deepEqual([duration, isRenewable], [1200, false])
      assert.deepEqual(world.tokens.calls, { identify: 0, assumeRole: 0, getSessionToken: 0 })
    })

    const capped = (maxDuration: number) =>
      aPolicy({ rules: [aRule({ name: 'own', unstamped: true, maxDuration })] })
    const refusals: [what: string, base: Credentials, policy: Policy, code: string][] = [
      ['outlives the cap', session('ASIA1', NOON + HOUR + SECOND), capped(3600), 'POLICY_DENIED'],
      ['does not say when it ends', session('ASIA1'), UNSTAMPED, 'PROFILE_INVALID'],
      [
        'is in its last minute',
        session('ASIA1', NOON + MINUTE),
        UNSTAMPED,
        'BASE_CREDENTIALS_EXPIRED',
      ],
      ['has ended', session('ASIA1', NOON - 1), UNSTAMPED, 'BASE_CREDENTIALS_EXPIRED'],
      [
        'no rule accepts',
        session('ASIA1', NOON + HOUR),
        aPolicy({ rules: [aRule()] }),
        'PROFILE_UNSTAMPED',
      ],
    ]
    for (const [what, base, policy, code] of refusals) {
      test(`is refused when it ${what}`, async () => {
        const { issue } = await anIssuer(world, { policy, identity: anUnstamped(base) })
        await assert.rejects(issue(), { code })
        assert.deepEqual(world.log.of('issued'), [])
      })
    }

    test('is served within its cap', async () => {
      const identity = anUnstamped(session('ASIA1', NOON + HOUR))
      await (await anIssuer(world, { policy: capped(3600), identity })).issue()
      assert.equal(world.log.of('issued')[0]?.duration_seconds, 3600)
    })
  })

  test('says what STS said when it does not answer', async () => {
    const { issue } = await anIssuer(world)
    world.tokens.fault = stsFault()
    await assert.rejects(issue(), { code: 'STS_UNAVAILABLE', message: 'STS did not answer' })
  })
})
