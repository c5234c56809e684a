import assert from 'node:assert/strict'
import { afterEach, beforeEach, mock, suite, test } from 'node:test'
import { PolicyKeeper } from '../../src/app/policy-keeper.ts'
import { MINUTE, SECOND } from '../../src/domain/time.ts'
import { SentinelError } from '../../src/errors.ts'
import { policyFault } from '../fixtures/app/policy-source.ts'
import { settle, sha256, stopTimers, timed, World } from '../fixtures/app/world.ts'
import { aPolicy } from '../fixtures/policies.ts'

let world: World
let keeper: PolicyKeeper

function open({ acceptsReset = false, random = (): number => 0.5 } = {}): PolicyKeeper {
  const { source, clock, notices } = world
  return new PolicyKeeper(
    {
      source,
      clock,
      notices,
      random,
      parse: source.parse,
      sha256: (text) => Buffer.from(sha256(text)).toString('hex'),
      ending: new AbortController().signal,
    },
    { acceptsReset },
  )
}

suite('PolicyKeeper', () => {
  beforeEach(() => {
    stopTimers()
    world = new World()
    keeper = open()
  })
  afterEach(() => {
    keeper[Symbol.dispose]()
    mock.timers.reset()
  })

  suite('freshness', () => {
    test('needs no fetch for 35 s', async () => {
      await keeper.load()
      await world.advance(35 * SECOND)

      assert.equal(keeper.fresh()?.version, 1)
      await keeper.current()
      assert.equal(world.source.fetches, 1)
    })

    test('fetches again after 35 s, and waits for that', async () => {
      await keeper.load()
      world.source.put(aPolicy())
      world.source.latency = 400
      world.clock.advance(35 * SECOND + 1)

      assert.equal(keeper.fresh(), undefined)
      const { ms, value } = await timed(world, keeper.current())
      assert.equal(value?.version, 2)
      assert.equal(ms, 400)
    })

    test('counts the age from when the fetch was asked, not from its answer', async () => {
      world.source.latency = 5 * SECOND
      await timed(world, keeper.load())

      world.clock.advance(30 * SECOND)
      assert.ok(keeper.fresh())
      world.clock.advance(1)
      assert.equal(keeper.fresh(), undefined)
    })

    test('goes on with the old policy after 500 ms, and takes the new one when it comes', async () => {
      await keeper.load()
      world.source.put(aPolicy())
      world.source.latency = 700
      world.clock.advance(36 * SECOND)

      const { ms, value } = await timed(world, keeper.current())
      assert.deepEqual([ms, value?.version], [500, 1])
      assert.ok(value && keeper.isStale(value))
      await world.advance(300)
      assert.equal(keeper.fresh()?.version, 2)
    })

    test('asks once for all who wait', async () => {
      await Promise.all(Array.from({ length: 100 }, () => keeper.current()))
      assert.equal(world.source.fetches, 1)
    })

    test('waits as long as it takes for the first', async () => {
      world.source.latency = 3 * SECOND
      const { ms, value } = await timed(world, keeper.load())
      assert.deepEqual([ms, value?.version], [3 * SECOND, 1])
    })

    test('leaves no timer behind that would hold up the end of a command', async () => {
      const cleared = mock.method(globalThis, 'clearTimeout')
      await keeper.current()
      assert.equal(cleared.mock.callCount(), 1)
      cleared.mock.restore()
    })
  })

  suite('a source that does not answer', () => {
    test('leaves the policy in force for 5 minutes, and not a millisecond longer', async () => {
      await keeper.load()
      world.source.fault = policyFault()

      world.clock.advance(5 * MINUTE)
      assert.equal((await keeper.current()).version, 1)
      world.clock.advance(1)
      await assert.rejects(keeper.current(), { code: 'POLICY_UNAVAILABLE' })
      assert.throws(() => keeper.inForce(), { code: 'POLICY_UNAVAILABLE' })
    })

    test('warns once an outage', async () => {
      await keeper.load()
      for (const outage of [1, 2]) {
        world.source.fault = policyFault()
        world.clock.advance(40 * SECOND)
        await keeper.current()
        world.clock.advance(10 * SECOND)
        await keeper.current()
        assert.equal(world.notices.warnings.length, outage)
        world.source.fault = undefined
        world.clock.advance(10 * SECOND)
        await keeper.current()
      }
      assert.match(world.notices.warnings[0] ?? '', /cannot be fetched: its last copy decides/)
    })

    test('is not asked again within a second of a failure', async () => {
      await keeper.load()
      world.source.fault = policyFault()
      world.clock.advance(40 * SECOND)
      for (let request = 0; request < 50; request += 1) await keeper.current()
      assert.equal(world.source.fetches, 2)

      world.clock.advance(SECOND)
      await keeper.current()
      assert.equal(world.source.fetches, 3)
    })

    test('says why at the first fetch', async () => {
      world.source.fault = policyFault()
      await assert.rejects(keeper.load(), {
        code: 'POLICY_UNAVAILABLE',
        hint: 'look at the network',
      })
    })

    test('says so without a first answer in time', async () => {
      world.source.latency = 2 * SECOND
      const { ms, error } = await timed(world, keeper.current())
      assert.equal(ms, 500)
      assert.match(String(error), /could not be fetched in time/)
    })

    const faults = ['BASE_CREDENTIALS_EXPIRED', 'STS_UNAVAILABLE', 'INTERRUPTED'] as const
    for (const code of faults) {
      test(`does not end the policy with ${code}`, async () => {
        await keeper.load()
        world.source.fault = new SentinelError(code, 'no way to ask')
        world.clock.advance(MINUTE)
        assert.equal((await keeper.current()).version, 1)

        world.clock.advance(5 * MINUTE)
        await assert.rejects(keeper.current(), { code })
      })
    }
  })

  suite('a source that answers with something else', () => {
    const answers = ['POLICY_INVALID', 'POLICY_NOT_FOUND', 'FILE_UNTRUSTED'] as const
    for (const code of answers) {
      test(`ends the policy at once with ${code}`, async () => {
        await keeper.load()
        keeper.start()
        world.source.fault = new SentinelError(code, 'not a policy')
        await world.advance(30 * SECOND, 5 * SECOND)

        assert.equal(keeper.fresh(), undefined)
        await assert.rejects(keeper.current(), { code })
      })
    }

    test('ends the policy with a text that does not parse, until one does', async () => {
      await keeper.load()
      world.source.putText('{')
      world.clock.advance(36 * SECOND)
      await assert.rejects(keeper.current(), { code: 'POLICY_INVALID' })

      world.source.put(aPolicy())
      world.clock.advance(SECOND)
      assert.equal((await keeper.current()).version, 3)
    })

    test('stays ended while the source does not answer', async () => {
      await keeper.load()
      world.source.putText('{')
      world.clock.advance(36 * SECOND)
      await assert.rejects(keeper.current(), { code: 'POLICY_INVALID' })

      world.source.fault = policyFault()
      world.clock.advance(SECOND)
      await assert.rejects(keeper.current(), { code: 'POLICY_INVALID' })
    })

    test('ends the policy when reading the new one is a bug', async () => {
      await keeper.load()
      world.source.fault = new TypeError('cannot read properties of undefined')
      world.clock.advance(36 * SECOND)
      await assert.rejects(keeper.current(), TypeError)
    })
  })

  suite('versions', () => {
    test('never go back', async () => {
      world.source.version = 7
      await keeper.load()
      world.source.version = 6
      world.clock.advance(36 * SECOND)

      await assert.rejects(keeper.current(), {
        code: 'POLICY_ROLLED_BACK',
        message: /went back from version 7 to 6$/,
      })
      world.source.version = 8
      world.clock.advance(SECOND)
      assert.equal((await keeper.current()).version, 8)
    })

    test('are not forgotten over an invalid one', async () => {
      world.source.version = 7
      await keeper.load()
      world.source.putText('{')
      world.clock.advance(36 * SECOND)
      await assert.rejects(keeper.current(), { code: 'POLICY_INVALID' })

      world.source.put(aPolicy())
      world.source.version = 3
      world.clock.advance(SECOND)
      await assert.rejects(keeper.current(), { code: 'POLICY_ROLLED_BACK' })
    })

    test('are not got rid of by leaving them out', async () => {
      await keeper.load()
      world.source.version = undefined
      world.clock.advance(36 * SECOND)
      await assert.rejects(keeper.current(), { message: /from version 1 to none$/ })
    })

    test('may go back when the user accepts a reset', async () => {
      keeper = open({ acceptsReset: true })
      world.source.version = 7
      await keeper.load()
      world.source.version = 1
      world.clock.advance(36 * SECOND)
      assert.equal((await keeper.current()).version, 1)
    })

    test('are not needed', async () => {
      world.source.version = undefined
      await keeper.load()
      world.source.put(aPolicy())
      world.clock.advance(36 * SECOND)
      assert.equal((await keeper.current()).version, undefined)
    })
  })

  suite('after a sleep', () => {
    test('decides nothing before the policy is read again', async () => {
      await keeper.load()
      world.source.latency = 200
      keeper.forget()

      assert.equal(keeper.fresh(), undefined)
      assert.throws(() => keeper.inForce(), { code: 'POLICY_UNAVAILABLE' })
      const { ms, value } = await timed(world, keeper.current())
      assert.deepEqual([ms, value?.version], [200, 1])
    })

    test('does not fall back on what it knew when the source is silent', async () => {
      await keeper.load()
      world.source.fault = policyFault()
      keeper.forget()
      await settle()
      await assert.rejects(keeper.current(), { code: 'POLICY_UNAVAILABLE' })
    })

    test('ignores an answer that was asked for before', async () => {
      await keeper.load()
      world.clock.advance(36 * SECOND)
      world.source.latency = SECOND
      const asked = keeper.current()
      await world.advance(500)
      await asked
      world.source.put(aPolicy())
      keeper.forget()
      await settle()
      await world.advance(600)

      // The old answer has come, the new one has not.
      assert.equal(world.source.answers.at(-1)?.found.version, 1)
      assert.throws(() => keeper.inForce(), { code: 'POLICY_UNAVAILABLE' })
      await world.advance(400)
      assert.equal(keeper.fresh()?.version, 2)
    })

    test('ignores a failure that was asked for before', async () => {
      await keeper.load()
      world.clock.advance(36 * SECOND)
      world.source.latency = SECOND
      const asked = keeper.current()
      await world.advance(500)
      await asked
      world.source.latency = 100
      keeper.forget()
      await settle()
      await world.advance(200)
      assert.equal(keeper.fresh()?.version, 1)

      world.source.fault = new SentinelError('POLICY_NOT_FOUND', 'gone')
      await world.advance(SECOND)
      assert.equal(keeper.fresh()?.version, 1)
    })

    test('still knows which version it had', async () => {
      world.source.version = 7
      await keeper.load()
      world.source.version = 6
      keeper.forget()
      await settle()
      await assert.rejects(keeper.current(), { code: 'POLICY_ROLLED_BACK' })
    })
  })

  suite('the timer', () => {
    const spreads: [random: number, seconds: number][] = [
      [0, 27],
      [0.5, 30],
      [0.999, 33],
    ]
    for (const [random, seconds] of spreads) {
      test(`fetches every ${seconds} s for a random ${random}`, async () => {
        keeper = open({ random: () => random })
        await keeper.load()
        keeper.start()

        await world.advance((seconds - 0.1) * SECOND, SECOND)
        assert.equal(world.source.fetches, 1)
        await world.advance(0.2 * SECOND)
        assert.equal(world.source.fetches, 2)
        await world.advance((seconds + 0.1) * SECOND, SECOND)
        assert.equal(world.source.fetches, 3)
      })
    }

    test('ends with the keeper', async () => {
      await keeper.load()
      keeper.start()
      keeper[Symbol.dispose]()
      await world.advance(2 * MINUTE, SECOND)
      assert.equal(world.source.fetches, 1)
    })
  })

  test('tells the warnings of a policy when it is new, and not at every fetch', async () => {
    world.source.warnings.push('a rule can never match')
    await keeper.load()
    world.clock.advance(36 * SECOND)
    await keeper.current()
    assert.deepEqual(world.notices.warnings, ['a rule can never match'])
  })
})
