import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { deliverDue, waiting } from '../../src/app/deliver-notifications.ts'
import type { LogRecord } from '../../src/domain/log-record.ts'
import type { QueuedNotification } from '../../src/domain/notification.ts'
import { HOUR, MINUTE, SECOND } from '../../src/domain/time.ts'
import { SentinelError } from '../../src/errors.ts'
import type { Notifier } from '../../src/ports/notifier.ts'
import type { Outbox } from '../../src/ports/outbox.ts'
import { FakeClock } from '../fixtures/app/clock.ts'
import { aQueued, aStoreWithOutbox, aTellingPolicy, FakeReceiver } from '../fixtures/outboxes.ts'
import { aPolicy, NOON } from '../fixtures/policies.ts'
import { pick, random, scaled } from '../fixtures/random.ts'

const WAITING = new AbortController().signal
const DAY = 24 * HOUR

type Deps = Parameters<typeof deliverDue>[0]

/** One Sentinel process that delivers what waits in `outbox`. */
function aProcess(outbox: Outbox, notifier: Notifier, overrides: Partial<Deps> = {}) {
  const warnings: string[] = []
  const records: LogRecord[] = []
  const clock = new FakeClock()
  const deps: Deps = {
    outbox,
    notifier,
    policy: aTellingPolicy(),
    clock,
    notices: { warn: (text) => void warnings.push(text) },
    record: async (record) => void records.push(record),
    ...overrides,
  }
  const deliver = (which: 'due' | 'all' = 'due', within = 5000) =>
    deliverDue(deps, { which, within })
  return { deps, clock, warnings, records, deliver }
}

function several(count: number): QueuedNotification[] {
  return Array.from({ length: count }, (_, index) =>
    aQueued({ id: `id${String(index).padStart(18, '0')}`, at: NOON - count + index }),
  )
}

