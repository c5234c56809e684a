import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import type { Notification, QueuedNotification } from '../../src/domain/notification.ts'
import { HOUR, MINUTE } from '../../src/domain/time.ts'
import type { Outbox } from '../../src/ports/outbox.ts'
import { pick, random, scaled } from '../fixtures/random.ts'
import { aNotification, eventually, NOW, openIn, WAITING } from './store-under-test.ts'

/** A store with an outbox: the place may be shared with other tests. */
export interface OutboxUnderTest {
  readonly store: Outbox & AsyncDisposable
  /** Another handle on the same place, as another process has one. */
  readonly peer: Outbox & AsyncDisposable
  /** Writes something new to the store, and `notifications` in the same transaction. */
  announce(notifications: readonly Notification[]): Promise<void>
  /** How long `due` may take to know what was written. Absent: it knows. */
  readonly indexLagMs?: number
}

type OpenOutboxUnderTest = () => Promise<OutboxUnderTest>

const LATER = NOW + MINUTE

/** The contract of `Outbox`, run once for every store that has one. */
export function testOutbox(backend: string, open: OpenOutboxUnderTest): void {
  suite(`Outbox: ${backend}`, () => {
    testQueue(open)
    testClaims(open)
    testDeaths(open)
  })
}

function testQueue(open: OpenOutboxUnderTest): void {
  test('gives whole notifications, the oldest first', async (t) => {
    const place = await openIn(t, open)
    const newest = aNotification({
      event: 'break_glass.overdue',
      target: { kind: 'sns', address: 'arn:aws:sns:eu-central-1:111122223333:alarms' },
    })
    const oldest = aNotification({
      at: NOW - HOUR,
      target: { kind: 'slack', address: 'https://hooks.slack.example/services/T0/B0?a=1&b="2"' },
      fields: { reason: `it's "gone" 🗝\n`, none: '', share: 0.5, count: 0, below: -1 },
    })
    const between = aNotification({ at: NOW - 1, fields: {} })
    for (const notification of [newest, oldest, between]) await place.announce([notification])

    const expected = [oldest, between, newest].map(queued)
    await eventually(place, async () => {
      assert.deepEqual(await due(place.peer, NOW, [newest, oldest, between]), expected)
    })
  })

  test('gives no more than are asked for, and those first that waited longest', async (t) => {
    const place = await openIn(t, open)
    // Older than whatever other tests leave.
    const long = NOW - 9000 * HOUR - Math.floor(Math.random() * 1e6)
    const waiting = [3, 1, 4, 0, 2].map((age) => aNotification({ at: long + age }))
    await place.announce(waiting)

    await eventually(place, async () => {
      const found = await place.store.due(long + 10, 3, WAITING)
      assert.deepEqual(
        found.map(({ at }) => at - long),
        [0, 1, 2],
      )
    })
    await removeAll(place.store, waiting)
  })

  test('holds nothing of what could not be written as a whole', async (t) => {
    const place = await openIn(t, open)
    const [first, other] = [aNotification(), aNotification()]
    await place.announce([first])

    const taken = aNotification({ id: first.id, fields: { requester: 'mallory' } })
    await assert.rejects(place.announce([other, taken]), { code: 'STORE_INVALID' })

    await eventually(place, async () => {
      assert.deepEqual(await due(place.store, LATER, [first, other]), [queued(first)])
    })
  })

  test('forgets what was delivered, however often that is said', async (t) => {
    const place = await openIn(t, open)
    const [gone, stays] = [aNotification(), aNotification()]
    await place.announce([gone, stays])

    await place.store.remove(gone.id, WAITING)
    await place.peer.remove(gone.id, WAITING)

    await eventually(place, async () => {
      assert.deepEqual(await due(place.peer, LATER, [gone, stays]), [queued(stays)])
    })
    assert.equal(await place.store.claim(queued(gone), LATER, WAITING), false)
    await eventually(place, async () => {
      assert.deepEqual(await due(place.peer, LATER, [gone]), [])
    })
  })
}

