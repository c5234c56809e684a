import assert from 'node:assert/strict'
import { afterEach, beforeEach, mock, suite, test } from 'node:test'
import { SessionRecord } from '../../src/app/session-record.ts'
import { SHORT_HASH_LENGTH } from '../../src/domain/log-head.ts'
import { SESSION_LEASE, shownStatus } from '../../src/domain/session.ts'
import { HOUR, MINUTE, SECOND } from '../../src/domain/time.ts'
import { A_START, FAULTS, FaultyRecords, SESSION } from '../fixtures/app/session-records.ts'
import { settle, stopTimers, timed, World } from '../fixtures/app/world.ts'
import { NOON } from '../fixtures/policies.ts'

/** What may be handed out at first. */
const FIRST_END = NOON + 15 * MINUTE

let world: World
let records: FaultyRecords
let record: SessionRecord
let created: number
let suspicions: number

/** A record of the session, in the world as it is now. */
function aRecord(random: () => number = () => 0): SessionRecord {
  const deps = {
    records,
    clock: world.clock,
    log: world.log,
    notices: world.notices,
    random,
    onCreated: () => {
      created += 1
    },
    onSuspicion: () => {
      suspicions += 1
    },
  }
  return new SessionRecord(deps, A_START, { expiresAt: FIRST_END })
}

/** Opens it, and lets the store answer. */
async function open(): Promise<void> {
  record.open()
  await settle()
}

/** Hands out `count` credentials that live until `expiration`. */
function handOut(count: number, expiration = FIRST_END): void {
  for (let request = 0; request < count; request += 1) record.touch(expiration)
}

/** The head of the log, as far as the record of a session keeps it. */
function shortHead(): string | undefined {
  return world.log.head()?.hash.slice(0, SHORT_HASH_LENGTH)
}

/** A suite each of whose tests has a world of its own, and a record that is not open. */
function scene(name: string, tests: () => void): void {
  suite(name, () => {
    beforeEach(() => {
      stopTimers()
      world = new World()
      records = new FaultyRecords()
      created = 0
      suspicions = 0
      record = aRecord()
    })
    afterEach(() => mock.timers.reset())
    tests()
  })
}

scene('session creation', () => {
  test('is one create, of the user, the profile, the server and its times', async () => {
    await open()
    await world.advance(10 * SECOND)

    assert.equal(records.calls.length, 1)
    assert.deepEqual(records.of('create')[0]?.[1], {
      ...A_START,
      requestCount: 0,
      expiresAt: FIRST_END,
      leaseUntil: NOON + SESSION_LEASE,
    })
    const session = await records.read()
    assert.ok(session)
    assert.equal(shownStatus(session, world.clock.aws()), 'active')
    assert.equal(created, 1)
    assert.equal(record.exists(), true)
    assert.deepEqual(world.notices.warnings, [])
  })

  test('writes nothing before it is opened', async () => {
    handOut(3)
    await world.advance(MINUTE)
    await record.close('SIGTERM')
    assert.deepEqual(records.calls, [])
    assert.equal(record.exists(), false)
  })

  test('is waited for by whoever must', async () => {
    records.latency = 2 * SECOND
    const patience = new AbortController()
    record.open()
    const { ms } = await timed(world, record.created(patience.signal))
    assert.equal(ms, 2 * SECOND)
    await record.created(AbortSignal.abort())
  })

  test('that was lost after it was made is no error, and no second record', async () => {
    records.fault = 'lost after'
    await open()
    handOut(2)
    records.fault = undefined
    await world.advance(5 * SECOND)

    assert.equal(created, 1)
    assert.equal(record.exists(), true)
    const session = await records.read()
    assert.equal(session?.requestCount, 2)
    // Its lease is not that of the first try.
    assert.ok(session.leaseUntil > NOON + SESSION_LEASE)
  })

  test('keeps what is handed out before the record is there', async () => {
    records.fault = 'throttled'
    await open()
    handOut(5, FIRST_END + MINUTE)
    record.issued('alice:x')
    records.fault = undefined
    await world.advance(2 * SECOND)
    handOut(1, FIRST_END + MINUTE)
    await world.advance(6 * SECOND)

    const session = await records.read()
    assert.partialDeepStrictEqual(session, {
      requestCount: 6,
      expiresAt: FIRST_END + MINUTE,
      sourceIdentity: 'alice:x',
    })
  })

  test('gives up when the id is another server’s', async () => {
    const other = { ...A_START, serverInstanceId: 'BBBBBBBBBBBBBBBBBBBB' }
    const progress = { requestCount: 7, expiresAt: FIRST_END, leaseUntil: NOON }
    await records.store.create({ ...other, ...progress }, new AbortController().signal)
    record.open()
    await assert.rejects(record.created(new AbortController().signal), { code: 'SESSION_EXISTS' })
    handOut(1)
    await world.advance(HOUR, 10 * SECOND)
    await record.close('SIGTERM')

    assert.equal(records.calls.length, 1)
    assert.equal(record.exists(), false)
    assert.equal((await records.read())?.requestCount, 7)
  })
})

