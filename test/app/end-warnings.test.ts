import assert from 'node:assert/strict'
import { beforeEach, suite, test } from 'node:test'
import { BaseIdentityKeeper } from '../../src/app/base-identity.ts'
import { EndWarnings } from '../../src/app/end-warnings.ts'
import type { Policy } from '../../src/domain/policy/types.ts'
import { HOUR, MINUTE, SECOND } from '../../src/domain/time.ts'
import { anIssuer } from '../fixtures/app/issuing.ts'
import { aProfile, session } from '../fixtures/app/profiles.ts'
import { sha256, World } from '../fixtures/app/world.ts'
import { aGrant, anApprovalRule, aPolicy, aRule, NOON, PROD } from '../fixtures/policies.ts'

let world: World

/** A run decided by `policy`, to be looked at every five seconds until whenever; its warnings. */
async function watch(policy = aPolicy({ rules: [aRule()] })) {
  const identities = new BaseIdentityKeeper({ ...world, sha256 }, aProfile())
  const identity = await identities.renew()
  const { issuer, grants, assess } = await anIssuer(world, { policy, mode: 'server', identity })
  const warnings = new EndWarnings({ ...world, issuer, identities })
  return async (end: number) => {
    for (; world.clock.aws() < end; world.clock.advance(5 * SECOND)) {
      await grants.look(identity)
      warnings.check(assess())
    }
    return world.notices.warnings
  }
}

function officeHours(end: number): Policy {
  const time = { hours: { start: 0, end }, overnight: false, timezone: 'UTC' }
  return aPolicy({ rules: [aRule({ name: 'hours', conditions: { time } })] })
}

suite('EndWarnings', () => {
  beforeEach(() => {
    world = new World()
  })

  test('says nothing when nothing ends', async () => {
    const warningsUntil = await watch()
    assert.deepEqual(await warningsUntil(NOON + HOUR), [])
  })

  test('warns of the end of base credentials that could not be renewed, with the way out', async () => {
    world.profiles.resolved = {
      base: session('ASIA1', NOON + 30 * MINUTE),
      role: { arn: PROD },
      loginCommand: 'aws sso login --profile corp',
    }
    const warningsUntil = await watch()
    assert.deepEqual(await warningsUntil(NOON + 21 * MINUTE), [])
    assert.deepEqual(await warningsUntil(NOON + 21 * MINUTE + 5 * SECOND), [
      'the base credentials end at 2026-01-14T12:30:00Z',
    ])
    assert.deepEqual(world.notices.hints, ['run: aws sso login --profile corp'])
  })

  test('warns of the end of a window, once, ten minutes before', async () => {
    const warningsUntil = await watch(officeHours(12 * 60 + 30))
    assert.deepEqual(await warningsUntil(NOON + 20 * MINUTE), [])
    const warned = ['rule "hours" allows no new credentials from 2026-01-14T12:30:00Z on']
    assert.deepEqual(await warningsUntil(NOON + 20 * MINUTE + 5 * SECOND), warned)
    assert.deepEqual(await warningsUntil(NOON + 30 * MINUTE), warned)
  })

  test('does not warn of a window that another rule goes on after', async () => {
    const policy = officeHours(12 * 60 + 30)
    const rules = [...policy.rules, aRule({ name: 'always' })]
    const warningsUntil = await watch({ ...policy, rules })
    assert.deepEqual(await warningsUntil(NOON + 30 * MINUTE), [])
  })

  test('warns of the end of a grant, once, ten minutes before', async () => {
    world.grants.grants = [aGrant({ endsAt: NOON + 30 * MINUTE })]
    const warningsUntil = await watch(aPolicy({ approvals: [anApprovalRule()] }))
    assert.deepEqual(await warningsUntil(NOON + 20 * MINUTE), [])
    const warned = ['grant r-1 ends at 2026-01-14T12:30:00Z']
    assert.deepEqual(await warningsUntil(NOON + 20 * MINUTE + 30 * SECOND), warned)
  })

  test('says nothing of an access that is refused', async () => {
    const warningsUntil = await watch(aPolicy())
    assert.deepEqual(await warningsUntil(NOON + 5 * MINUTE), [])
  })
})