function testClaims(open: OpenOutboxUnderTest): void {
  test('hides what was claimed until its time has come, and counts the tries', async (t) => {
    const place = await openIn(t, open)
    const notification = aNotification()
    await place.announce([notification])

    assert.equal(await place.store.claim(queued(notification), LATER, WAITING), true)

    const claimed = { ...notification, attempts: 1, nextAt: LATER }
    await eventually(place, async () => {
      assert.deepEqual(await due(place.peer, LATER - 1, [notification]), [])
      assert.deepEqual(await due(place.peer, LATER, [notification]), [claimed])
    })
    assert.equal(await place.peer.claim(claimed, LATER + HOUR, WAITING), true)
    await eventually(place, async () => {
      const [found] = await due(place.store, LATER + HOUR, [notification])
      assert.deepEqual(found, { ...notification, attempts: 2, nextAt: LATER + HOUR })
    })
  })

  test('gives one that several want to one of them', async (t) => {
    const { store, peer, ...place } = await openIn(t, open)
    const notification = aNotification()
    await place.announce([notification])

    const answers = await Promise.all(
      Array.from({ length: 12 }, (_, n) =>
        (n % 2 === 0 ? store : peer).claim(queued(notification), LATER + n, WAITING),
      ),
    )

    assert.equal(answers.filter(Boolean).length, 1)
    await eventually(place, async () => {
      const [found] = await due(store, LATER + 12, [notification])
      assert.deepEqual([found?.attempts, found?.nextAt], [1, LATER + answers.indexOf(true)])
    })
  })

  test('does nothing for a caller who no longer waits', async (t) => {
    const { store, ...place } = await openIn(t, open)
    const notification = aNotification()
    await place.announce([notification])
    const gone = AbortSignal.abort(new Error('nobody waits'))

    const calls = {
      due: store.due(LATER, 10, gone),
      claim: store.claim(queued(notification), LATER, gone),
      remove: store.remove(notification.id, gone),
    }
    const answers = await Promise.allSettled(Object.values(calls))

    for (const [n, name] of Object.keys(calls).entries()) {
      const answer = answers[n]
      const code = answer?.status === 'rejected' && answer.reason.code
      assert.equal(code, 'STORE_UNAVAILABLE', name)
    }
    await eventually(place, async () => {
      assert.deepEqual(await due(store, LATER, [notification]), [queued(notification)])
    })
  })
}

/** Whoever delivers may die between any two steps, and several deliver at a time. */
function testDeaths(open: OpenOutboxUnderTest): void {
  test('loses nothing to deliverers that die at any step', async (t) => {
    const seed = 20_260_117
    const next = random(seed)
    const place = await openIn(t, open)
    const notifications = Array.from({ length: scaled(15) }, () => aNotification())
    const fates = new Map(notifications.map(({ id }) => [id, someDeaths(next)]))
    const expected = new Map([...fates].map(([id, deaths]) => [id, deliveries(deaths)]))
    await place.announce(notifications.slice(0, 5))
    for (const notification of notifications.slice(5)) await place.announce([notification])
    await eventually(place, async () => {
      assert.equal((await due(place.peer, NOW, notifications)).length, notifications.length)
    })

    const delivered = new Map<string, number>()
    const deliver = async (outbox: Outbox, waiting: readonly QueuedNotification[], at: number) => {
      for (const notification of waiting) {
        const { id } = notification
        if (!(await outbox.claim(notification, at + MINUTE, WAITING))) continue
        const death = fates.get(id)?.pop()
        if (death === 'claimed') continue
        delivered.set(id, (delivered.get(id) ?? 0) + 1)
        if (death !== 'delivered') await outbox.remove(id, WAITING)
      }
    }
    for (let round = 0; round <= MOST_DEATHS; round += 1) {
      const now = NOW + round * MINUTE
      const waiting = await due(place.store, now, notifications)
      const handles = [place.store, place.peer, place.store]
      await Promise.all(handles.map((handle) => deliver(handle, waiting, now)))
    }

    // At least once, and again only where somebody died between delivering and saying so.
    assert.deepEqual(delivered, expected, `seed ${seed}`)
    assert.deepEqual(await due(place.peer, NOW + HOUR, notifications), [])
  })
}

/** After which of their steps those who try a notification die, before one comes through. */
type Death = 'claimed' | 'delivered'

const MOST_DEATHS = 3

function someDeaths(next: () => number): Death[] {
  const count = Math.floor(next() * (MOST_DEATHS + 1))
  return Array.from({ length: count }, () => pick(next, ['claimed', 'delivered']))
}

function deliveries(deaths: readonly Death[]): number {
  return 1 + deaths.filter((death) => death === 'delivered').length
}

/** As one waits that nobody has tried. */
function queued(notification: Notification): QueuedNotification {
  return { ...notification, attempts: 0, nextAt: notification.at }
}

/** What of `ours` is due, in the order of the outbox. */
async function due(
  outbox: Outbox,
  now: number,
  ours: readonly Notification[],
): Promise<readonly QueuedNotification[]> {
  const ids = new Set(ours.map(({ id }) => id))
  const found = await outbox.due(now, 1000, WAITING)
  return found.filter(({ id }) => ids.has(id))
}

async function removeAll(outbox: Outbox, ours: readonly Notification[]): Promise<void> {
  for (const { id } of ours) await outbox.remove(id, WAITING)
}