scene('creation failure does not stop the server', () => {
  test('is told once with its hint, and tried again with growing pauses', async () => {
    records.fault = 'throttled'
    await open()
    const seconds: number[] = []
    for (let second = 0; second <= 130; second += 1) {
      if (records.calls.length > seconds.length) seconds.push(second)
      await world.advance(SECOND, SECOND)
    }
    assert.deepEqual(seconds, [0, 1, 3, 7, 15, 31, 61, 91, 121])
    assert.deepEqual(world.notices.warnings, [
      `session ${SESSION} is not being recorded: the table sessions is throttled`,
    ])
    assert.deepEqual(world.notices.hints, ['look at the table'])

    records.fault = undefined
    await world.advance(30 * SECOND)
    assert.equal(created, 1)
    assert.deepEqual(world.notices.infos, [`${records.location} answers again`])
  })

  test('has pauses of its own in every server', async () => {
    records.fault = 'throttled'
    record = aRecord(() => 0.999)
    await open()
    await world.advance(740, 20)
    assert.equal(records.calls.length, 1)
    await world.advance(20, 20)
    assert.equal(records.calls.length, 2)
  })

  test('lets whoever waits for the record know why it is not there', async () => {
    for (const [fault, expected] of [
      ['throttled', { code: 'STORE_UNAVAILABLE', message: /throttled/ }],
      ['no table', { code: 'STORE_NOT_FOUND' }],
      ['silent before', { code: 'STORE_UNAVAILABLE', message: /did not answer in time/ }],
    ] as const) {
      record = aRecord()
      records.fault = fault
      await open()
      const patience = new AbortController()
      const waiting = record.created(patience.signal)
      patience.abort()
      await assert.rejects(waiting, expected)
    }
  })

  test('counts a store that is silent for five seconds as failed, and asks again', async () => {
    records.fault = 'silent before'
    await open()
    await world.advance(5 * SECOND)
    assert.equal(world.notices.warnings.length, 1)
    records.fault = undefined
    await world.advance(SECOND)
    assert.equal(created, 1)
    assert.equal(records.mostAtOnce, 1)
  })

  test('comes of a wrong clock, too, and ends with it', async () => {
    world.clock.isSkewed = true
    await open()
    await world.advance(10 * SECOND)
    assert.deepEqual(records.calls, [])
    await assert.rejects(record.created(AbortSignal.abort()), { code: 'CLOCK_SKEWED' })

    world.clock.isSkewed = false
    await world.advance(10 * SECOND)
    assert.equal(created, 1)
    assert.deepEqual(world.notices.warnings, [])
  })
})