suite('deliverDue', () => {
  test('delivers what is due, and takes it off', async () => {
    const store = aStoreWithOutbox(...several(250))
    const receiver = new FakeReceiver()
    const settled: string[] = []
    const { deliver } = aProcess(store, receiver, {
      onSettled: ({ outcome }) => settled.push(outcome),
    })
    const deliveries = await deliver()
    assert.equal(deliveries.length, 250)
    assert.deepEqual(new Set(settled), new Set(['delivered']))
    assert.equal(receiver.counts.size, 250)
    assert.equal(receiver.received.length, 250)
    assert.equal(store.outbox.size, 0)
    assert.deepEqual(await deliver(), [])
  })

  test('sends several at a time', async () => {
    let now = 0
    let most = 0
    const notifier = {
      async send() {
        now += 1
        most = Math.max(most, now)
        await new Promise((resolve) => setTimeout(resolve, 5))
        now -= 1
      },
    }
    await aProcess(aStoreWithOutbox(...several(12)), notifier).deliver()
    assert.equal(most, 4)
  })

  test('waits longer after each failure, and delivers once the receiver is up', async () => {
    const store = aStoreWithOutbox(aQueued())
    const receiver = new FakeReceiver((_, tries) => (tries < 7 ? 'down' : 'taken'))
    const { deliver, clock, warnings } = aProcess(store, receiver)
    for (const pause of [30 * SECOND, 2 * MINUTE, 10 * MINUTE, HOUR, 6 * HOUR, 6 * HOUR]) {
      const [delivery] = await deliver()
      assert.equal(delivery?.outcome, 'failed')
      assert.equal(delivery.outcome === 'failed' && delivery.nextAt, clock.aws() + pause)
      clock.advance(pause - 1)
      assert.deepEqual(await deliver(), [])
      clock.advance(1)
    }
    const [delivery] = await deliver()
    assert.equal(delivery?.outcome, 'delivered')
    assert.deepEqual([...receiver.counts.values()], [1])
    assert.equal(store.outbox.size, 0)
    assert.deepEqual(warnings, [])
  })

  test('gives up, with a warning and a record, what its receiver refuses', async () => {
    const store = aStoreWithOutbox(aQueued())
    const { deliver, warnings, records } = aProcess(store, new FakeReceiver(() => 'refused'))
    const [delivery] = await deliver()
    assert.equal(delivery?.outcome, 'given up')
    assert.equal(store.outbox.size, 0)
    assert.deepEqual(warnings, [
      'nobody will be told of request.created: webhook hooks.example answered 410',
    ])
    assert.deepEqual(records, [
      {
        type: 'notification.given_up',
        notification_id: 'mzxw6ytboi3damrqgaya',
        event: 'request.created',
        receiver: 'webhook hooks.example',
        code: 'NOTIFICATION_REFUSED',
        reason: 'webhook hooks.example answered 410',
      },
    ])
  })

  test('gives up after a week of tries, and not before', async () => {
    const store = aStoreWithOutbox(aQueued())
    const { deliver, clock, warnings } = aProcess(store, new FakeReceiver(() => 'down'))
    let last = await deliver()
    for (let hours = 0; hours < 7 * 24 - 6; hours += 6) {
      assert.deepEqual(
        last.map(({ outcome }) => outcome),
        ['failed'],
      )
      clock.advance(6 * HOUR)
      last = await deliver()
    }
    assert.deepEqual(
      last.map(({ outcome }) => outcome),
      ['failed'],
    )
    clock.advance(6 * HOUR)
    assert.deepEqual(
      (await deliver()).map(({ outcome }) => outcome),
      ['given up'],
    )
    assert.equal(store.outbox.size, 0)
    assert.equal(warnings.length, 1)
  })

  test('gives what nobody found for a month its tries all the same', async () => {
    const store = aStoreWithOutbox(aQueued({ at: NOON - 30 * DAY, nextAt: NOON - 30 * DAY }))
    const receiver = new FakeReceiver((_, tries) => (tries < 3 ? 'down' : 'taken'))
    const { deliver, clock } = aProcess(store, receiver)
    for (const outcome of ['failed', 'failed', 'delivered']) {
      assert.deepEqual(
        (await deliver()).map((delivery) => delivery.outcome),
        [outcome],
      )
      clock.advance(HOUR)
    }
  })

  test('gives up although the log cannot be written', async () => {
    const store = aStoreWithOutbox(aQueued())
    const full = new SentinelError('LOG_UNAVAILABLE', 'the disk is full')
    const { deliver } = aProcess(store, new FakeReceiver(() => 'refused'), {
      record: () => Promise.reject(full),
    })
    assert.deepEqual(
      (await deliver()).map(({ outcome }) => outcome),
      ['given up'],
    )
    assert.equal(store.outbox.size, 0)
  })

  test('calls nobody whom the policy does not name', async () => {
    const address = 'https://evil.example/'
    const store = aStoreWithOutbox(
      aQueued({ id: 'a', target: { kind: 'webhook', address } }),
      aQueued({ id: 'b', target: { kind: 'slack', address: aQueued().target.address } }),
      aQueued({ id: 'c' }),
    )
    const receiver = new FakeReceiver()
    const deliveries = await aProcess(store, receiver).deliver()
    assert.deepEqual(
      receiver.received.map(({ id }) => id),
      ['c'],
    )
    const failed = deliveries.filter(({ outcome }) => outcome === 'failed')
    assert.deepEqual(failed.map(({ notification: { id } }) => id).toSorted(), ['a', 'b'])
    assert.equal(store.outbox.size, 2)

    const nobody = new FakeReceiver()
    await aProcess(aStoreWithOutbox(aQueued()), nobody, { policy: aPolicy() }).deliver()
    assert.deepEqual(nobody.received, [])
  })

  test('leaves what waits for its next try, unless all are wanted', async () => {
    const early = aQueued({ attempts: 3, nextAt: NOON + 5 * MINUTE })
    const store = aStoreWithOutbox(early)
    const receiver = new FakeReceiver()
    const { deliver, deps } = aProcess(store, receiver)
    assert.deepEqual(await deliver('due'), [])
    assert.deepEqual(await waiting(deps, 10, WAITING), [early])
    assert.deepEqual(
      (await deliver('all')).map(({ outcome }) => outcome),
      ['delivered'],
    )
  })

  test('tries each once, however many are wanted', async () => {
    const store = aStoreWithOutbox(...several(150))
    const { deliver } = aProcess(store, new FakeReceiver(() => 'down'))
    assert.equal((await deliver('all')).length, 150)
    assert.equal(store.outbox.size, 150)
    assert.ok([...store.outbox.values()].every(({ attempts }) => attempts === 1))
  })

  test('waits for the end of a try that may be under way elsewhere', async () => {
    const store = aStoreWithOutbox(aQueued({ attempts: 1, nextAt: NOON + 29 * SECOND }))
    const receiver = new FakeReceiver()
    const { deliver, clock } = aProcess(store, receiver)
    const pending = deliver('all')
    await new Promise((resolve) => setTimeout(resolve, 20))
    assert.deepEqual(receiver.received, [])
    clock.advance(11 * SECOND)
    assert.deepEqual(
      (await pending).map(({ outcome }) => outcome),
      ['delivered'],
    )
  })

  test('stops when its time is over, and leaves the rest as it was', async () => {
    const store = aStoreWithOutbox(...several(20))
    const hanging: Notifier = {
      send: (_, signal) =>
        new Promise((_resolve, reject) => {
          const end = () => reject(new SentinelError('NOTIFICATION_FAILED', 'no time is left'))
          signal.addEventListener('abort', end)
        }),
    }
    const { deliver } = aProcess(store, hanging)
    const alive = setTimeout(() => {}, 5000)
    const deliveries = await deliver('due', 50)
    clearTimeout(alive)
    assert.deepEqual(
      deliveries.map(({ outcome }) => outcome),
      Array(4).fill('failed'),
    )
    const untouched = [...store.outbox.values()].filter(({ attempts }) => attempts === 0)
    assert.equal(untouched.length, 16)
  })

  test('says what was delivered and cannot be taken off', async () => {
    const store = aStoreWithOutbox(aQueued())
    const denied = new SentinelError('STORE_UNAVAILABLE', 'DeleteItem is not allowed')
    store.remove = () => Promise.reject(denied)
    const { deliver, warnings } = aProcess(store, new FakeReceiver())
    assert.deepEqual(
      (await deliver()).map(({ outcome }) => outcome),
      ['delivered'],
    )
    assert.deepEqual(warnings, [
      'the notification of request.created stays in the outbox: DeleteItem is not allowed',
    ])
  })

  test('fails as the outbox does', async () => {
    const silent = new SentinelError('STORE_UNAVAILABLE', 'no answer')
    for (const method of ['due', 'claim'] as const) {
      const store = aStoreWithOutbox(...several(9))
      Object.assign(store, { [method]: () => Promise.reject(silent) })
      await assert.rejects(aProcess(store, new FakeReceiver()).deliver(), silent)
    }
  })

  test('delivers once, when several processes do it at the same time', async () => {
    const store = aStoreWithOutbox(...several(60))
    const receiver = new FakeReceiver()
    const processes = Array.from({ length: 5 }, () => aProcess(slowed(store), receiver))
    const all = await Promise.all(processes.map(({ deliver }) => deliver()))
    assert.equal(all.flat().length, 60)
    assert.deepEqual(new Set(receiver.counts.values()), new Set([1]))
    assert.equal(receiver.counts.size, 60)
    assert.equal(store.outbox.size, 0)
  })
})

