import assert from 'node:assert/strict'
import { afterEach, beforeEach, mock, suite, test } from 'node:test'
import { SessionVerdict, type SessionVerdictDeps } from '../../src/app/session-verdict.ts'
import type { Revocation, SessionId } from '../../src/domain/session.ts'
import { HOUR, MINUTE, SECOND } from '../../src/domain/time.ts'
import { SentinelError } from '../../src/errors.ts'
import type { LookSubject } from '../../src/ports/session-store.ts'
import { aLock, ScriptedRecords, storeFault } from '../fixtures/app/scripted-records.ts'
import { settle, stopTimers, World } from '../fixtures/app/world.ts'
import { NOON } from '../fixtures/policies.ts'

const ID = '00000000000a11ce' as SessionId
const ALICE: LookSubject = { id: ID, user: 'alice', profile: 'prod' }
const RULES = { grace: MINUTE, outage: 'allow', outageMax: 15 * MINUTE, isRequired: false } as const

let world: World
let store: ScriptedRecords
let rules: ReturnType<SessionVerdictDeps['rules']>
let ending: AbortController
let revocations: { error: SentinelError; revocation: Revocation | undefined }[]
let lockings: SentinelError[]
let verdict: SessionVerdict

function open(subject = ALICE): SessionVerdict {
  return new SessionVerdict(
    {
      records: store,
      clock: world.clock,
      notices: world.notices,
      rules: () => rules,
      onRevoked: (error, revocation) => revocations.push({ error, revocation }),
      onLocked: (error) => lockings.push(error),
      ending: ending.signal,
    },
    subject,
  )
}

/** What the verdict refuses with; `undefined` when it serves. */
function refusal(): SentinelError | undefined {
  try {
    verdict.assert()
    return undefined
  } catch (error) {
    assert.ok(error instanceof SentinelError, String(error))
    return error
  }
}

/** A verdict that is kept up to date, and has its first answer. */
async function begin(): Promise<void> {
  verdict.start()
  await settle()
}

/** A store that has answered, and does not any more. */
async function beginOutage(): Promise<void> {
  await begin()
  store.fault = storeFault()
}

beforeEach(() => {
  stopTimers()
  world = new World()
  store = new ScriptedRecords()
  rules = RULES
  ending = new AbortController()
  revocations = []
  lockings = []
  verdict = open()
})

afterEach(() => {
  verdict[Symbol.dispose]()
  mock.timers.reset()
})

suite('SessionVerdict: looks', () => {
  test('asks about its subject, and serves once it was answered', async () => {
    assert.equal(refusal()?.code, 'STORE_UNAVAILABLE')
    await settle()
    assert.deepEqual(
      store.asked.map(({ subject }) => subject),
      [ALICE],
    )
    assert.equal(refusal(), undefined)
    assert.equal(verdict.isUnverified(), false)
  })

  test('asks every 2 s, start to start, however long an answer takes', async () => {
    store.latency = 1900
    await begin()
    await world.advance(20 * SECOND)
    assert.equal(store.asked.length, 11)
    assert.equal(store.mostUnderWay, 1)
  })

  test('starts in step with a look just before', async () => {
    await verdict.look()
    await world.advance(500)
    verdict.start()
    assert.equal(store.asked.length, 1)
    await world.advance(1500)
    assert.equal(store.asked.length, 2)
  })

  test('joins the look under way', async () => {
    store.latency = SECOND
    const looks = [verdict.look(), verdict.look()]
    await world.advance(SECOND)
    await Promise.all(looks)
    assert.equal(store.asked.length, 1)
  })

  test('gives a look up after 2 s, and tells the store', async () => {
    store.latency = HOUR
    const look = verdict.look()
    await world.advance(1900)
    assert.equal(store.asked[0]?.signal.aborted, false)
    await world.advance(100)
    await look
    assert.equal(store.asked[0]?.signal.aborted, true)
  })

  test('asks again in its turn though the store ignores that a look was given up', async () => {
    await begin()
    store.latency = HOUR
    store.heedsSignal = false
    await world.advance(10 * SECOND)
    assert.equal(store.asked.length, 6)
    store.latency = 0
    store.revoke()
    await world.advance(2 * SECOND)
    assert.equal(refusal()?.code, 'SESSION_REVOKED')
  })

  test('takes no answer that comes too late over a newer one', async () => {
    store.locks = [aLock()]
    store.latency = 3 * SECOND
    store.heedsSignal = false
    await begin()
    await world.advance(2 * SECOND, 1000)
    store.locks = []
    store.latency = 0
    await world.advance(2 * SECOND)
    assert.equal(refusal(), undefined)
    assert.deepEqual(lockings, [])
  })

  test('keeps a process alive for a single look only', async () => {
    mock.timers.reset()
    const timers = () => process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout')
    const before = timers().length
    const look = verdict.look()
    assert.equal(timers().length, before + 1)
    await look
    assert.equal(timers().length, before)
    verdict.start()
    void verdict.look()
    assert.equal(timers().length, before)
  })

  test('asks nothing more once disposed, or once the run ends', async () => {
    await begin()
    ending.abort()
    await world.advance(10 * SECOND)
    assert.equal(store.asked.length, 1)
    await verdict.look()
    assert.equal(store.asked.length, 1)
  })

  test('lets go of a look under way when the run ends', async () => {
    store.latency = HOUR
    const look = verdict.look()
    ending.abort()
    await look
    assert.equal(store.asked[0]?.signal.aborted, true)
    assert.deepEqual(world.notices.warnings, [])
  })

  test('asks nothing when the run has ended before', async () => {
    ending.abort()
    verdict = open()
    await verdict.look()
    assert.deepEqual(store.asked, [])
  })
})