scene('session touch', () => {
  beforeEach(open)

  test('is written soon, and never before the caller goes on', async () => {
    await world.advance(6 * SECOND)
    handOut(1)
    assert.equal(records.calls.length, 1)
    await world.advance(100)
    assert.equal(records.of('touch').length, 1)
    assert.partialDeepStrictEqual(await records.read(), {
      requestCount: 1,
      lastAccessAt: NOON + 6 * SECOND,
    })
  })

  test('is written within a second when it is the first', async () => {
    handOut(1)
    await world.advance(1100)
    assert.equal((await records.read())?.requestCount, 1)
  })

  test('is a handful of writes for 10,000 in 10 seconds, and none is lost', async () => {
    for (let slice = 0; slice < 100; slice += 1) {
      handOut(100)
      await world.advance(100)
    }
    assert.ok(records.of('touch').length <= 4, `${records.of('touch').length} writes`)
    await record.close('SIGTERM')
    assert.equal((await records.read())?.requestCount, 10_000)
  })

  test('does not wait to say that credentials work longer', async () => {
    await world.advance(6 * SECOND)
    handOut(1)
    await world.advance(SECOND)
    handOut(1, FIRST_END + MINUTE)
    await world.advance(100)
    assert.equal((await records.read())?.expiresAt, FIRST_END + MINUTE)
  })

  test('is at most a write a second, however much longer each of them works', async () => {
    for (let request = 1; request <= 1000; request += 1) {
      handOut(1, FIRST_END + request)
      await world.advance(10, 10)
    }
    assert.ok(records.of('touch').length <= 11, `${records.of('touch').length} writes`)
  })

  test('never takes back what it said: not the count, nor an end, nor the last access', async () => {
    handOut(1, FIRST_END + HOUR)
    await world.advance(SECOND)
    world.clock.wall -= MINUTE
    handOut(1, FIRST_END)
    await world.advance(10 * SECOND)
    assert.partialDeepStrictEqual(await records.read(), {
      requestCount: 2,
      expiresAt: FIRST_END + HOUR,
      lastAccessAt: NOON,
    })
  })

  test('is written at once when the machine slept since the last', async () => {
    handOut(1)
    await world.advance(2 * SECOND)
    world.clock.sleep(HOUR)
    handOut(1)
    await world.advance(100)
    assert.partialDeepStrictEqual(await records.read(), {
      requestCount: 2,
      lastAccessAt: world.clock.aws() - 100,
    })
  })

  test('never throws, whatever the clock does', async () => {
    world.clock.isSkewed = true
    await world.advance(10 * SECOND)
    handOut(1)
    await world.advance(10 * SECOND)
    assert.equal(records.of('touch').length, 0)
    world.clock.isSkewed = false
    await world.advance(10 * SECOND)
    assert.partialDeepStrictEqual(await records.read(), {
      requestCount: 1,
      lastAccessAt: NOON + 10 * SECOND,
    })
  })

  for (const fault of FAULTS) {
    test(`counts right though writes are ${fault}: told once, and its end`, async () => {
      records.fault = fault
      for (let second = 0; second < 120; second += 1) {
        handOut(10)
        await world.advance(SECOND, SECOND)
      }
      assert.ok(records.calls.length <= 10, `${records.calls.length} writes`)
      assert.equal(records.mostAtOnce, 1)
      assert.equal(world.notices.warnings.length, 1)
      assert.match(world.notices.warnings[0] ?? '', /^session \w+ is not being recorded: /)

      records.fault = undefined
      await world.advance(31 * SECOND)
      assert.equal((await records.read())?.requestCount, 1200)
      assert.deepEqual(world.notices.infos, [`${records.location} answers again`])
    })
  }

  test('has one write under way at a time, however slow', async () => {
    records.latency = 4900
    for (let second = 0; second < 60; second += 1) {
      handOut(10, FIRST_END + second * SECOND)
      await world.advance(SECOND)
    }
    assert.equal(records.mostAtOnce, 1)
    assert.deepEqual(world.notices.warnings, [])
  })

  test('tells of nothing but a record that is there: a deletion is not undone', async () => {
    const deleted = new FaultyRecords()
    mock.method(records, 'touch', deleted.touch.bind(deleted))
    handOut(1)
    await world.advance(HOUR, 10 * SECOND)
    handOut(1)
    await world.advance(MINUTE)
    await record.close('SIGTERM')

    assert.equal(suspicions, 1)
    assert.equal(record.exists(), false)
    assert.equal(deleted.calls.length, 1)
    assert.equal(records.of('end').length, 0)
  })

  test('learns of a revocation, and settles what was handed out by then', async () => {
    await records.revoke()
    handOut(3, FIRST_END + MINUTE)
    await world.advance(2 * SECOND)
    assert.equal(suspicions, 1)
    assert.partialDeepStrictEqual(await records.read(), {
      requestCount: 3,
      expiresAt: FIRST_END + MINUTE,
      revocation: { by: 'bob' },
    })

    const written = records.calls.length
    await world.advance(HOUR, 10 * SECOND)
    assert.equal(records.calls.length, written)
    assert.equal(suspicions, 1)
  })

  test('says no more once the record has ended', async () => {
    const at = world.clock.aws()
    const progress = { requestCount: 0, expiresAt: FIRST_END, leaseUntil: at }
    await records.store.end(SESSION, progress, { at, reason: 'x' }, new AbortController().signal)
    handOut(1)
    await world.advance(HOUR, 10 * SECOND)
    await record.close('SIGTERM')
    assert.equal(records.of('touch').length, 1)
    assert.equal(records.of('end').length, 0)
    assert.equal(suspicions, 0)
  })
})

