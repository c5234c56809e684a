import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { CloudTrail } from '../../src/aws/cloudtrail.ts'
import { Secret } from '../../src/domain/secret.ts'
import { HOUR, MINUTE } from '../../src/domain/time.ts'
import { SentinelError } from '../../src/errors.ts'
import type { TrailQuery } from '../../src/ports/trail.ts'
import { FakeClock } from '../fixtures/app/clock.ts'
import { fail, openStandInTrail, recorded, type StoredEvent } from '../fixtures/aws/cloudtrail.ts'
import { openHome } from '../fixtures/aws/home.ts'
import { openRoom, QUIETLY } from '../fixtures/aws/room.ts'
import { NOON } from '../fixtures/policies.ts'
import { random, scaled } from '../fixtures/random.ts'

const KEYS = {
  accessKeyId: 'ASIAAUDITOR',
  secretAccessKey: new Secret('s3cr3t'),
  sessionToken: new Secret('t0k3n'),
}
const QUERY: TrailQuery = {
  region: 'eu-central-1',
  since: NOON - 24 * HOUR + 1,
  until: NOON - 1,
  by: { eventName: 'AssumeRole' },
}
const { signal } = QUIETLY

type TrailOptions = NonNullable<Parameters<typeof openStandInTrail>[0]>

/** CloudTrail's client over a stand-in, both by a clock that sleeping alone moves. */
async function openTrail({
  random: next = () => 0,
  timeoutMs,
  credentials = async () => KEYS,
  ...options
}: TrailOptions & {
  readonly random?: () => number
  readonly timeoutMs?: number
  readonly credentials?: () => Promise<typeof KEYS>
} = {}) {
  await using stack = new AsyncDisposableStack()
  const clock = new FakeClock()
  const server = stack.use(await openStandInTrail({ now: () => clock.monotonic, ...options }))
  stack.use(openHome({}, { AWS_ENDPOINT_URL_CLOUDTRAIL: server.url }))
  const { transport } = stack.use(openRoom())
  const pauses: number[] = []
  const trail = new CloudTrail({
    transport,
    clock,
    profile: 'default',
    credentials,
    random: next,
    ...(timeoutMs !== undefined && { timeoutMs }),
    async sleep(ms, aborted) {
      aborted.throwIfAborted()
      pauses.push(ms)
      clock.advance(ms)
    },
  })
  const opened = stack.move()
  return { trail, server, clock, pauses, [Symbol.asyncDispose]: () => opened.disposeAsync() }
}

/** So many sessions, one a minute, the newest at noon. */
function sessions(count: number): StoredEvent[] {
  return Array.from({ length: count }, (_, index) =>
    recorded('unstamped', {
      eventID: `e${index}`,
      eventTime: new Date(NOON - MINUTE - index * 1000).toISOString(),
    }),
  )
}

async function idsOf(events: AsyncIterable<{ readonly id: string }>): Promise<string[]> {
  const ids: string[] = []
  for await (const { id } of events) ids.push(id)
  return ids
}

async function failureOf(work: Promise<unknown>): Promise<SentinelError> {
  const error = await work.then(
    () => assert.fail('it did not fail'),
    (reason: unknown) => reason,
  )
  assert.ok(error instanceof SentinelError, String(error))
  return error
}