suite('SessionVerdict: a revocation', () => {
  test('is told once, with who and why, and refuses from then on', async () => {
    await begin()
    store.revoke()
    await world.advance(2 * SECOND)

    const error = refusal()
    assert.equal(error?.code, 'SESSION_REVOKED')
    assert.equal(error.message, `session ${ID} was revoked by bob: laptop stolen`)
    assert.equal(error.reply, 'the session was revoked by bob: laptop stolen')
    assert.equal(error.hint, 'ask bob before you start another session')
    const revocation = { at: NOON, by: 'bob', reason: 'laptop stolen' }
    assert.deepEqual(revocations, [{ error, revocation }])
  })

  test('is a latch, and the last thing that is asked for', async () => {
    store.revoke()
    await begin()
    const asked = store.asked.length
    store.session = undefined
    store.fault = storeFault()
    await world.advance(HOUR, MINUTE)
    verdict.suspect()
    await verdict.look()
    assert.equal(refusal(), revocations[0]?.error)
    assert.equal(revocations.length, 1)
    assert.equal(store.asked.length, asked)
  })

  test('is believed even when the answer comes too late', async () => {
    store.revoke()
    store.latency = 3 * SECOND
    store.heedsSignal = false
    await begin()
    await world.advance(3 * SECOND)
    assert.equal(refusal()?.code, 'SESSION_REVOKED')
  })

  test('is told with as much of the reason as a reason may be long', async () => {
    store.revoke('💣'.repeat(10_000))
    await begin()
    assert.equal(refusal()?.reply, `the session was revoked by bob: ${'💣'.repeat(199)}…`)
  })

  test('is a record that is gone after it was made', async () => {
    await begin()
    verdict.expectRecord()
    store.session = undefined
    await world.advance(2 * SECOND)
    const error = refusal()
    assert.equal(error?.code, 'SESSION_REVOKED')
    assert.match(error.message, /its record is gone from dynamodb:eu-central-1:sessions$/)
    assert.equal(error.reply, 'the session counts as revoked: its record is gone')
    assert.deepEqual(revocations, [{ error, revocation: undefined }])
  })

  test('is a record that is gone after it was seen', async () => {
    await begin()
    store.session = undefined
    await world.advance(2 * SECOND)
    assert.equal(refusal()?.code, 'SESSION_REVOKED')
  })

  test('is no record that is not there yet', async () => {
    store.session = undefined
    store.latency = SECOND
    await begin()
    verdict.expectRecord()
    await world.advance(SECOND)
    assert.equal(refusal(), undefined)
    await world.advance(2 * SECOND)
    assert.equal(refusal()?.code, 'SESSION_REVOKED')
  })

  test('is looked for at once when a write met it', async () => {
    await begin()
    await world.advance(500)
    store.revoke()
    verdict.suspect()
    await settle()
    assert.equal(refusal()?.code, 'SESSION_REVOKED')
  })

  test('is looked for again when a write met it during a look', async () => {
    store.latency = 500
    await begin()
    store.revoke()
    verdict.suspect()
    await world.advance(500)
    assert.equal(refusal(), undefined)
    await world.advance(500)
    assert.equal(refusal()?.code, 'SESSION_REVOKED')
    assert.equal(store.mostUnderWay, 1)
  })
})

