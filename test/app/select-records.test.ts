import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { followRecords, selectRecords } from '../../src/app/select-records.ts'
import type { LoggedRecord } from '../../src/domain/log-record.ts'
import { aRecord, MemoryArchive } from '../fixtures/archive.ts'
import { collect } from '../stores/store-under-test.ts'

const records = (user: string, ...seqs: number[]) =>
  seqs.map((seq) => aRecord({ type: 'issued', user, seq }))

const signal = new AbortController().signal
const ALICE = { filter: { user: 'alice' }, annulled: 'hidden' } as const

const seqsOf = (found: readonly { record: LoggedRecord }[]) => found.map(({ record }) => record.seq)

suite('selectRecords', () => {
  test('gives what is wanted in the order of the log, and parses little else', async () => {
    const archive = new MemoryArchive([
      ...records('alice', 1, 2),
      ...records('bob', 3),
      ...records('alice', 4),
    ])
    assert.deepEqual(seqsOf(await collect(selectRecords(archive, ALICE, { signal }))), [1, 2, 4])
    assert.equal(archive.parsed, 3)
  })

  for (const [limit, seqs] of [
    [1, [7]],
    [3, [5, 6, 7]],
    [7, [1, 2, 3, 4, 5, 6, 7]],
    [100, [1, 2, 3, 4, 5, 6, 7]],
  ] as const) {
    test(`gives the newest ${limit}, oldest first`, async () => {
      const archive = new MemoryArchive(records('alice', 1, 2, 3, 4, 5, 6, 7))
      const found = selectRecords(archive, { ...ALICE, limit }, { signal })
      assert.deepEqual(seqsOf(await collect(found)), seqs)
    })
  }

  test('gives what was taken back only to those who ask', async () => {
    const all = records('alice', 1, 2, 3)
    const found = async (annulled: 'shown' | 'hidden') => {
      const archive = new MemoryArchive(all, all.slice(1, 2))
      return seqsOf(await collect(selectRecords(archive, { filter: {}, annulled }, { signal })))
    }
    assert.deepEqual(await found('hidden'), [1, 3])
    assert.deepEqual(await found('shown'), [1, 2, 3])
  })
})

suite('followRecords', () => {
  const following = (archive: MemoryArchive, limit: number, abort = new AbortController()) => {
    const found = followRecords(archive, { ...ALICE, limit }, { signal: abort.signal })
    return { found, abort, next: async () => (await found.next()).value?.record.seq }
  }

  test('gives the newest at once, and then each one as it is written', async () => {
    const archive = new MemoryArchive([...records('alice', 1, 2, 3), ...records('bob', 4)])
    const { next, abort } = following(archive, 2)
    assert.deepEqual([await next(), await next()], [2, 3])

    const waiting = next()
    for (const record of [...records('bob', 5), ...records('alice', 6)]) archive.write(record)
    assert.equal(await waiting, 6)

    const last = next()
    abort.abort()
    assert.equal(await last, undefined)
  })

  test('waits for the first one in a log that has none', async () => {
    const archive = new MemoryArchive([])
    const { next } = following(archive, 10)
    const waiting = next()
    await sleep(5)
    archive.write(records('alice', 1)[0]!)
    assert.equal(await waiting, 1)
  })

  test('misses nothing that is written while it reads what is there', async () => {
    const archive = new MemoryArchive(records('alice', 1, 2, 3))
    const { next } = following(archive, 2)
    const waiting = next()
    archive.write(records('alice', 4)[0]!)
    assert.deepEqual([await waiting, await next()], [3, 4])
  })

  test('ends the reading when nobody asks for more', { timeout: 5000 }, async () => {
    for (const count of [1, 2]) {
      const archive = new MemoryArchive(records('alice', 1, 2))
      const { found, next } = following(archive, 2)
      for (let i = 0; i < count; i += 1) await next()
      await found.return()
      assert.deepEqual(await found.next(), { done: true, value: undefined })
    }
  })

  test('rejects as the reading does', async () => {
    const broken = {
      async *records() {
        yield* []
        throw new Error('the disk is gone')
      },
    }
    const found = followRecords(broken, { ...ALICE, limit: 1 }, { signal })
    await assert.rejects(found.next(), /the disk is gone/)
  })
})