suite('CloudTrail', () => {
  test('asks by one attribute, in the region, for whole seconds', async () => {
    await using world = await openTrail({ events: [recorded('stamped'), recorded('saml')] })
    const ids = await idsOf(world.trail.lookup(QUERY, signal))
    assert.deepEqual(ids, ['7f1c2d3e-4a5b-4c6d-8e7f-000000000001'])
    assert.partialDeepStrictEqual(world.server.lookups, [
      {
        region: 'eu-central-1',
        signer: 'ASIAAUDITOR',
        attribute: 'EventName',
        value: 'AssumeRole',
        since: (NOON - 24 * HOUR) / 1000,
        until: NOON / 1000,
      },
    ])
  })

  test('asks for what a key has called', async () => {
    const events = [recorded('stamped'), recorded('used'), recorded('chained')]
    await using world = await openTrail({ events })
    const query = { ...QUERY, by: { accessKeyId: 'ASIAEXAMPLEISSUED001' } }
    assert.equal((await idsOf(world.trail.lookup(query, signal))).length, 2)
    assert.equal(world.server.lookups[0]?.attribute, 'AccessKeyId')
  })

  test('turns every page, newest first, and tells of each', async () => {
    await using world = await openTrail({ events: sessions(120) })
    const pages: number[] = []
    const events = world.trail.lookup(QUERY, signal, { onPage: (count) => pages.push(count) })
    const expected = Array.from({ length: 120 }, (_, index) => `e${index}`)
    assert.deepEqual(await idsOf(events), expected)
    assert.deepEqual(pages, [50, 50, 20])
  })

  test('never asks a region more than twice a second, over all lookups', async () => {
    await using world = await openTrail({ events: sessions(220) })
    for (let count = 0; count < 3; count += 1) await idsOf(world.trail.lookup(QUERY, signal))
    const { lookups } = world.server
    assert.equal(lookups.length, 15)
    assert.ok(lookups.every(({ outcome }) => outcome === 'answered'))
    assert.ok(world.clock.monotonic >= 5_000 + 14 * 500)
  })

  test('lets no region wait for another', async () => {
    await using world = await openTrail()
    const lookup = (region: string) => idsOf(world.trail.lookup({ ...QUERY, region }, signal))
    await Promise.all([lookup('eu-central-1'), lookup('us-east-1'), lookup('eu-west-1')])
    assert.deepEqual(world.pauses, [])
  })

  test('waits longer and longer when others use the rate up, and loses nothing', async () => {
    const next = [true, true, true, true, false]
    await using world = await openTrail({
      events: sessions(3),
      isBusy: () => next.shift() ?? false,
    })
    assert.equal((await idsOf(world.trail.lookup(QUERY, signal))).length, 3)
    assert.deepEqual(world.pauses, [1000, 2000, 4000, 8000])
    const outcomes = world.server.lookups.map(({ outcome }) => outcome)
    assert.deepEqual(outcomes, [...Array(4).fill('throttled'), 'answered'])
  })

  test('waits between half and all of a pause, so that clients do not go in step', async () => {
    const next = [true, true, false]
    await using world = await openTrail({
      isBusy: () => next.shift() ?? false,
      random: () => 0.5,
    })
    await idsOf(world.trail.lookup(QUERY, signal))
    assert.deepEqual(world.pauses, [750, 1500])
  })

  test('gives up when others use the rate up for a minute or so', async () => {
    await using world = await openTrail({ isBusy: () => true })
    const error = await failureOf(idsOf(world.trail.lookup(QUERY, signal)))
    assert.equal(error.code, 'TRAIL_UNAVAILABLE')
    assert.match(error.message, /CloudTrail in eu-central-1 could not be asked: ThrottlingExc/)
    assert.match(String(error.hint), /when fewer others look/)
    const waited = world.pauses.reduce((sum, pause) => sum + pause, 0)
    assert.ok(waited >= 50_000 && waited <= 120_000, String(waited))
  })

  const seeds = Array.from({ length: scaled(5) }, (_, index) => index + 1)
  for (const seed of seeds) {
    test(`finds every event once, throttled at random (seed ${seed})`, async () => {
      const next = random(seed)
      const events = sessions(Math.floor(next() * 400))
      await using world = await openTrail({ events, isBusy: () => next() < 0.3, random: next })
      const ids = await idsOf(world.trail.lookup(QUERY, signal))
      const expected = events.map(({ eventID }) => eventID)
      assert.deepEqual(ids, expected, `seed ${seed}`)
    })
  }

  test('asks again when CloudTrail does not answer, in its turn', async () => {
    await using world = await openTrail({
      events: sessions(1),
      script: (count) => (count < 3 ? fail('InternalFailure', 500) : undefined),
    })
    assert.deepEqual(await idsOf(world.trail.lookup(QUERY, signal)), ['e0'])
    assert.equal(world.server.lookups.length, 3)
  })

  test('does not wait for ever for an answer', async () => {
    await using world = await openTrail({ script: () => 'hang', timeoutMs: 50 })
    const error = await failureOf(idsOf(world.trail.lookup(QUERY, signal)))
    assert.equal(error.code, 'TRAIL_UNAVAILABLE')
    assert.match(String(error.hint), /look at the network/)
    assert.equal(world.server.lookups.length, 3)
  })

  const refusals: [code: string, hint: RegExp][] = [
    ['AccessDeniedException', /allow cloudtrail:LookupEvents/],
    ['ExpiredTokenException', /log in again/],
    ['InvalidTimeRangeException', /90 days/],
  ]
  for (const [code, hint] of refusals) {
    test(`asks once when it is refused for ${code}, and says what to do`, async () => {
      await using world = await openTrail({ script: () => fail(code) })
      const error = await failureOf(idsOf(world.trail.lookup(QUERY, signal)))
      assert.equal(error.code, 'TRAIL_UNAVAILABLE')
      assert.match(String(error.hint), hint)
      assert.equal(world.server.lookups.length, 1)
      assert.doesNotMatch(JSON.stringify([error.message, error.cause]), /s3cr3t|t0k3n/)
    })
  }

  test('tells of what it cannot read, and goes on', async () => {
    await using world = await openTrail({ events: ['{"half', ...sessions(2), 'null'] })
    let unreadable = 0
    const events = world.trail.lookup(QUERY, signal, {
      onUnreadable: () => {
        unreadable += 1
      },
    })
    assert.deepEqual(await idsOf(events), ['e0', 'e1'])
    assert.equal(unreadable, 2)
  })

  test('does not turn the same page for ever', async () => {
    const circle = { body: JSON.stringify({ Events: [], NextToken: 'again' }) }
    await using world = await openTrail({ script: () => circle })
    const error = await failureOf(idsOf(world.trail.lookup(QUERY, signal)))
    assert.match(error.message, /the same page again and again/)
    assert.equal(world.server.lookups.length, 2)
  })

  test('ends when it is interrupted, in the middle of a call and between two', async () => {
    const interruption = new AbortController()
    await using world = await openTrail({ script: () => 'hang' })
    const hanging = failureOf(idsOf(world.trail.lookup(QUERY, interruption.signal)))
    while (world.server.lookups.length === 0) await new Promise(setImmediate)
    interruption.abort()
    assert.equal((await hanging).code, 'INTERRUPTED')
    const late = await failureOf(idsOf(world.trail.lookup(QUERY, interruption.signal)))
    assert.equal(late.code, 'INTERRUPTED')
    assert.equal(world.server.lookups.length, 1)
  })

  test('says why there is nobody to sign', async () => {
    const expired = new SentinelError('BASE_CREDENTIALS_EXPIRED', 'the keys of x have ended')
    await using world = await openTrail({ credentials: () => Promise.reject(expired) })
    assert.equal(await failureOf(idsOf(world.trail.lookup(QUERY, signal))), expired)
  })
})