suite('SessionVerdict: locks', () => {
  test('refuse until their time, with one error', async () => {
    store.locks = [aLock({ until: NOON + 10 * SECOND })]
    await begin()
    const error = refusal()
    assert.equal(error?.code, 'SESSION_LOCKED')
    const message = 'user alice is locked until 2026-01-14T12:00:10Z by bob: laptop stolen'
    assert.deepEqual([error.message, error.reply], [message, message])
    assert.equal(error.hint, 'wait until then, or ask bob to unlock it')

    await world.advance(9900)
    assert.equal(refusal(), error)
    await world.advance(100)
    assert.equal(refusal(), undefined)
    assert.deepEqual(lockings, [error])
  })

  test('that are over hold nobody', async () => {
    store.locks = [aLock({ until: NOON })]
    await begin()
    assert.equal(refusal(), undefined)
    assert.deepEqual(lockings, [])
  })

  test('hold by AWS time', async () => {
    world.clock.offset = 2 * HOUR
    store.locks = [aLock()]
    await begin()
    assert.equal(refusal(), undefined)
  })

  test('stop to hold when they are taken away, and are told again when they are back', async () => {
    store.locks = [aLock()]
    await begin()
    store.locks = []
    await world.advance(2 * SECOND)
    assert.equal(refusal(), undefined)
    store.locks = [aLock()]
    await world.advance(2 * SECOND)
    assert.equal(refusal()?.code, 'SESSION_LOCKED')
    assert.equal(lockings.length, 2)
  })

  test('are told by the one that ends last', async () => {
    store.locks = [
      aLock({ until: NOON + HOUR }),
      aLock({ until: NOON + 2 * HOUR, scope: { kind: 'all' }, reason: 'incident' }),
      aLock({ until: NOON + MINUTE, scope: { kind: 'profile', name: 'prod' } }),
    ]
    await begin()
    assert.equal(
      refusal()?.message,
      'everyone is locked until 2026-01-14T14:00:00Z by bob: incident',
    )
  })

  test('hold while the store is silent', async () => {
    store.locks = [aLock()]
    await beginOutage()
    await world.advance(30 * MINUTE, SECOND)
    assert.equal(refusal()?.code, 'SESSION_LOCKED')
  })

  test('refuse as the clock does while that cannot tell whether they hold', async () => {
    world.clock.isSkewed = true
    store.locks = [aLock()]
    await begin()
    assert.equal(refusal()?.code, 'CLOCK_SKEWED')
    world.clock.isSkewed = false
    assert.equal(refusal()?.code, 'SESSION_LOCKED')
    assert.equal(lockings.length, 1)
  })

  test('are all that counts without a session', async () => {
    verdict = open({ user: 'alice', profile: 'prod' })
    store.revoke()
    await verdict.look()
    verdict.expectRecord()
    store.session = undefined
    await verdict.look()
    assert.equal(refusal(), undefined)
    store.locks = [aLock()]
    await verdict.look()
    assert.equal(refusal()?.code, 'SESSION_LOCKED')
    assert.deepEqual(revocations, [])
  })
})

