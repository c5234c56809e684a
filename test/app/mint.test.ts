import assert from 'node:assert/strict'
import { afterEach, beforeEach, mock, suite, test } from 'node:test'
import { BaseIdentityKeeper } from '../../src/app/base-identity.ts'
import { DecisionRecorder } from '../../src/app/decision-recorder.ts'
import { Mint, mayFallBack } from '../../src/app/mint.ts'
import { MintedCredentials } from '../../src/app/minted-credentials.ts'
import { RefusalMemory } from '../../src/app/refusal-memory.ts'
import { MINUTE, SECOND } from '../../src/domain/time.ts'
import { ERRORS, type ErrorCode, SentinelError } from '../../src/errors.ts'
import { anIssuer } from '../fixtures/app/issuing.ts'
import { aProfile, baseEnded, session } from '../fixtures/app/profiles.ts'
import { stsFault } from '../fixtures/app/token-service.ts'
import { requestIds, settle, sha256, stopTimers, timed, World } from '../fixtures/app/world.ts'
import { aGrant, anApprovalRule, aPolicy, NOON, PROD } from '../fixtures/policies.ts'

const CONTEXT = {
  profile: 'prod',
  mode: 'server',
  version: '0.1.0',
  endpointOverride: false,
} as const

let world: World

async function aMint(policy?: ReturnType<typeof aPolicy>) {
  const parts = await anIssuer(world, { mode: 'server', ...(policy && { policy }) })
  const recorder = new DecisionRecorder(world.log, world.clock, CONTEXT)
  const mint = new Mint({
    ...world,
    ...parts,
    identities: new BaseIdentityKeeper({ ...world, sha256 }, aProfile()),
    minted: new MintedCredentials(),
    refusals: new RefusalMemory({ ...world, recorder }),
    newRequestId: requestIds(),
  })
  return { mint }
}

suite('Mint', () => {
  beforeEach(() => {
    stopTimers()
    world = new World()
  })
  afterEach(() => mock.timers.reset())

  test('is joined by whoever comes while it is under way', async () => {
    const { mint } = await aMint()
    const [first, second] = await Promise.all([mint.next(), mint.next()])
    assert.equal(first, second)
    assert.equal(world.tokens.calls.assumeRole, 1)
  })

  test('gives what another has minted meanwhile', async () => {
    const { mint } = await aMint()
    const first = await mint.next()
    assert.equal(await mint.next(), first)
    assert.equal(world.tokens.calls.assumeRole, 1)
  })

  test('keeps for how long a credential was asked, not for how long STS took', async () => {
    world.tokens.latency = 2 * SECOND
    const { mint } = await aMint()
    world.tokens.latency = 0
    const { life } = await mint.next()
    assert.equal(life, 15 * MINUTE)
  })

  suite('a failure', () => {
    test('is given to all for a second, and tried again then', async () => {
      const { mint } = await aMint()
      world.tokens.distort = () => {
        throw stsFault()
      }
      const error = await mint.next().catch((failure: unknown) => failure)
      world.clock.advance(SECOND - 1)
      await assert.rejects(mint.next(), error as Error)
      assert.equal(world.tokens.calls.assumeRole, 1)

      world.clock.advance(1)
      await assert.rejects(mint.next())
      assert.equal(world.tokens.calls.assumeRole, 2)
    })

    test('is tried again in the background every 15 s only', async () => {
      const { mint } = await aMint()
      world.tokens.distort = () => {
        throw stsFault()
      }
      for (let second = 0; second < 60; second += 1) {
        mint.ahead()
        await settle()
        world.clock.advance(SECOND)
      }
      assert.equal(world.tokens.calls.assumeRole, 4)
      assert.equal(world.log.of('refused').length, 4)
    })

    test('is trouble for 15 s, unless it forbids to go on', async () => {
      const { mint } = await aMint()
      assert.equal(mint.isInTrouble(), false)
      world.tokens.fault = stsFault()
      await assert.rejects(mint.next())
      assert.equal(mint.isInTrouble(), true)
      world.clock.advance(15 * SECOND)
      assert.equal(mint.isInTrouble(), false)

      world.tokens.fault = undefined
      world.source.put(aPolicy())
      world.clock.advance(36 * SECOND)
      await assert.rejects(mint.next(), { code: 'POLICY_DENIED' })
      assert.equal(mint.isInTrouble(), false)
    })

    test('is forgotten with what comes after', async () => {
      const { mint } = await aMint()
      world.tokens.fault = stsFault()
      await assert.rejects(mint.next())
      world.tokens.fault = undefined
      mint.forgetFailure()
      await mint.next()
      assert.equal(mint.isInTrouble(), false)
    })

    test('is recorded with who was refused, though that is known from before only', async () => {
      world.profiles.resolved = { base: session('ASIA1', NOON + 20 * MINUTE), role: { arn: PROD } }
      const { mint } = await aMint()
      await mint.next()
      world.profiles.fault = baseEnded()
      world.clock.advance(20 * MINUTE)
      await assert.rejects(mint.next(), { code: 'BASE_CREDENTIALS_EXPIRED' })
      assert.partialDeepStrictEqual(world.log.of('refused'), [
        { code: 'BASE_CREDENTIALS_EXPIRED', user: 'alice', policy: { version: 1 } },
      ])
    })
  })

  test('says that the policy denies before it looks for another login', async () => {
    world.profiles.resolved = { base: session('ASIA1', NOON + 20 * MINUTE), role: { arn: PROD } }
    const { mint } = await aMint()
    await mint.next()
    world.profiles.fault = baseEnded()
    world.source.put(aPolicy())
    world.clock.advance(20 * MINUTE)
    await assert.rejects(mint.next(), { code: 'POLICY_DENIED' })
  })

  test('is in trouble when it takes longer than a request waits', async () => {
    const { mint } = await aMint()
    world.tokens.latency = MINUTE
    const minting = mint.next()
    await settle()
    await world.advance(899, 899)
    assert.equal(mint.isInTrouble(), false)
    await world.advance(1)
    assert.equal(mint.isInTrouble(), true)
    await timed(world, minting, 3 * MINUTE)
  })

  test('makes the last credential of a grant once, when 16 min remain', async () => {
    world.grants.grants = [aGrant({ endsAt: NOON + 20 * MINUTE })]
    const { mint } = await aMint(aPolicy({ approvals: [anApprovalRule()] }))
    const first = await mint.next()
    world.clock.advance(4 * MINUTE - 1)
    assert.equal(await mint.next(), first)
    world.clock.advance(1)
    const last = await mint.next()
    assert.notEqual(last, first)
    world.clock.advance(10 * SECOND)
    assert.equal(await mint.next(), last)
  })

  suite('mayFallBack', () => {
    const isAllowed: readonly ErrorCode[] = [
      'BASE_CREDENTIALS_EXPIRED',
      'BASE_CREDENTIALS_MISSING',
      'DURATION_TOO_SHORT',
      'INTERACTION_REQUIRED',
      'INTERRUPTED',
      'LOG_UNAVAILABLE',
      'STS_REFUSED',
      'STS_UNAVAILABLE',
    ]
    for (const code of Object.keys(ERRORS) as ErrorCode[]) {
      const verb = isAllowed.includes(code) ? 'leaves' : 'does not leave'
      test(`${code} ${verb} the last credential in use`, () => {
        assert.equal(mayFallBack(new SentinelError(code, 'why')), isAllowed.includes(code))
      })
    }

    test('a bug does not leave the last credential in use', () => {
      assert.equal(mayFallBack(new TypeError('a bug')), false)
    })
  })
})
