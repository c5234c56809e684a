import assert from 'node:assert/strict'
import { afterEach, beforeEach, mock, suite, test } from 'node:test'
import { BaseIdentityKeeper } from '../../src/app/base-identity.ts'
import { MINUTE, SECOND } from '../../src/domain/time.ts'
import { aProfile, baseEnded, keys, session } from '../fixtures/app/profiles.ts'
import { stsFault } from '../fixtures/app/token-service.ts'
import { settle, sha256, stopTimers, World } from '../fixtures/app/world.ts'
import { anSSOPrincipal, aPrincipal, NOON, PROD } from '../fixtures/policies.ts'

let world: World

function open(profile = aProfile()): BaseIdentityKeeper {
  const { profiles, tokens, clock } = world
  return new BaseIdentityKeeper({ profiles, tokens, clock, sha256 }, profile)
}

/** Makes the profile's base credentials a session that ends `life` from noon. */
function logIn(accessKeyId: string, life?: number): void {
  world.tokens.know(accessKeyId, anSSOPrincipal())
  const base = session(accessKeyId, life === undefined ? undefined : NOON + life)
  world.profiles.resolved = { base, role: { arn: PROD } }
}

suite('BaseIdentityKeeper', () => {
  beforeEach(() => {
    stopTimers()
    world = new World()
  })
  afterEach(() => mock.timers.reset())

  test('knows nobody before it has asked', () => {
    const keeper = open()
    assert.equal(keeper.known(), undefined)
    assert.equal(keeper.usable(), undefined)
  })

  test('tells who STS says it is, and what the profile stands for', async () => {
    const { principal, user, target } = await open().renew()
    assert.equal(principal.arn, aPrincipal().arn)
    assert.equal(user, 'alice')
    assert.deepEqual(target, { roleArn: PROD, account: '444455556666', stamped: true })
  })

  test('resolves once for all who wait', async () => {
    const keeper = open()
    await Promise.all([keeper.renew(), keeper.renew(), keeper.renew()])
    assert.deepEqual([world.profiles.resolutions.length, world.tokens.calls.identify], [1, 1])
  })

  test('asks a person only when told that it may', async () => {
    const keeper = open()
    await keeper.renew(true)
    await keeper.renew()
    assert.deepEqual(world.profiles.resolutions, [{ mayPrompt: true }, { mayPrompt: false }])
  })

  suite('renewal', () => {
    test('begins ten minutes before the end, in the background, once a minute', async () => {
      logIn('ASIA1', 60 * MINUTE)
      const keeper = open()
      await keeper.renew()
      world.clock.advance(50 * MINUTE)
      keeper.usable()
      await settle()
      assert.equal(world.profiles.resolutions.length, 1)

      world.clock.advance(1)
      for (let request = 0; request < 20; request += 1) assert.ok(keeper.usable())
      await settle()
      assert.equal(world.profiles.resolutions.length, 2)

      world.clock.advance(MINUTE)
      keeper.usable()
      await settle()
      assert.equal(world.profiles.resolutions.length, 3)
    })

    test('takes new credentials over', async () => {
      logIn('ASIA1', 60 * MINUTE)
      const keeper = open()
      await keeper.renew()
      logIn('ASIA2', 120 * MINUTE)
      world.clock.advance(51 * MINUTE)
      keeper.usable()
      await settle()
      assert.equal(keeper.usable()?.resolved.base.accessKeyId, 'ASIA2')
    })

    test('that fails leaves what there is, to its last 30 s', async () => {
      logIn('ASIA1', 60 * MINUTE)
      const keeper = open()
      await keeper.renew()
      world.profiles.fault = baseEnded()

      world.clock.advance(60 * MINUTE - 30 * SECOND - 1)
      assert.ok(keeper.usable())
      world.clock.advance(1)
      assert.equal(keeper.usable(), undefined)
      assert.equal(keeper.known()?.principal.name, 'alice')
      await settle()
    })

    test('is not begun for credentials that do not say when they end', async () => {
      logIn('ASIA1')
      const keeper = open()
      await keeper.renew()
      world.clock.advance(1000 * MINUTE)
      assert.ok(keeper.usable())
      assert.equal(keeper.remaining(), Infinity)
      assert.equal(world.profiles.resolutions.length, 1)
    })

    test('identifies a new key before it signs, and an old one only once', async () => {
      logIn('ASIA1', 60 * MINUTE)
      const keeper = open()
      await keeper.renew()
      await keeper.renew()
      assert.equal(world.tokens.calls.identify, 1)

      logIn('ASIA2', 60 * MINUTE)
      world.tokens.fault = stsFault()
      await assert.rejects(keeper.renew(), { code: 'STS_UNAVAILABLE' })
      assert.equal(keeper.known()?.resolved.base.accessKeyId, 'ASIA1')

      world.tokens.fault = undefined
      const { resolved } = await keeper.renew()
      assert.equal(resolved.base.accessKeyId, 'ASIA2')
      assert.equal(world.tokens.calls.identify, 3)
    })

    test('takes the later end of the same key', async () => {
      logIn('ASIA1', 60 * MINUTE)
      const keeper = open()
      await keeper.renew()
      logIn('ASIA1', 90 * MINUTE)
      await keeper.renew()
      assert.equal(keeper.remaining(), 90 * MINUTE)
    })

    test('stops with the run', async () => {
      const { profiles, tokens, clock } = world
      const ending = new AbortController()
      const keeper = new BaseIdentityKeeper(
        { profiles, tokens, clock, sha256, ending: ending.signal },
        aProfile(),
      )
      tokens.latency = MINUTE
      const renewal = keeper.renew()
      await settle()
      ending.abort()
      await assert.rejects(renewal, { code: 'INTERRUPTED' })
    })
  })

  suite('another principal', () => {
    test('ends the run for good, whoever comes back', async () => {
      const keeper = open()
      await keeper.renew()
      world.tokens.know('AKIAMALLORY', aPrincipal('mallory'))
      world.profiles.resolved = { base: keys('AKIAMALLORY'), role: { arn: PROD } }

      await assert.rejects(keeper.renew(), {
        code: 'PRINCIPAL_CHANGED',
        message: /became those of .*user\/mallory; this run began as .*user\/alice$/,
      })
      world.profiles.resolved = { base: keys('AKIAALICE'), role: { arn: PROD } }
      await assert.rejects(keeper.renew(), { code: 'PRINCIPAL_CHANGED' })
      assert.throws(() => keeper.usable(), { code: 'PRINCIPAL_CHANGED' })
      assert.throws(() => keeper.known(), { code: 'PRINCIPAL_CHANGED' })
      assert.equal(keeper.last()?.principal.name, 'alice')
    })

    test('is one with the same name and another unique id', async () => {
      const keeper = open()
      await keeper.renew()
      world.tokens.know('AKIANEW', { ...aPrincipal(), uniqueId: 'AIDAALICE2' })
      world.profiles.resolved = { base: keys('AKIANEW'), role: { arn: PROD } }
      await assert.rejects(keeper.renew(), { code: 'PRINCIPAL_CHANGED' })
    })

    test('is not the same person with another key', async () => {
      const keeper = open()
      await keeper.renew()
      world.profiles.resolved = { base: keys('AKIAALICE2'), role: { arn: PROD } }
      assert.equal((await keeper.renew()).resolved.base.accessKeyId, 'AKIAALICE2')
    })
  })

  test('refuses a profile that came to stand for another role', async () => {
    const keeper = open()
    await keeper.renew()
    const arn = 'arn:aws:iam::444455556666:role/Admin'
    world.profiles.resolved = { base: keys(), role: { arn } }
    await assert.rejects(keeper.renew(), {
      code: 'PROFILE_CHANGED',
      message: /now stands for .*role\/Admin, not for .*role\/Prod$/,
    })
  })

  test('refuses credentials that Sentinel issued', async () => {
    const name = 'alice-mzxw6ytboi3damrqgaya'
    const arn = `arn:aws:sts::444455556666:assumed-role/Prod/${name}`
    world.tokens.know('ASIA1', {
      ...aPrincipal(),
      arn,
      uniqueId: `AROAPROD:${name}`,
      account: '444455556666',
    })
    world.profiles.resolved = { base: session('ASIA1', NOON + MINUTE * 60), role: { arn: PROD } }
    await assert.rejects(open().renew(), { code: 'ISSUED_BY_SENTINEL' })
  })

  test('refuses a caller outside the grammar', async () => {
    world.tokens.know('AKIAALICE', { ...aPrincipal(), arn: 'arn:aws:iam::111122223333:user' })
    await assert.rejects(open().renew(), { code: 'PRINCIPAL_UNKNOWN' })
  })

  suite('a profile that cannot be stamped', () => {
    const SESSION = 'arn:aws:sts::444455556666:assumed-role/CI/build-7'
    const ci = {
      ...aPrincipal(),
      arn: SESSION,
      uniqueId: 'AROACI:build-7',
      account: '444455556666',
    }
    const subject = 'repo:corp/app:ref:refs/heads/main'
    const webIdentity = { provider: 'token.actions.githubusercontent.com', subject }

    test('stands for the role of its web identity, with its path', async () => {
      world.tokens.know('ASIA1', ci)
      world.profiles.resolved = { base: session('ASIA1', NOON + 60 * MINUTE), webIdentity }
      const roleArn = 'arn:aws:iam::444455556666:role/team/CI'
      const { target, principal } = await open(aProfile({ roleArn, isWebIdentity: true })).renew()
      assert.deepEqual(target, { roleArn, account: '444455556666', stamped: false })
      assert.deepEqual([principal.kind, principal.name], ['web', subject])
    })

    test('stands for the role that STS names, whatever the file says', async () => {
      world.tokens.know('ASIA1', ci)
      world.profiles.resolved = { base: session('ASIA1', NOON + 60 * MINUTE), webIdentity }
      const { target } = await open(aProfile({ isWebIdentity: true })).renew()
      assert.equal(target.roleArn, 'arn:aws:iam::444455556666:role/CI')
    })

    test('stands for the role of its Identity Center session', async () => {
      world.tokens.know('ASIA1', anSSOPrincipal())
      world.profiles.resolved = { base: session('ASIA1', NOON + 60 * MINUTE) }
      const { roleArn: _, ...profile } = aProfile()
      const { target } = await open(profile).renew()
      assert.deepEqual(target, {
        roleArn: 'arn:aws:iam::111122223333:role/AWSReservedSSO_Developer_0123456789abcdef',
        account: '111122223333',
        stamped: false,
      })
    })

    test('stands for no role with the keys of an IAM user', async () => {
      world.profiles.resolved = { base: keys() }
      const { roleArn: _, ...profile } = aProfile()
      const { target } = await open(profile).renew()
      assert.deepEqual(target, { account: '111122223333', stamped: false })
    })
  })

  test('lets the refusal of a skewed clock through', async () => {
    logIn('ASIA1', 60 * MINUTE)
    const keeper = open()
    await keeper.renew()
    world.clock.isSkewed = true
    assert.throws(() => keeper.usable(), { code: 'CLOCK_SKEWED' })
  })
})