suite('SessionVerdict: a silent store', () => {
  test('is borne for the grace, without a word', async () => {
    await beginOutage()
    await world.advance(MINUTE)
    assert.equal(refusal(), undefined)
    assert.equal(verdict.isUnverified(), false)
    assert.deepEqual(world.notices.warnings, [])
  })

  test('is warned of once after the grace, and borne for the outage', async () => {
    await beginOutage()
    await world.advance(16 * MINUTE, SECOND)
    assert.equal(refusal(), undefined)
    assert.equal(verdict.isUnverified(), true)
    assert.deepEqual(world.notices.warnings, [
      'the session cannot be verified, and credentials are still issued for up to 15m: ' +
        'the session store did not answer',
    ])
    assert.deepEqual(world.notices.hints, ['look at the network'])
  })

  test('is warned of though nobody asks for anything', async () => {
    await beginOutage()
    await world.advance(62 * SECOND, SECOND)
    assert.equal(world.notices.warnings.length, 1)
  })

  test('refuses after the outage, with one error', async () => {
    await beginOutage()
    await world.advance(16 * MINUTE + SECOND, SECOND)
    const error = refusal()
    assert.equal(error?.code, 'STORE_UNAVAILABLE')
    assert.equal(error.status, 503)
    assert.equal(error.message, 'the session cannot be verified: the session store did not answer')
    assert.equal(error.reply, 'the session cannot be verified at the moment')
    await world.advance(MINUTE)
    assert.equal(refusal(), error)
  })

  for (const strict of [{ isRequired: true }, { outage: 'deny' }] as const) {
    test(`refuses after the grace under ${JSON.stringify(strict)}`, async () => {
      rules = { ...RULES, ...strict }
      await beginOutage()
      await world.advance(MINUTE)
      assert.equal(refusal(), undefined)
      await world.advance(100)
      assert.equal(refusal()?.code, 'STORE_UNAVAILABLE')
      assert.deepEqual(world.notices.warnings, [])
    })

    test(`refuses from the start under ${JSON.stringify(strict)}`, async () => {
      rules = { ...RULES, ...strict }
      store.fault = storeFault()
      await begin()
      assert.match(refusal()?.message ?? '', /^the session cannot be verified/)
      store.fault = undefined
      await world.advance(2 * SECOND)
      assert.equal(refusal(), undefined)
    })
  }

  test('is judged by the rules of the moment', async () => {
    await beginOutage()
    await world.advance(2 * MINUTE, SECOND)
    assert.equal(refusal(), undefined)
    rules = { ...RULES, isRequired: true }
    assert.equal(refusal()?.code, 'STORE_UNAVAILABLE')
    rules = { ...RULES, grace: 3 * MINUTE, isRequired: true }
    assert.equal(refusal(), undefined)
  })

  test('is warned of from the start without a verdict, and borne as if there had been one', async () => {
    store.fault = storeFault()
    await begin()
    assert.equal(refusal(), undefined)
    assert.equal(verdict.isUnverified(), true)
    assert.match(world.notices.warnings[0] ?? '', /issued for up to 16m/)
    await world.advance(16 * MINUTE, SECOND)
    assert.equal(refusal(), undefined)
    await world.advance(SECOND)
    assert.equal(refusal()?.code, 'STORE_UNAVAILABLE')
    assert.equal(world.notices.warnings.length, 1)
  })

  test('is told to answer again, once an outage', async () => {
    await beginOutage()
    await world.advance(2 * MINUTE, SECOND)
    store.fault = undefined
    await world.advance(MINUTE, SECOND)
    assert.equal(refusal(), undefined)
    assert.equal(verdict.isUnverified(), false)
    assert.deepEqual(world.notices.infos, [
      'the session store dynamodb:eu-central-1:sessions answers again',
    ])

    store.fault = storeFault()
    await world.advance(2 * MINUTE, SECOND)
    assert.equal(world.notices.warnings.length, 2)
  })

  test('is not told to answer again when nobody heard of its silence', async () => {
    await beginOutage()
    await world.advance(30 * SECOND)
    store.fault = undefined
    await world.advance(10 * SECOND)
    assert.deepEqual(world.notices.infos, [])
  })

  test('is told by what it says itself, at once and once, when it is not silent', async () => {
    await begin()
    store.fault = new SentinelError('STORE_NOT_FOUND', 'no table sessions in eu-central-1', {
      hint: 'run: sentinel init tables',
    })
    await world.advance(2 * SECOND)
    assert.deepEqual(world.notices.warnings, ['no table sessions in eu-central-1'])
    assert.deepEqual(world.notices.hints, ['run: sentinel init tables'])
    await world.advance(30 * SECOND)
    assert.equal(world.notices.warnings.length, 1)
    assert.equal(refusal(), undefined)

    await world.advance(17 * MINUTE, SECOND)
    assert.match(refusal()?.message ?? '', /: no table sessions in eu-central-1$/)
  })

  test('is told once when its fault and the outage are the same news', async () => {
    store.fault = new SentinelError('STORE_INVALID', 'the schema is newer than this version')
    await begin()
    assert.equal(world.notices.warnings.length, 1)
    assert.match(world.notices.warnings[0] ?? '', /up to 16m: the schema is newer/)
  })

  for (const [what, break_] of Object.entries({
    'throws what is no error': () => {
      store.fault = 'garbage'
    },
    'throws a bug': () => {
      store.fault = new TypeError('x is not a function')
    },
    'answers nothing': () => {
      store.garbage = 7
    },
    'answers locks without a time': () => {
      store.garbage = { session: store.session, locks: [aLock({ until: Number.NaN })] }
    },
    'answers a revocation by nobody': () => {
      store.garbage = { session: { revocation: {} }, locks: [] }
    },
    'throws before it promises': () => {
      mock.method(store, 'look', () => {
        throw new TypeError('x is not a function')
      })
    },
    'gives no promise': () => {
      mock.method(store, 'look', () => undefined)
    },
  })) {
    test(`is a store that ${what}, which is told once`, async () => {
      await begin()
      break_()
      await world.advance(30 * SECOND)
      assert.equal(refusal(), undefined)
      assert.equal(world.notices.warnings.length, 1)
      assert.match(world.notices.warnings[0] ?? '', /failed, which is a bug/)
      await world.advance(17 * MINUTE, SECOND)
      assert.equal(refusal()?.code, 'STORE_UNAVAILABLE')
    })
  }
})