scene('session heartbeat', () => {
  test('keeps an idle session active for hours, by a write every 25 to 35 seconds', async () => {
    let at = 0
    const draws = [0, 0.5, 0.999]
    record = aRecord(() => draws[at++ % draws.length]!)
    await open()
    for (let minute = 0; minute < 180; minute += 1) {
      await world.advance(MINUTE, SECOND)
      const session = await records.read()
      assert.ok(session)
      assert.equal(shownStatus(session, world.clock.aws()), 'active')
    }
    const times = records.of('touch').map(([, , , time]) => time)
    const pauses = times.slice(1).map((time, index) => (time - times[index]!) / SECOND)
    assert.ok(pauses.every((pause) => pause >= 25 && pause <= 36))
    assert.ok(new Set(pauses.map(Math.floor)).size > 1)
    assert.equal((await records.read())?.requestCount, 0)
  })

  test('is not needed where a touch was just written', async () => {
    await open()
    for (let second = 0; second < 120; second += 10) {
      handOut(1)
      await world.advance(10 * SECOND)
    }
    assert.equal(records.of('touch').length, 12)
  })

  test('carries the last source identity issued', async () => {
    await open()
    record.issued('alice:first')
    record.issued('alice:last')
    await world.advance(30 * SECOND)
    assert.equal((await records.read())?.sourceIdentity, 'alice:last')
  })

  test('carries the head of the log as it is by then', async () => {
    await open()
    assert.equal((await records.read())?.logHead, undefined)

    for (const type of ['start', 'issued'] as const) {
      world.log.note({ type })
      await world.advance(36 * SECOND)
      assert.equal(shortHead()?.length, 32)
      assert.equal((await records.read())?.logHead, shortHead())
    }
  })
})

