import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { complain, createOutput, type Sink } from '../../src/cli/output.ts'
import { run } from '../../src/cli/run.ts'
import type { Deps, GrantFlags, OpenedOutboxes } from '../../src/deps.ts'
import type { LogRecord } from '../../src/domain/log-record.ts'
import { HOUR, SECOND } from '../../src/domain/time.ts'
import { SentinelError } from '../../src/errors.ts'
import { MemoryBreakGlassStore } from '../../src/stores/memory/break-glass-store.ts'
import { FakeClock } from '../fixtures/app/clock.ts'
import { aQueued, aStoreWithOutbox, aTellingPolicy, FakeReceiver } from '../fixtures/outboxes.ts'
import { NOON } from '../fixtures/policies.ts'
import { anId, aStoreOfStatuses, differently, sha256, WAITING } from '../fixtures/requests.ts'

interface Scene extends Partial<Pick<OpenedOutboxes, 'requests' | 'breakGlass' | 'notifier'>> {
  readonly args?: string[]
  readonly clock?: FakeClock
  readonly isTerminal?: true
  readonly openOutboxes?: () => Promise<OpenedOutboxes>
}

/** Runs `sentinel notify flush` on fakes of everything but the command itself. */
async function flush({ args = [], clock = new FakeClock(), isTerminal, ...scene }: Scene = {}) {
  const texts = { stdout: '', stderr: '' }
  const sink = (name: 'stdout' | 'stderr'): Sink => ({
    hasColor: false,
    write: (text) => {
      texts[name] += text
    },
    ...(isTerminal && { window: () => ({ columns: 80, rows: 24 }) }),
  })
  const [stdout, stderr] = [sink('stdout'), sink('stderr')]
  const seen = { flags: undefined as GrantFlags | undefined, isClosed: false }
  const records: LogRecord[] = []
  let ids = 0
  const end = await run(
    ['notify', 'flush', ...args],
    { stdout, stderr, version: '1' },
    async (globals) => {
      const form = {
        value: globals.output === 'json' ? 'json' : 'text',
        origin: '--output',
      } as const
      const deps: Partial<Deps> = {
        clock,
        digest: sha256,
        newId: () => `new${++ids}`,
        out: createOutput({ stdout, stderr, form }),
        notices: {
          refuse: () => {},
          warn: (text) => complain(stderr, 'warning', text),
          info: () => {},
        },
        async openOutboxes(flags) {
          seen.flags = flags
          return {
            notifier: new FakeReceiver(),
            policy: { policy: aTellingPolicy(), reference: 'file:policy.yaml', sha256: '' },
            record: async (record) => void records.push(record),
            ...scene,
            async [Symbol.asyncDispose]() {
              seen.isClosed = true
            },
          }
        },
        ...(scene.openOutboxes && { openOutboxes: scene.openOutboxes }),
      }
      return Object.assign(deps, { async [Symbol.asyncDispose]() {} }) as unknown as Deps
    },
  )
  assert.ok('status' in end)
  return { status: end.status, ...texts, ...seen, records }
}