suite('SessionVerdict: a sleep', () => {
  for (const ms of [6 * SECOND, -6 * SECOND]) {
    test(`of ${ms} ms is noticed: nothing is served before a new answer`, async () => {
      await begin()
      world.clock.sleep(ms)
      store.latency = SECOND
      const error = refusal()
      assert.equal(error?.code, 'STORE_UNAVAILABLE')
      assert.match(error.message, /is being looked up again in dynamodb/)
      assert.match(error.reply ?? '', /being looked up again/)
      assert.equal(refusal(), error)
      assert.equal(store.asked.length, 2)
      await world.advance(900)
      assert.equal(refusal(), error)
      await world.advance(100)
      assert.equal(refusal(), undefined)
    })
  }

  test('is noticed by the looks too', async () => {
    await begin()
    store.latency = SECOND
    world.clock.sleep(MINUTE)
    await world.advance(2 * SECOND)
    assert.match(refusal()?.message ?? '', /is being looked up again/)
  })

  test('makes the answer to an earlier question no news', async () => {
    store.latency = SECOND
    await begin()
    await world.advance(500)
    world.clock.sleep(MINUTE)
    refusal()
    await world.advance(500)
    assert.match(refusal()?.message ?? '', /is being looked up again/)
    await world.advance(500)
    assert.equal(refusal(), undefined)
  })

  test('is waited out by whoever looks', async () => {
    store.latency = SECOND
    let isDone = false
    const look = verdict.look().then(() => {
      isDone = true
    })
    await world.advance(500)
    world.clock.sleep(MINUTE)
    await world.advance(500)
    assert.equal(isDone, false)
    await world.advance(SECOND)
    await look
    assert.equal(refusal(), undefined)
  })

  test('counts in the age when the store is silent after it', async () => {
    await beginOutage()
    world.clock.sleep(5 * MINUTE)
    refusal()
    await settle()
    assert.equal(refusal(), undefined)
    assert.equal(verdict.isUnverified(), true)

    world.clock.sleep(12 * MINUTE)
    refusal()
    await settle()
    assert.match(refusal()?.message ?? '', /^the session cannot be verified/)
  })

  test('is a process that was stopped, too, with both clocks going on', async () => {
    await begin()
    world.clock.advance(4 * SECOND)
    store.revoke()
    assert.match(refusal()?.message ?? '', /is being looked up again/)
    await settle()
    assert.equal(refusal()?.code, 'SESSION_REVOKED')
  })

  test('never lets a single look grow older than the grace', async () => {
    await verdict.look()
    await world.advance(MINUTE, SECOND)
    assert.equal(refusal(), undefined)
    await world.advance(SECOND)
    assert.match(refusal()?.message ?? '', /is being looked up again/)
    await settle()
    assert.equal(refusal(), undefined)
  })
})
