import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import type { AccessRequest, AccessRequestId } from '../../src/domain/access-request.ts'
import { parseStoreLocation } from '../../src/domain/store-location.ts'
import { MINUTE } from '../../src/domain/time.ts'
import type { RequestStore } from '../../src/ports/request-store.ts'
import {
  aRequest,
  aReview,
  byAnotherSet,
  filed,
  type OpenRequestStoreUnderTest,
  waiting,
} from './request-under-test.ts'
import { aNotification, anId, eventually, NOW, openIn, WAITING } from './store-under-test.ts'

const ACT = { at: NOW + MINUTE, by: 'alice', reason: 'done' }

/** The part of the contract that is about requests, but for what comes of them. */
export function testRequestRecords(open: OpenRequestStoreUnderTest): void {
  test('names its place in a form that settings take', async (t) => {
    const { store, peer } = await openIn(t, open)

    assert.ok(parseStoreLocation(store.location), store.location)
    assert.equal(peer.location, store.location)
  })

  testCreation(open)
  testFinding(open)
}

function testCreation(open: OpenRequestStoreUnderTest): void {
  suite('create', () => {
    test('keeps every word of a request', async (t) => {
      const { store, peer } = await openIn(t, open)
      const plain = aRequest()
      const odd = aRequest({
        profile: 'prod/"eu" #1 ☂',
        justification: `the pager said:\n\t'DROP TABLE requests; --' 🗝 ${'y'.repeat(440)}`,
        rule: 'a rule, with: everything',
        required: 3,
        duration: 28_800,
        createdAt: NOW - 3,
        isAutomatic: true,
      })
      for (const request of [plain, odd]) await store.create(request, [], WAITING)

      assert.deepEqual(await peer.get(plain.id, WAITING), filed(plain))
      assert.deepEqual(await peer.get(odd.id, WAITING), filed(odd))
      assert.equal(await peer.get(anId() as AccessRequestId, WAITING), undefined)
    })

    test('is done when the very same is there, and announces it once', async (t) => {
      const place = await openIn(t, open)
      const request = aRequest()
      const [first, second] = [aNotification(), aNotification()]
      await place.store.create(request, [first], WAITING)
      await place.store.cancel(request.id, ACT, [], WAITING)

      await place.peer.create(structuredClone(request), [second], WAITING)

      const found = await place.store.get(request.id, WAITING)
      assert.deepEqual(found, { ...filed(request), cancelled: ACT })
      await eventually(place, async () => {
        assert.deepEqual(await waiting(place.store, [first, second]), [first.id])
      })
    })

    test('refuses an id that is taken by any other request', async (t) => {
      const place = await openIn(t, open)
      const request = aRequest()
      await place.store.create(request, [], WAITING)
      const { requester } = request
      const others: Partial<AccessRequest>[] = [
        { requester: { ...requester, person: 'sso:mallory' } },
        { requester: { ...requester, user: 'mallory' } },
        { requester: byAnotherSet(requester) },
        { profile: 'another' },
        { roleArn: 'arn:aws:iam::444455556666:role/Admin' },
        { justification: 'because I say so' },
        { duration: 3601 },
        { rule: 'anybody' },
        { required: 0 },
        { createdAt: NOW + 1 },
        { isAutomatic: true },
      ]

      const announced = aNotification()
      for (const other of others) {
        const answer = place.peer.create({ ...request, ...other }, [announced], WAITING)
        await assert.rejects(answer, { code: 'REQUEST_EXISTS' }, JSON.stringify(other))
      }

      assert.deepEqual(await place.store.get(request.id, WAITING), filed(request))
      await eventually(place, async () => {
        assert.deepEqual(await waiting(place.store, [announced]), [])
      })
    })

    test('makes no request that it could not announce', async (t) => {
      const { store } = await openIn(t, open)
      const [request, other, announced] = [aRequest(), aRequest(), aNotification()]
      await store.create(request, [announced], WAITING)

      const answer = store.create(other, [aNotification(), announced], WAITING)
      await assert.rejects(answer, { code: 'STORE_INVALID' })

      assert.equal(await store.get(other.id, WAITING), undefined)
    })
  })
}

function testFinding(open: OpenRequestStoreUnderTest): void {
  suite('find', () => {
    test('finds ids by how they begin, whatever became of the requests', async (t) => {
      const place = await openIn(t, open)
      const { store } = place
      const [first, second, third] = await family(store, 3)
      await store.create(aRequest(), [], WAITING)
      await store.cancel(first!, ACT, [], WAITING)
      await store.settle(second!, [], WAITING)

      await eventually(place, async () => {
        const found = await store.find(first!.slice(0, 16), WAITING)
        assert.deepEqual(new Set(found), new Set([first, second, third]))
        assert.deepEqual(await store.find(third!, WAITING), [third])
      })
      assert.deepEqual(await store.find(anId(), WAITING), [])
    })

    test('gives up to 10, and nothing but requests', async (t) => {
      const place = await openIn(t, open)
      const ids = await family(place.store, 12)
      const request = aRequest({ id: ids[0]! })
      await place.store.review(aReview(request), [aNotification({ id: `${ids[0]}` })], WAITING)

      await eventually(place, async () => {
        const found = await place.store.find(ids[0]!.slice(0, 16), WAITING)
        assert.equal(new Set(found).size, 10)
        assert.ok(found.every((id) => ids.includes(id)))
      })
    })
  })
}

/** Creates requests whose ids begin with the same 16 characters; resolves to the ids, in order. */
async function family(store: RequestStore, count: number): Promise<AccessRequestId[]> {
  const prefix = anId().slice(0, 16)
  const ids = [...'az27bcdefghi']
    .slice(0, count)
    .map((ending) => `${prefix}aaa${ending}` as AccessRequestId)
  for (const id of ids) await store.create(aRequest({ id }), [], WAITING)
  return ids
}