scene('session shutdown', () => {
  test('ends the record with the final totals', async () => {
    await open()
    await world.advance(MINUTE)
    handOut(200, FIRST_END + MINUTE)
    await record.close('command ended with status 0')
    handOut(1)
    await world.advance(MINUTE)

    const session = await records.read()
    assert.partialDeepStrictEqual(session, {
      requestCount: 200,
      expiresAt: FIRST_END + MINUTE,
      lastAccessAt: NOON + MINUTE,
      end: { at: NOON + MINUTE, reason: 'command ended with status 0' },
    })
    assert.equal(shownStatus(session!, world.clock.aws()), 'expired')
    assert.equal(records.calls.at(-1)?.[0], 'end')
  })

  test('leaves the head of the log as it is when the last word is written', async () => {
    world.log.note({ type: 'start' })
    await open()
    records.latency = 200
    handOut(1)
    await world.advance(1100)
    const closing = record.close('SIGTERM')
    // While it waits for the write under way.
    world.log.note({ type: 'session.ended' })
    await timed(world, closing)
    assert.equal((await records.read())?.logHead, shortHead())
  })

  test('leaves the head of the log to a revoked session too, though nothing was handed out', async () => {
    await open()
    await records.revoke()
    await world.advance(40 * SECOND)
    world.log.note({ type: 'revoked' })
    await record.close('SIGTERM')
    assert.partialDeepStrictEqual(await records.read(), {
      logHead: shortHead(),
      revocation: { by: 'bob' },
    })
  })

  test('happens once, however often it is asked for', async () => {
    await open()
    await Promise.all([record.close('SIGINT'), record.close('SIGTERM')])
    await record.close('SIGHUP')
    assert.equal(records.of('end').length, 1)
    assert.equal((await records.read())?.end?.reason, 'SIGINT')
  })

  test('waits for the write under way, and for no longer than it has', async () => {
    await open()
    await world.advance(10 * SECOND)
    records.latency = 200
    handOut(1)
    await world.advance(100)
    const closing = record.close('SIGTERM')
    // Too late: nothing is counted that the last word might not say.
    handOut(1)
    const { ms } = await timed(world, closing)
    assert.ok(ms <= 400, `${ms} ms`)
    assert.equal(records.mostAtOnce, 1)
    assert.partialDeepStrictEqual(await records.read(), { requestCount: 1, end: {} })
  })

  test('gives up a write that hangs, and ends all the same', async () => {
    await open()
    await world.advance(10 * SECOND)
    records.fault = 'silent before'
    handOut(7)
    await world.advance(100)
    records.fault = undefined
    const { ms } = await timed(world, record.close('SIGTERM'))
    assert.ok(ms <= 400, `${ms} ms`)
    assert.partialDeepStrictEqual(await records.read(), { requestCount: 7, end: {} })
  })

  for (const fault of FAULTS) {
    test(`takes 1.5 seconds at most when it is ${fault}, tells so, and throws nothing`, async () => {
      await open()
      handOut(3)
      records.fault = fault
      const { ms, error } = await timed(world, record.close('SIGTERM'))
      assert.ok(ms <= 1500, `${ms} ms`)
      assert.equal(error, undefined)
      // One that was made and not heard of is found made by the next try: that is as good.
      const isFound = fault === 'lost after' || fault === 'garbage after'
      if (!isFound) assert.match(world.notices.warnings.at(-1) ?? '', /^the end of session/)
      const written = records.calls.length
      await world.advance(MINUTE, SECOND)
      assert.equal(records.calls.length, written)
      if (fault.endsWith(' after')) assert.equal((await records.read())?.requestCount, 3)
    })
  }

  test('tries again what failed in passing', async () => {
    await open()
    handOut(3)
    const faults = ['throttled', 'lost after'] as const
    let turn = 0
    records.faultOf = () => faults[turn++]
    await timed(world, record.close('SIGTERM'))
    assert.partialDeepStrictEqual(await records.read(), { requestCount: 3, end: {} })
    assert.deepEqual(world.notices.warnings, [])
  })

  test('writes nothing when there is certainly no record', async () => {
    records.fault = 'no table'
    await open()
    records.fault = undefined
    await record.close('SIGTERM')
    assert.equal(await records.read(), undefined)
    assert.equal(records.calls.length, 1)
  })

  for (const fault of ['lost before', 'lost after', 'silent before', 'silent after'] as const) {
    test(`settles a creation that was ${fault}: there is one record, and it has ended`, async () => {
      records.fault = fault
      await open()
      await world.advance(500)
      records.fault = undefined
      handOut(2)
      await timed(world, record.close('SIGTERM'))
      assert.partialDeepStrictEqual(await records.read(), { requestCount: 2, end: {} })
    })
  }

  test('leaves no active record to a creation that comes through after it', async () => {
    records.latency = 3 * SECOND
    await open()
    records.latency = 10
    await timed(world, record.close('SIGTERM'))
    await world.advance(10 * SECOND)
    assert.ok((await records.read())?.end)
    assert.equal(record.exists(), false)
  })

  test('ends the record of a creation that comes through meanwhile', async () => {
    records.latency = 200
    await open()
    await timed(world, record.close('SIGTERM'))
    assert.equal(created, 1)
    assert.deepEqual(
      records.calls.map(([verb]) => verb),
      ['create', 'end'],
    )
  })

  test('settles a session that was revoked, and leaves it revoked', async () => {
    await open()
    await records.revoke()
    handOut(4)
    await record.close('SIGTERM')
    const session = await records.read()
    assert.equal(session?.requestCount, 4)
    assert.ok(session.revocation)
    assert.equal(session.end, undefined)
  })

  test('settles again only what was handed out since', async () => {
    await open()
    await records.revoke()
    handOut(1)
    await world.advance(10 * SECOND)
    const settled = records.of('settle').length
    handOut(1)
    await record.close('SIGTERM')
    assert.equal(records.of('settle').length, settled + 1)
    assert.equal((await records.read())?.requestCount, 2)
    assert.equal(records.of('end').length, 0)
  })

  test('has a time even when nobody can tell it', async () => {
    await open()
    await world.advance(MINUTE)
    world.clock.isSkewed = true
    world.clock.wall += HOUR
    await record.close('SIGTERM')
    assert.equal((await records.read())?.end?.at, NOON + MINUTE)
  })
})
