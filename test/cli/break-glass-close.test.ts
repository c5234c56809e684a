import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { eventState } from '../../src/domain/break-glass.ts'
import { SECOND } from '../../src/domain/time.ts'
import { SentinelError } from '../../src/errors.ts'
import { FakeClock } from '../fixtures/app/clock.ts'
import { anEvent, anEventId, aStoreOfStatuses, aStoreWithEvents } from '../fixtures/break-glass.ts'
import { POLICY, sentinel } from '../fixtures/break-glass-cli.ts'
import { anSSOPrincipal, aPrincipal, NOON } from '../fixtures/policies.ts'
import { sha256, theParty, WAITING } from '../fixtures/requests.ts'

const LIVE = anEventId('live')

suite('sentinel breakglass close', () => {
  test('ends what the invoker began, and says what remains and what is to be done', async () => {
    const store = await aStoreWithEvents({ event: anEvent() })
    const { status, stdout } = await sentinel('breakglass close live --reason mended', { store })
    assert.equal(status, 0)
    assert.equal(
      stdout,
      `closed break-glass event ${LIVE} of alice for prod
servers refuse within 5 seconds, while they reach the store
credentials already handed out may work until 2026-01-14T12:45:00Z: AWS knows of no revocation
it is to be reviewed by carol, until 2026-01-17T12:00:00Z:
  sentinel breakglass review ${LIVE} --outcome OUTCOME --comment WHY
`,
    )
    const filed = await store.get(LIVE, WAITING)
    assert.deepEqual(filed?.closed, { at: NOON, by: 'alice', reason: 'mended' })
    assert.equal(eventState(filed!, sha256, NOON).status, 'unreviewed')
  })

  test('announces and records it', async () => {
    const store = await aStoreWithEvents({ event: anEvent() })
    const { delivered, records, isStoreClosed } = await sentinel('breakglass close live', {
      store,
      by: aPrincipal('carol'),
    })
    assert.deepEqual(
      delivered.map(({ event, at, fields }) => [event, at, fields.closed_by, fields.status]),
      [['break_glass.closed', NOON, 'carol', 'unreviewed']],
    )
    const [record, ...others] = records
    assert.deepEqual(others, [])
    assert.deepEqual(
      [record?.type, record?.user, record?.subject_id, record?.subject_person, record?.expires_at],
      ['break_glass.closed', 'carol', LIVE, 'iam:111122223333/alice', '2026-01-14T12:00:00.000Z'],
    )
    assert.ok(isStoreClosed)
  })

  test('is for the invoker, by any permission set, and for those who review it', async () => {
    const byWhom: [principal: ReturnType<typeof aPrincipal>, status: number][] = [
      [anSSOPrincipal('alice', 'Admin'), 0],
      [aPrincipal('carol'), 0],
      [aPrincipal('bob'), 3],
      [aPrincipal('alice'), 3],
    ]
    for (const [by, expected] of byWhom) {
      const invoker = theParty(anSSOPrincipal('alice', 'Developer'))
      const store = await aStoreWithEvents({ event: anEvent({ invoker }) })
      const { status, stderr } = await sentinel('breakglass close live', { store, by })
      assert.equal(status, expected, by.arn)
      if (expected === 0) continue
      assert.match(stderr, /may not close .*\nhint: have it closed by alice, or by carol\n/)
      assert.equal((await store.get(LIVE, WAITING))?.closed, undefined)
    }
  })

  test('leaves it to the approvers when the rule is gone', async () => {
    const policy = { ...POLICY, breakGlass: [] }
    const close = async (name: string) => {
      const store = await aStoreWithEvents({ event: anEvent() })
      return sentinel('breakglass close live', { store, policy, by: aPrincipal(name) })
    }
    assert.equal((await close('bob')).status, 0)
    assert.equal((await close('carol')).status, 3)
  })

  test('does nothing to one that is over', async () => {
    for (const profile of ['unreviewed', 'overdue', 'reviewed', 'ended']) {
      const store = await aStoreOfStatuses()
      const { status, stderr, records } = await sentinel(`breakglass close ${profile}`, { store })
      assert.equal(status, 4, profile)
      assert.match(stderr, /of alice for \w+ is over since 2026-01-1\dT\d\d:\d\d:00Z/)
      assert.deepEqual(records, [])
    }
  })

  test('closes once: whoever comes second hears of the first', async () => {
    const store = await aStoreWithEvents({ event: anEvent() })
    const close = (by: string, clock: FakeClock) =>
      sentinel('breakglass close live --reason mended', { store, by: aPrincipal(by), clock })
    await close('carol', new FakeClock())
    const { status, stderr, records } = await close('alice', new FakeClock(NOON + SECOND))
    assert.equal(status, 4)
    assert.match(stderr, /is over since 2026-01-14T12:00:00Z: closed by carol, mended\n/)
    assert.deepEqual(records, [])
    assert.equal((await store.get(LIVE, WAITING))?.closed?.by, 'carol')
  })

  test('closes once when two do it at the same time', async () => {
    const store = await aStoreWithEvents({ event: anEvent() })
    const ends = await Promise.all(
      ['alice', 'carol'].map((by) =>
        sentinel('breakglass close live', { store, by: aPrincipal(by) }),
      ),
    )
    assert.deepEqual(ends.map(({ status }) => status).toSorted(), [0, 4])
    assert.equal(ends.flatMap(({ records }) => records).length, 1)
  })

  test('goes on when the log cannot be written, and says so', async () => {
    const store = await aStoreWithEvents({ event: anEvent() })
    const error = new SentinelError('LOG_UNAVAILABLE', 'the disk is full')
    const { status, stdout, stderr, delivered } = await sentinel('breakglass close live', {
      store,
      record: () => Promise.reject(error),
    })
    assert.equal(status, 6)
    assert.match(stdout, /^closed break-glass event/)
    assert.match(
      stderr,
      /warning: the disk is full: it is done all the same\nerror: it is done, but/,
    )
    assert.equal((await store.get(LIVE, WAITING))?.closed?.by, 'alice')
    assert.equal(delivered.length, 1)
  })

  test('prints the same for programs', async () => {
    const store = await aStoreWithEvents({ event: anEvent() })
    const { stdout } = await sentinel('breakglass close live --output json', { store })
    const { outcome, event } = JSON.parse(stdout)
    assert.deepEqual(
      [outcome, event.id, event.status, event.closed_by, event.closed_reason],
      ['closed', LIVE, 'unreviewed', 'alice', null],
    )
  })

  test('wants a reason of at most 200 characters, if any', async () => {
    const { status } = await sentinel(['breakglass', 'close', 'live', '--reason', 'x'.repeat(201)])
    assert.equal(status, 2)
  })
})
