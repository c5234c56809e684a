import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { MINUTE, SECOND } from '../../src/domain/time.ts'
import type { AnchorStore } from '../../src/ports/anchor-store.ts'
import { anAnchor } from '../fixtures/anchors.ts'
import { collect, eventually, WAITING } from './store-under-test.ts'

/** What a backend gives to be held to the contract: the place may be shared with other tests. */
export interface AnchorsUnderTest {
  readonly store: AnchorStore
  /** Another handle on the same place, as another process has one. */
  readonly peer: AnchorStore
  /** How long `list` may take to know what was written. Absent: it knows. */
  readonly indexLagMs?: number
}

/** The contract of `AnchorStore`, run once for every backend that claims to keep it. */
export function testAnchorStore(backend: string, open: () => Promise<AnchorsUnderTest>): void {
  const listed = (store: AnchorStore, host: string) => collect(store.list(host, WAITING))

  suite(`AnchorStore: ${backend}`, () => {
    test('gives every handle an anchor as it was written', async () => {
      const { store, peer, ...place } = await open()
      const anchor = anAnchor({ seq: 4711 })

      assert.equal(await store.put(anchor, WAITING), 'written')

      for (const handle of [store, peer]) {
        await eventually(place, async () => {
          assert.deepEqual(await listed(handle, anchor.host), [anchor])
        })
      }
    })

    test('moves on with its stream, and stands where it began to', async () => {
      const { store, peer, ...place } = await open()
      const early = anAnchor()
      const { host } = early
      const late = anAnchor({ host, at: early.at + SECOND })
      const { stream } = early.head
      await store.put(early, WAITING)
      await store.put(late, WAITING)

      const moved = anAnchor({ host, stream, seq: 10, at: early.at + MINUTE })
      assert.equal(await peer.put(moved, WAITING), 'written')

      await eventually(place, async () => {
        assert.deepEqual(await listed(store, host), [late, moved])
      })
    })

    test('never goes back, nor to another line of the same number', async () => {
      const { store, peer, ...place } = await open()
      // As numbers 9 < 10, as text not.
      const anchor = anAnchor({ seq: 10 })
      const { host, log } = anchor
      const { stream } = anchor.head
      await store.put(anchor, WAITING)

      const earlier = anAnchor({ host, stream, seq: 9, at: anchor.at + MINUTE })
      const forged = { ...anchor, head: { ...anchor.head, hash: '0'.repeat(64) }, log }
      assert.equal(await peer.put(earlier, WAITING), 'stale')
      assert.equal(await peer.put(forged, WAITING), 'stale')
      assert.equal(await store.put(anchor, WAITING), 'stale')

      await eventually(place, async () => {
        assert.deepEqual(await listed(store, host), [anchor])
      })
    })

    test('ends at the largest, in whatever order and from whatever handle they come', async () => {
      const { store, peer, ...place } = await open()
      const { host, head } = anAnchor()
      const { stream } = head
      const anchors = [3, 7, 1, 9, 2, 8].map((seq) => anAnchor({ host, stream, seq }))

      const outcomes = await Promise.all(
        anchors.map((anchor, n) => (n % 2 === 0 ? store : peer).put(anchor, WAITING)),
      )

      assert.equal(outcomes[3], 'written')
      await eventually(place, async () => {
        assert.deepEqual(await listed(store, host), [anchors[3]])
      })
    })

    test('lists those of one host, more than a page of them, the latest stream first', async () => {
      const { store, ...place } = await open()
      const { host } = anAnchor()
      const anchors = Array.from({ length: 130 }, (_, n) =>
        anAnchor({ host, at: anAnchor().at + n * SECOND }),
      )
      await Promise.all(anchors.map((anchor) => store.put(anchor, WAITING)))
      await store.put(anAnchor(), WAITING)

      await eventually(place, async () => {
        assert.deepEqual(await listed(store, host), anchors.toReversed())
      })
      assert.deepEqual(await listed(store, anAnchor().host), [])
    })

    test('rejects with STORE_UNAVAILABLE when it is given up', async () => {
      const { store } = await open()
      const over = AbortSignal.abort()
      await assert.rejects(store.put(anAnchor(), over), { code: 'STORE_UNAVAILABLE' })
      await assert.rejects(collect(store.list('laptop', over)), { code: 'STORE_UNAVAILABLE' })
    })
  })
}