suite('a process that is killed', () => {
  test('at any one step leaves each notification to the next, under the same id', async () => {
    let steps = 0
    for (let at = 0; ; at += 1) {
      for (const moment of ['before', 'after'] as const) {
        const queued = several(3)
        const store = aStoreWithOutbox(...queued)
        const receiver = new FakeReceiver()
        const knife = new Knife(at, moment)
        const dying = aProcess(knife.on(store), knife.on(receiver))
        await dying.deliver().catch(assertKilled)
        if (!knife.wasUsed) return assert.ok(steps > 20, `${steps} steps`)
        steps += 1

        const next = aProcess(store, receiver)
        next.clock.advance(7 * HOUR)
        await next.deliver()
        const ids = queued.map(({ id }) => id)
        assert.deepEqual([...receiver.counts.keys()].toSorted(), ids, `${moment} step ${at}`)
        assert.equal(store.outbox.size, 0)
      }
    }
  })

  test('again and again, with receivers that are down, still has each delivered', async () => {
    for (let seed = 1; seed <= scaled(40); seed += 1) {
      const next = random(seed)
      const queued = several(1 + Math.floor(next() * 6))
      const store = aStoreWithOutbox(...queued)
      const receiver = new FakeReceiver(() => (next() < 0.4 ? 'down' : 'taken'))
      const clock = new FakeClock()
      for (let life = 0; life < 12; life += 1) {
        const knife = new Knife(Math.floor(next() * 12), pick(next, ['before', 'after']))
        const which = pick(next, ['due', 'all'] as const)
        const dying = aProcess(knife.on(store), knife.on(receiver), { clock })
        clock.advance(pick(next, [15 * SECOND, 3 * MINUTE, 7 * HOUR]))
        await dying.deliver(which).catch(assertKilled)
      }
      const up = new FakeReceiver()
      clock.advance(7 * HOUR)
      await aProcess(store, up, { clock }).deliver()
      const told = new Set([...receiver.counts.keys(), ...up.counts.keys()])
      const ids = queued.map(({ id }) => id)
      assert.deepEqual([...told].toSorted(), ids, `seed ${seed}`)
      assert.equal(store.outbox.size, 0, `seed ${seed}`)
    }
  })
})

class Killed extends Error {}

function assertKilled(error: unknown): void {
  assert.ok(error instanceof Killed, String(error))
}

/** Ends a process at its step number `at`: nothing that it does afterwards happens. */
class Knife {
  wasUsed = false
  readonly #at: number
  readonly #moment: 'before' | 'after'
  #step = 0

  constructor(at: number, moment: 'before' | 'after') {
    this.#at = at
    this.#moment = moment
  }

  on<Part extends object>(part: Part): Part {
    return new Proxy(part, {
      get: (target, name) => {
        const value: unknown = Reflect.get(target, name)
        if (typeof value !== 'function') return value
        return async (...args: unknown[]) => {
          if (this.wasUsed) throw new Killed()
          const isNow = this.#step === this.#at
          this.#step += 1
          if (isNow) this.wasUsed = true
          if (isNow && this.#moment === 'before') throw new Killed()
          const result: unknown = await value.apply(target, args)
          if (isNow) throw new Killed()
          return result
        }
      },
    })
  }
}

/** The same store, by calls that take a while. */
function slowed(store: Outbox): Outbox {
  const pause = () => new Promise((resolve) => setImmediate(resolve))
  return {
    due: async (...args) => {
      const found = await store.due(...args)
      await pause()
      return found
    },
    claim: async (...args) => {
      await pause()
      return store.claim(...args)
    },
    remove: async (...args) => {
      await pause()
      return store.remove(...args)
    },
  }
}
