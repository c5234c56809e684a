import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import type { Policy } from '../../src/domain/policy/types.ts'
import { HOUR, MINUTE } from '../../src/domain/time.ts'
import { FakeClock } from '../fixtures/app/clock.ts'
import { anApprovalRule, anSSOPrincipal, aPrincipal, NOON, users } from '../fixtures/policies.ts'
import { eventsOf, POLICY, sentinel } from '../fixtures/request-cli.ts'
import {
  anId,
  aRequest,
  aReview,
  aStoreWith,
  differently,
  theParty,
  WAITING,
} from '../fixtures/requests.ts'

const ID = anId('prod')
const APPROVE = `approve ${ID}`
const DENY = `deny ${ID} --comment not-today`
const bob = aPrincipal('bob')
const carol = aPrincipal('carol')
const TERMINAL = { columns: 80, rows: 24 }

const TWO: Policy = {
  ...POLICY,
  approvals: [anApprovalRule({ required: 2, approvers: users('bob', 'carol') })],
}

suite('sentinel approve', () => {
  test('shows the request, approves it, and says until when', async () => {
    const store = await aStoreWith(aRequest())
    const { status, stdout, stderr } = await sentinel(`${APPROVE} --comment ok`, { store, by: bob })
    assert.deepEqual([status, stderr], [0, ''])
    assert.match(stdout, /^id +a+prod\nstatus +pending\nrequester +alice \(iam:/)
    assert.ok(
      stdout.endsWith(`
approved request ${ID}
it is approved by bob until 2026-01-14T13:00:00Z
to end it sooner: sentinel request revoke ${ID} --reason WHY
`),
      stdout,
    )
    const expected = aReview(aRequest(), { reviewer: theParty(bob), at: NOON, comment: 'ok' })
    assert.deepEqual((await store.get(ID, WAITING))?.reviews, [expected])
  })

  test('records and announces it, and takes it off the undecided ones', async () => {
    const store = await aStoreWith(aRequest())
    const result = await sentinel(`${APPROVE} --duration 30m`, { store, by: bob })
    assert.deepEqual(eventsOf(result), ['request.approved'])
    const [{ type, user, verdict, subject_id: id, expires_at: end, duration_seconds }] =
      result.records as [(typeof result.records)[0]]
    assert.deepEqual(
      [type, user, verdict, id, end, duration_seconds],
      ['request.approved', 'bob', 'approve', ID, '2026-01-14T12:30:00.000Z', 1800],
    )
    assert.equal(await store.settle(ID, [], WAITING), false)
  })

  test('is one of two where two are wanted, and then the other', async () => {
    const store = await aStoreWith(aRequest({ required: 2 }))
    const first = await sentinel(APPROVE, { store, by: bob, policy: TWO })
    assert.match(first.stdout, /it is pending with 1 of 2 approvals, until/)
    assert.equal(first.delivered[0]?.fields.status, 'pending')
    const second = await sentinel(`${APPROVE} --output json`, { store, by: carol, policy: TWO })
    const { outcome, request } = JSON.parse(second.stdout)
    assert.deepEqual([outcome, request.status], ['approved', 'approved'])
    assert.deepEqual(
      request.reviews.map((review: { reviewer: string }) => review.reviewer),
      ['bob', 'carol'],
    )
  })

  test('twice by one person is one approval', async () => {
    const store = await aStoreWith(aRequest({ required: 2 }))
    await sentinel(APPROVE, { store, by: bob, policy: TWO })
    const { status, stdout, records } = await sentinel(APPROVE, { store, by: bob, policy: TWO })
    assert.equal(status, 0)
    assert.match(stdout, /^you approved request a+prod already, at 2026-01-14T12:00:00Z/)
    assert.match(stdout, /1 of 2 approvals/)
    assert.deepEqual(records, [])
  })

  test('twice by two permission sets of one person is one approval', async () => {
    const approvers = users('sso:bob')
    const policy = { ...POLICY, approvals: [anApprovalRule({ required: 2, approvers })] }
    const store = await aStoreWith(aRequest({ required: 2 }))
    await sentinel(APPROVE, { store, policy, by: anSSOPrincipal('bob', 'Ops') })
    const again = await sentinel(APPROVE, { store, policy, by: anSSOPrincipal('bob', 'Admin') })
    assert.match(again.stdout, /already/)
    assert.equal((await store.get(ID, WAITING))?.reviews.length, 1)
  })

  const refusals: [what: string, by: Parameters<typeof theParty>[0], policy: Policy, RegExp][] = [
    ['a request of their own', aPrincipal(), POLICY, /is your own \(iam:.*\)\nhint: ask bob$/m],
    [
      'what others are to approve',
      carol,
      POLICY,
      /are not among the approvers .*\nhint: ask bob$/m,
    ],
    [
      'what a rule was for that is gone',
      bob,
      { ...POLICY, approvals: [anApprovalRule({ name: 'new' })] },
      /has no approvals rule "approvers" for prod any more\nhint: have alice ask again/,
    ],
    [
      'what the rule is not for any more',
      bob,
      { ...POLICY, approvals: [anApprovalRule({ profiles: ['dev'] })] },
      /has no approvals rule "approvers" for prod any more/,
    ],
  ]
  for (const [what, by, policy, stderr] of refusals) {
    for (const argv of [APPROVE, DENY]) {
      test(`${argv.slice(0, argv.indexOf(' '))} refuses ${what}`, async () => {
        const store = await aStoreWith(aRequest())
        const result = await sentinel(argv, { store, by, policy })
        assert.equal(result.status, 3)
        assert.match(result.stderr, stderr)
        assert.deepEqual((await store.get(ID, WAITING))?.reviews, [])
      })
    }
  }

  test('refuses a request of the same person by another permission set', async () => {
    const requester = theParty(anSSOPrincipal('alice', 'Developer'))
    const store = await aStoreWith(aRequest({ requester }))
    const policy = { ...POLICY, approvals: [anApprovalRule({ approvers: users('*') })] }
    const by = anSSOPrincipal('alice', 'Admin')
    const { status, stderr } = await sentinel(APPROVE, { store, by, policy })
    assert.equal(status, 3)
    assert.match(stderr, /is your own \(sso:alice\)/)
  })

  test('approves nothing that is a day old', async () => {
    const store = await aStoreWith(aRequest({ createdAt: NOON - 24 * HOUR }))
    const { status, stderr } = await sentinel(APPROVE, { store, by: bob })
    assert.equal(status, 4)
    assert.match(stderr, /^error: request a+prod expired at 2026-01-14T12:00:00Z/)
    assert.match(stderr, /^hint: ask again with: sentinel request prod /m)
    assert.deepEqual((await store.get(ID, WAITING))?.reviews, [])
  })

  test('approves nothing that was decided', async () => {
    const store = await aStoreWith(aRequest())
    await store.cancel(ID, { at: NOON - MINUTE, by: 'alice' }, [], WAITING)
    const { status, stderr } = await sentinel(APPROVE, { store, by: bob })
    assert.equal(status, 4)
    assert.match(stderr, /was cancelled by alice at 2026-01-14T11:59:00Z/)
  })

  test('lets nobody change their mind', async () => {
    const store = await aStoreWith(aRequest())
    await sentinel(APPROVE, { store, by: bob })
    const { status, stderr } = await sentinel(DENY, { store, by: bob })
    assert.equal(status, 4)
    assert.match(stderr, /^error: you approved request a+prod at .*, and a review stays as it is\n/)
    assert.match(stderr, /sentinel request revoke /)
  })

  test('tells of a review in their name that was altered, and takes it for none', async () => {
    const store = await aStoreWith(aRequest())
    await store.review(aReview(aRequest(), { seal: 'forged' }), [], WAITING)
    const { status, stderr } = await sentinel(APPROVE, { store, by: bob })
    assert.equal(status, 5)
    assert.match(stderr, /does not count: it or the request was altered/)
  })

  test('tells of the same where a lagging index hid it at first', async () => {
    const kept = await aStoreWith(aRequest())
    await kept.review(aReview(aRequest(), { seal: 'forged' }), [], WAITING)
    const get = async () => ({ request: aRequest(), reviews: [] })
    const { status } = await sentinel(APPROVE, { store: differently(kept, { get }), by: bob })
    assert.equal(status, 5)
  })

  test('approves for less, and never for more than was asked for', async () => {
    const store = await aStoreWith(aRequest())
    const long = await sentinel(`${APPROVE} --duration 2h`, { store, by: bob })
    assert.equal(long.status, 2)
    assert.match(long.stderr, /--duration 2h is longer than the 1h asked for/)
    const short = await sentinel(`${APPROVE} --duration 20m`, { store, by: bob })
    assert.match(short.stdout, /until 2026-01-14T12:20:00Z/)
  })

  test('asks on a terminal, and does nothing without a yes', async () => {
    const store = await aStoreWith(aRequest())
    const scene = { store, by: bob, stdoutWindow: TERMINAL }
    const no = await sentinel(APPROVE, { ...scene, answer: false })
    assert.deepEqual(no.questions, ['Approve the request of alice for prod for 1h?'])
    assert.equal(no.status, 130)
    assert.deepEqual((await store.get(ID, WAITING))?.reviews, [])
    const yes = await sentinel(APPROVE, { ...scene, answer: true })
    assert.equal(yes.status, 0)
  })

  test('asks nothing with --yes', async () => {
    const store = await aStoreWith(aRequest())
    const { questions } = await sentinel(`${APPROVE} --yes`, {
      store,
      by: bob,
      stdoutWindow: TERMINAL,
    })
    assert.deepEqual(questions, [])
  })

  test('looks again after the answer: what was cancelled or ran out meanwhile is left', async () => {
    for (const meanwhile of ['cancelled', 'expired']) {
      const store = await aStoreWith(aRequest())
      const clock = new FakeClock()
      const { status } = await sentinel(APPROVE, {
        store,
        clock,
        by: bob,
        stdoutWindow: TERMINAL,
        async answer() {
          if (meanwhile === 'expired') clock.advance(24 * HOUR)
          else await store.cancel(ID, { at: NOON, by: 'alice' }, [], WAITING)
          return true
        },
      })
      assert.equal(status, 4)
      assert.deepEqual((await store.get(ID, WAITING))?.reviews, [])
    }
  })

  test('is done, when the same person approved elsewhere meanwhile', async () => {
    const store = await aStoreWith(aRequest())
    const scene = { store, by: bob }
    const { status, stdout } = await sentinel(APPROVE, {
      ...scene,
      stdoutWindow: TERMINAL,
      async answer() {
        assert.equal((await sentinel(`${APPROVE} --yes`, scene)).status, 0)
        return true
      },
    })
    assert.equal(status, 0)
    assert.match(stdout, /already/)
    assert.equal((await store.get(ID, WAITING))?.reviews.length, 1)
  })
})

suite('sentinel deny', () => {
  test('ends the request, with the reason in record and announcement', async () => {
    const store = await aStoreWith(aRequest({ required: 2 }))
    const result = await sentinel(DENY, { store, by: bob, policy: TWO })
    assert.equal(result.status, 0)
    assert.ok(result.stdout.endsWith(`\ndenied request ${ID}\n`))
    assert.deepEqual(eventsOf(result), ['request.denied'])
    assert.equal(result.delivered[0]?.fields.comment, 'not-today')
    assert.equal(result.records[0]?.comment, 'not-today')
    const late = await sentinel(APPROVE, { store, by: carol, policy: TWO })
    assert.equal(late.status, 4)
    assert.match(late.stderr, /was denied by bob at 2026-01-14T12:00:00Z: not-today/)
  })

  test('twice is once', async () => {
    const store = await aStoreWith(aRequest())
    await sentinel(DENY, { store, by: bob })
    const { status, stdout } = await sentinel(`${DENY} --output json`, { store, by: bob })
    assert.equal(status, 0)
    assert.equal(JSON.parse(stdout).outcome, 'already denied')
  })

  test('wants a reason', async () => {
    const { status, stderr } = await sentinel(`deny ${ID}`, { by: bob })
    assert.equal(status, 2)
    assert.match(stderr, /--comment is required/)
  })
})
