import assert from 'node:assert/strict'
import { afterEach, beforeEach, mock, suite, test } from 'node:test'
import { anchoredLog } from '../../src/app/anchored-log.ts'
import { HOUR, MINUTE, SECOND } from '../../src/domain/time.ts'
import { SentinelError } from '../../src/errors.ts'
import type { DecisionLog } from '../../src/ports/decision-log.ts'
import { MemoryAnchors, unreachableAnchors } from '../fixtures/anchors.ts'
import { settle, stopTimers, timed, World } from '../fixtures/app/world.ts'
import { NOON } from '../fixtures/policies.ts'

const LOG = '9f86d081884c7d65'

let world: World
let anchors: MemoryAnchors
let isKnown: boolean
/** What opening the store rejects with, while set. */
let openFault: SentinelError | undefined
let log: DecisionLog

function open(): DecisionLog {
  return anchoredLog({
    ...world,
    place: {
      host: 'laptop',
      log: LOG,
      async open() {
        if (openFault) throw openFault
        return anchors
      },
    },
    maySign: () => isKnown,
  })
}

/** What is anchored of the run's stream. */
function anchored(): number | undefined {
  return anchors.rows.get(world.log.stream)?.head.seq
}

const close = () => timed(world, Promise.resolve(log[Symbol.asyncDispose]()))