suite('sentinel notify flush', () => {
  test('delivers what waits, in every store there is', async () => {
    const requests = aStoreWithOutbox(aQueued({ id: 'a' }), aQueued({ id: 'b' }))
    const outbox = new Map([['c', aQueued({ id: 'c', event: 'break_glass.started' })]])
    const breakGlass = new MemoryBreakGlassStore({ events: new Map(), reviews: [], outbox })
    const notifier = new FakeReceiver()
    const { status, stdout, stderr, isClosed } = await flush({ requests, breakGlass, notifier })
    assert.deepEqual([status, stdout, stderr], [0, '3 delivered\n', ''])
    assert.deepEqual([...notifier.counts].toSorted(), [
      ['a', 1],
      ['b', 1],
      ['c', 1],
    ])
    assert.ok(isClosed)
  })

  test('says that there is nothing', async () => {
    const { status, stdout } = await flush({ requests: aStoreWithOutbox() })
    assert.deepEqual([status, stdout], [0, 'nothing waits to be delivered\n'])
  })

  test('passes on where to look', async () => {
    const args = ['--request-table', 'r', '--breakglass-table', 'b', '--policy', 'p.yaml']
    const { flags } = await flush({ args })
    assert.partialDeepStrictEqual(flags, {
      'request-table': 'r',
      'breakglass-table': 'b',
      policy: 'p.yaml',
    })
  })

  test('announces what time has done, and delivers that too', async () => {
    const requests = await aStoreOfStatuses()
    const notifier = new FakeReceiver()
    const args = ['--output', 'json']
    const { stdout } = await flush({ requests, notifier, args })
    assert.equal(JSON.parse(stdout).announced, 1)
    const told = notifier.received.map(({ event, fields }) => [event, fields.profile])
    assert.deepEqual(told, [['request.expired', 'expired']])
    assert.equal(JSON.parse((await flush({ requests, notifier, args })).stdout).announced, 0)
  })

  test('tells what failed and when it is tried again, with exit 6', async () => {
    const requests = aStoreWithOutbox(aQueued({ id: 'a' }), aQueued({ id: 'b' }))
    const notifier = new FakeReceiver(({ id }) => (id === 'a' ? 'down' : 'taken'))
    const { status, stdout, stderr } = await flush({ requests, notifier })
    assert.equal(status, 6)
    assert.equal(
      stdout,
      `1 delivered, 1 failed
failed: request.created: webhook hooks.example answered 503, tried again from 2026-01-14T12:00:30Z
`,
    )
    assert.equal(
      stderr,
      `error: 1 notification could not be delivered
hint: look at who is to receive them; what failed is tried again by later commands
`,
    )
  })

  test('does not wait for the next time when somebody asks', async () => {
    const later = aQueued({ attempts: 4, nextAt: NOON + HOUR - SECOND * 60 })
    const { stdout } = await flush({ requests: aStoreWithOutbox(later) })
    assert.equal(stdout, '1 delivered\n')
  })

  test('gives a webhook that is down for two tries its event by the third', async () => {
    const requests = aStoreWithOutbox(aQueued())
    const notifier = new FakeReceiver((_, tries) => (tries < 3 ? 'down' : 'taken'))
    const clock = new FakeClock()
    const statuses: number[] = []
    for (let round = 0; round < 3; round += 1) {
      statuses.push((await flush({ requests, notifier, clock })).status)
      clock.advance(15 * SECOND)
    }
    assert.deepEqual(statuses, [6, 6, 0])
    assert.deepEqual([...notifier.counts.values()], [1])
  })

  test('tells what was given up, for good', async () => {
    const requests = aStoreWithOutbox(aQueued())
    const notifier = new FakeReceiver(() => 'refused')
    const { status, stdout, stderr, records } = await flush({ requests, notifier })
    assert.equal(status, 6)
    assert.match(stdout, /^1 given up\ngiven up: request.created: webhook .* answered 410\n$/)
    assert.match(stderr, /^warning: nobody will be told of request.created: /)
    assert.deepEqual(
      records.map(({ type }) => type),
      ['notification.given_up'],
    )
  })

  test('prints the same for programs, and no address', async () => {
    const requests = aStoreWithOutbox(
      aQueued({ id: 'a' }),
      aQueued({ id: 'b', attempts: 1, nextAt: NOON + 5 * SECOND }),
      aQueued({ id: 'c' }),
    )
    const notifier = new FakeReceiver(
      ({ id }) => ({ a: 'down', b: 'taken', c: 'refused' })[id] as 'down',
    )
    const args = ['--output', 'json']
    const { status, stdout } = await flush({ requests, notifier, args })
    assert.equal(status, 6)
    assert.doesNotMatch(stdout, /s3cr3t-path/)
    const common = {
      event: 'request.created',
      at: '2026-01-14T12:00:00.000Z',
      receiver: 'webhook hooks.example',
    }
    assert.deepEqual(JSON.parse(stdout), {
      announced: 0,
      delivered: [{ id: 'b', ...common, attempts: 2 }],
      failed: [
        {
          id: 'a',
          ...common,
          attempts: 1,
          next_at: '2026-01-14T12:00:30.000Z',
          error: {
            code: 'NOTIFICATION_FAILED',
            message: 'webhook hooks.example answered 503',
          },
        },
      ],
      given_up: [
        {
          id: 'c',
          ...common,
          attempts: 1,
          error: {
            code: 'NOTIFICATION_REFUSED',
            message: 'webhook hooks.example answered 410',
          },
        },
      ],
      waiting: [],
    })
  })

  test('shows how far it has come on a terminal, and takes that away', async () => {
    const { stderr } = await flush({ requests: aStoreWithOutbox(aQueued()), isTerminal: true })
    assert.match(stderr, /\r1 tried/)
    assert.ok(stderr.endsWith('\r\u001b[K'))
  })

  test('delivers what one store has, though the other is silent', async () => {
    const silent = new SentinelError('STORE_UNAVAILABLE', 'no answer')
    const requests = differently(aStoreWithOutbox(), { due: () => Promise.reject(silent) })
    const breakGlass = new MemoryBreakGlassStore({
      events: new Map(),
      reviews: [],
      outbox: new Map([['c', aQueued({ id: 'c' })]]),
    })
    const { status, stdout, stderr } = await flush({ requests, breakGlass })
    assert.deepEqual([status, stdout, stderr], [6, '1 delivered\n', 'error: no answer\n'])
  })

  test('does not say that nothing waits in a store that is silent', async () => {
    const silent = new SentinelError('STORE_UNAVAILABLE', 'no answer')
    const requests = differently(aStoreWithOutbox(), { due: () => Promise.reject(silent) })
    const { status, stdout } = await flush({ requests })
    assert.deepEqual([status, stdout], [6, 'nothing was delivered\n'])
  })

  test('delivers although nothing may be announced', async () => {
    const denied = new SentinelError('STORE_UNAVAILABLE', 'UpdateItem is not allowed')
    const whole = await aStoreOfStatuses()
    await whole.revoke(anId('pending'), { at: NOON, by: 'bob' }, [aQueued({ id: 'a' })], WAITING)
    const requests = differently(whole, { settle: () => Promise.reject(denied) })
    const { status, stdout, stderr } = await flush({ requests })
    assert.deepEqual([status, stdout], [0, '1 delivered\n'])
    assert.equal(stderr, 'warning: what expired may not be announced: UpdateItem is not allowed\n')
  })

  test('ends as the opening of the stores does', async () => {
    const none = new SentinelError('CONFIG_INVALID', 'no store is named')
    const { status } = await flush({ openOutboxes: () => Promise.reject(none) })
    assert.equal(status, 5)
  })
})
