import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { MINUTE } from '../../src/domain/time.ts'
import { aPrincipal, NOON } from '../fixtures/policies.ts'
import { eventsOf, POLICY, sentinel } from '../fixtures/request-cli.ts'
import { anId, aRequest, aReview, aStoreWith, WAITING } from '../fixtures/requests.ts'

const ID = anId('prod')
const REVOKE = `request revoke ${ID} --reason done`
const bob = aPrincipal('bob')

async function approved() {
  const store = await aStoreWith(aRequest())
  await store.review(aReview(aRequest()), [], WAITING)
  return store
}

suite('sentinel cancel', () => {
  test('takes a pending request back, records and announces it', async () => {
    const store = await aStoreWith(aRequest())
    const result = await sentinel(`cancel ${ID}`, { store })
    assert.deepEqual([result.status, result.stdout], [0, `cancelled request ${ID} for prod\n`])
    assert.deepEqual((await store.get(ID, WAITING))?.cancelled, { at: NOON, by: 'alice' })
    assert.deepEqual(eventsOf(result), ['request.cancelled'])
    assert.deepEqual(
      result.records.map(({ type, user }) => [type, user]),
      [['request.cancelled', 'alice']],
    )
  })

  test('twice is once', async () => {
    const store = await aStoreWith(aRequest())
    await sentinel(`cancel ${ID}`, { store })
    const { status, stdout, records } = await sentinel(`cancel ${ID} --output json`, { store })
    assert.equal(status, 0)
    assert.equal(JSON.parse(stdout).outcome, 'already cancelled')
    assert.deepEqual(records, [])
  })

  test('is for its requester alone', async () => {
    const store = await aStoreWith(aRequest())
    const { status, stderr } = await sentinel(`cancel ${ID}`, { store, by: bob })
    assert.equal(status, 3)
    assert.match(stderr, /is not yours: alice made it\nhint: deny it instead: sentinel deny /)
    assert.equal((await store.get(ID, WAITING))?.cancelled, undefined)
  })

  test('comes too late for what is approved', async () => {
    const { status, stderr } = await sentinel(`cancel ${ID}`, { store: await approved() })
    assert.equal(status, 4)
    assert.match(stderr, /is approved by bob until .*\nhint: end it with: sentinel request revoke /)
  })
})

suite('sentinel request revoke', () => {
  for (const by of [bob, aPrincipal()]) {
    test(`lets ${by.name} end what was approved`, async () => {
      const store = await approved()
      const result = await sentinel(REVOKE, { store, by })
      assert.equal(result.status, 0)
      assert.equal(
        result.stdout,
        `revoked request ${ID} of alice for prod: servers refuse within 5 seconds
credentials already handed out may work until 2026-01-14T12:50:00Z: AWS knows of no revocation
`,
      )
      const { revoked } = (await store.get(ID, WAITING))!
      assert.deepEqual(revoked, { at: NOON, by: by.name, reason: 'done' })
      assert.deepEqual(eventsOf(result), ['request.revoked'])
      const [record] = result.records
      assert.deepEqual([record?.type, record?.reason], ['request.revoked', 'done'])
    })
  }

  test('twice is once, and the first reason stays', async () => {
    const store = await approved()
    await sentinel(REVOKE, { store, by: bob })
    const { status, stdout } = await sentinel(`request revoke ${ID} --reason again`, { store })
    assert.equal(status, 0)
    assert.match(stdout, /was revoked by bob at 2026-01-14T12:00:00Z: done: nothing is changed/)
  })

  test('is refused to anybody else', async () => {
    const store = await approved()
    const { status, stderr } = await sentinel(REVOKE, { store, by: aPrincipal('carol') })
    assert.equal(status, 3)
    assert.match(stderr, /is ended by alice, or by whoever may approve it\nhint: ask bob/)
    assert.equal((await store.get(ID, WAITING))?.revoked, undefined)
  })

  test('is still for the approvers of the profile when the rule has another name', async () => {
    const approvals = POLICY.approvals.map((rule) => ({ ...rule, name: 'renamed' }))
    const policy = { ...POLICY, approvals }
    assert.equal((await sentinel(REVOKE, { store: await approved(), by: bob, policy })).status, 0)
  })

  test('says what to do instead about what is pending', async () => {
    const store = await aStoreWith(aRequest())
    const own = await sentinel(REVOKE, { store })
    assert.equal(own.status, 4)
    assert.match(own.stderr, /is pending with 0 of 1 approval, .*\nhint: take it back with/)
    const others = await sentinel(REVOKE, { store, by: bob })
    assert.match(others.stderr, /hint: deny it with: sentinel deny /)
  })

  test('has nothing to end once it is over', async () => {
    const store = await aStoreWith(aRequest())
    await store.review(aReview(aRequest(), { verdict: 'deny', at: NOON - MINUTE }), [], WAITING)
    const { status, stderr } = await sentinel(REVOKE, { store, by: bob })
    assert.equal(status, 4)
    assert.match(stderr, /was denied by bob/)
  })
})