suite('anchors of a run', () => {
  beforeEach(() => {
    stopTimers()
    world = new World()
    anchors = new MemoryAnchors()
    isKnown = true
    openFault = undefined
    log = open()
  })
  afterEach(() => mock.timers.reset())

  test('a log without a place for them is the log itself', () => {
    assert.equal(anchoredLog({ ...world, place: undefined, maySign: () => true }), world.log)
  })

  test('passes on what is asked of the log', async () => {
    log.note({ type: 'start' })
    await log.append({ type: 'issued' })
    assert.equal(log.stream, world.log.stream)
    assert.deepEqual(log.head(), world.log.head())
    world.log.isFull = true
    await assert.rejects(log.append({ type: 'issued' }), { code: 'LOG_UNAVAILABLE' })
    await log[Symbol.asyncDispose]()
    assert.equal(world.log.isClosed, true)
  })

  test('comes a few seconds after the first credential, with all there is by then', async () => {
    log.note({ type: 'start' })
    await world.advance(20 * SECOND)
    await log.append({ type: 'issued' })
    log.note({ type: 'served' })
    assert.equal(anchors.puts.length, 0)

    await world.advance(3 * SECOND)

    assert.deepEqual(anchors.puts, [
      { head: world.log.head(), host: 'laptop', log: LOG, at: NOON + 23 * SECOND },
    ])
  })

  test('moves on within a minute, at most once in one, and rests while nothing happens', async () => {
    await log.append({ type: 'issued' })
    await world.advance(3 * SECOND)
    assert.equal(anchors.puts.length, 1)
    await world.advance(HOUR, SECOND)
    assert.equal(anchors.puts.length, 1)

    for (let second = 0; second < 600; second += 1) {
      log.note({ type: 'refused' })
      await world.advance(SECOND, SECOND)
    }
    assert.ok(anchors.puts.length <= 1 + 10, `${anchors.puts.length} writes`)
    await world.advance(MINUTE, SECOND)
    assert.equal(anchored(), world.log.records.length)
  })

  test('is left at the end with stop, which is its last line', async () => {
    await log.append({ type: 'issued' })
    log.note({ type: 'stop' })

    const { ms } = await close()

    assert.equal(ms, 0)
    assert.equal(anchors.puts.length, 1)
    assert.equal(anchored(), 2)
    assert.deepEqual(world.notices.warnings, [])
    await world.advance(HOUR, SECOND)
    assert.equal(anchors.puts.length, 1)
  })

  test('is not written again at the end where nothing came since', async () => {
    await log.append({ type: 'issued' })
    await world.advance(3 * SECOND)
    await close()
    assert.equal(anchors.puts.length, 1)
  })

  test('delays no record, however slow the store', async () => {
    anchors.isSilent = true
    for (let minute = 0; minute < 5; minute += 1) {
      const { ms } = await timed(world, log.append({ type: 'issued' }))
      assert.equal(ms, 0)
      await world.advance(MINUTE, SECOND)
    }
    assert.ok(anchors.puts.length <= 6, `${anchors.puts.length} tries`)
  })

  test('asks nobody before it is known who could sign: a refusal may be all there is', async () => {
    isKnown = false
    openFault = new SentinelError('BASE_CREDENTIALS_MISSING', 'nobody is to be asked')
    await log.append({ type: 'refused' })
    await world.advance(2 * MINUTE, SECOND)
    await close()
    assert.equal(anchors.puts.length, 0)
    assert.deepEqual(world.notices.warnings, [])
  })

  test('is signed as soon as somebody is known', async () => {
    isKnown = false
    log.note({ type: 'start' })
    await world.advance(2 * MINUTE, SECOND)
    isKnown = true
    await log.append({ type: 'issued' })
    await world.advance(3 * SECOND)
    assert.equal(anchored(), 2)
  })

  test('tells of an outage once, and of its end, and lets nothing be lost', async () => {
    anchors.fault = unreachableAnchors()
    await log.append({ type: 'issued' })
    await world.advance(10 * MINUTE, SECOND)
    assert.deepEqual(world.notices.warnings, [
      'the decision log is not being anchored: the table of anchors does not answer',
    ])
    assert.deepEqual(world.notices.hints, ['look at the network'])
    assert.ok(anchors.puts.length >= 9 && anchors.puts.length <= 11, `${anchors.puts.length}`)

    anchors.fault = undefined
    await world.advance(MINUTE, SECOND)
    assert.equal(anchored(), 1)
    assert.deepEqual(world.notices.infos, [`${anchors.location} answers again`])

    anchors.fault = unreachableAnchors()
    log.note({ type: 'served' })
    await world.advance(2 * MINUTE, SECOND)
    assert.equal(world.notices.warnings.length, 2)
  })

  test('tells of one who cannot sign as of an outage', async () => {
    openFault = new SentinelError('BASE_CREDENTIALS_EXPIRED', 'the login ended', {
      hint: 'log in again',
    })
    await log.append({ type: 'issued' })
    await world.advance(5 * MINUTE, SECOND)
    assert.deepEqual(world.notices.warnings, [
      'the decision log is not being anchored: the login ended',
    ])
    assert.deepEqual(world.notices.hints, ['log in again'])
  })

  test('holds the end up for 1.5 s at most, and tells', async () => {
    anchors.isSilent = true
    await log.append({ type: 'issued' })
    const { ms, error } = await close()
    assert.equal(error, undefined)
    assert.ok(ms >= 1400 && ms <= 1600, `${ms} ms`)
    assert.match(world.notices.warnings[0] ?? '', /^the end of the decision log is not anchored: /)
  })

  test('holds the end up for half a second where it is told of an outage already', async () => {
    anchors.isSilent = true
    await log.append({ type: 'issued' })
    await world.advance(10 * SECOND, SECOND)
    log.note({ type: 'stop' })
    const { ms } = await close()
    assert.ok(ms <= 600, `${ms} ms`)
    assert.equal(world.notices.warnings.length, 1)
  })

  test('waits a little for a write under way, and gives up one that is too slow', async () => {
    anchors.latency = 200
    await log.append({ type: 'issued' })
    await world.advance(3 * SECOND)
    log.note({ type: 'stop' })
    const { ms } = await close()
    assert.ok(ms <= 450, `${ms} ms`)
    assert.deepEqual(
      anchors.puts.map(({ head }) => head.seq),
      [1, 2],
    )

    world = new World()
    anchors = new MemoryAnchors()
    log = open()
    await log.append({ type: 'issued' })
    anchors.latency = 4000
    await world.advance(3 * SECOND)
    anchors.latency = 0
    log.note({ type: 'stop' })
    const second = await close()
    assert.ok(second.ms <= 350, `${second.ms} ms`)
    assert.equal(anchored(), 2)
    assert.deepEqual(world.notices.warnings, [])
  })

  test('is left for what is durable, though the last records are lost', async () => {
    await log.append({ type: 'issued' })
    mock.method(world.log, Symbol.asyncDispose, async () => {
      throw new SentinelError('LOG_UNAVAILABLE', 'no space left')
    })
    const { error } = await close()
    assert.ok(error instanceof SentinelError)
    assert.equal(error.code, 'LOG_UNAVAILABLE')
    assert.equal(anchored(), 1)
  })

  test('has local time while the clock is off, and is written once however often it ends', async () => {
    world.clock.isSkewed = true
    log.note({ type: 'refused' })
    await Promise.all([close(), log[Symbol.asyncDispose]()])
    assert.equal(anchors.puts.length, 1)
    assert.equal(anchors.puts[0]?.at, NOON)
  })

  test('takes a stale answer for its own: an earlier try came through', async () => {
    await log.append({ type: 'issued' })
    await anchors.put(
      { head: world.log.head()!, host: 'laptop', log: LOG, at: NOON },
      new AbortController().signal,
    )
    await close()
    await settle()
    assert.deepEqual(world.notices.warnings, [])
  })
})
