import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { countRecords, KEYS_MAX, type StatKey } from '../../src/app/log-stats.ts'
import type { RecordFilter } from '../../src/app/record-filter.ts'
import type { LoggedRecord } from '../../src/domain/log-record.ts'
import { HOUR, toTimestamp } from '../../src/domain/time.ts'
import { aRecord, MemoryArchive } from '../fixtures/archive.ts'
import { NOON } from '../fixtures/policies.ts'

const { signal } = new AbortController()

const ISSUED = aRecord({
  ...{ type: 'issued', outcome: 'issued', user: 'alice', person: 'sso:alice', profile: 'dev' },
  ...{ effect: 'allow', basis: 'policy', rule: 'developers', request_id: 'a' },
})
const REFUSED = aRecord({
  ...{ type: 'refused', outcome: 'refused', code: 'POLICY_DENIED', user: 'bob', profile: 'prod' },
  ...{ effect: 'deny', basis: 'policy', request_id: 'b', time: toTimestamp(NOON - 3 * HOUR) },
})
const FAILED = aRecord({
  ...{ type: 'refused', outcome: 'failed', code: 'STS_UNAVAILABLE', profile: 'prod' },
  ...{ request_id: 'c', user: 'alice' },
})
const served = (request: string, count: number, more = {}) =>
  aRecord({ type: 'served', profile: 'dev', request_id: request, count, ...more })
const repeated = (of: string, repeats: number, more = {}) =>
  aRecord({ type: 'refused', outcome: 'refused', profile: 'prod', of, repeats, ...more })

async function count(
  records: readonly LoggedRecord[],
  { by = [] as StatKey[], filter = {} as RecordFilter, annulled = [] as LoggedRecord[] } = {},
) {
  return await countRecords(new MemoryArchive(records, annulled), { by, filter }, { signal })
}

const tally = (issued: number, served: number, refused: number, failed: number) => ({
  ...{ issued, served, refused, failed },
})

suite('countRecords', () => {
  test('sums what was issued, served, refused and failed, with repeats', async () => {
    const records = [
      aRecord({ type: 'start' }),
      ISSUED,
      served('a', 3),
      served('a', 4),
      REFUSED,
      repeated('b', 5),
      FAILED,
      aRecord({ type: 'request.denied', profile: 'prod' }),
    ]
    const stats = await count(records)
    assert.deepEqual(stats, {
      total: tally(1, 7, 6, 1),
      sections: [],
      from: '2026-01-14T09:00:00.000Z',
      to: '2026-01-14T12:00:00.000Z',
    })
  })

  test('leaves out what was taken back', async () => {
    const again = { ...ISSUED, seq: 2 }
    const { total } = await count([ISSUED, again], { annulled: [ISSUED] })
    assert.deepEqual(total, tally(1, 0, 0, 0))
  })

  test('knows whose a sum is by the request that it is of', async () => {
    const records = [ISSUED, REFUSED, served('a', 3), repeated('b', 2), served('unheard of', 1)]
    const { sections } = await count(records, { by: ['user', 'rule'] })
    assert.deepEqual(sections, [
      {
        by: 'user',
        rows: [
          { key: 'bob', ...tally(0, 0, 3, 0) },
          { key: 'alice', ...tally(1, 3, 0, 0) },
          { key: undefined, ...tally(0, 1, 0, 0) },
        ],
      },
      {
        by: 'rule',
        rows: [
          { key: undefined, ...tally(0, 1, 3, 0) },
          { key: 'developers', ...tally(1, 3, 0, 0) },
        ],
      },
    ])
  })

  test('filters sums by what they are of', async () => {
    const records = [ISSUED, REFUSED, served('a', 3), repeated('b', 2), FAILED]
    for (const [filter, expected] of [
      [{ user: 'alice' }, tally(1, 3, 0, 1)],
      [{ user: 'sso:*' }, tally(1, 3, 0, 0)],
      [{ rule: 'dev*' }, tally(1, 3, 0, 0)],
      [{ effect: 'deny' }, tally(0, 0, 3, 0)],
      [{ profile: 'prod' }, tally(0, 0, 3, 1)],
      [{ outcome: 'refused' }, tally(0, 0, 3, 0)],
      [{ until: NOON }, tally(0, 0, 1, 0)],
    ] as const) {
      assert.deepEqual((await count(records, { filter })).total, expected, JSON.stringify(filter))
    }
  })

  test('believes a sum that says itself whose it is', async () => {
    const { sections } = await count([ISSUED, served('a', 2, { user: 'carol' })], { by: ['user'] })
    assert.deepEqual(
      sections[0]?.rows.map(({ key }) => key),
      ['alice', 'carol'],
    )
  })

  test('counts by the hour of the day, in its order, and by outcome with its code', async () => {
    const records = [ISSUED, REFUSED, FAILED, served('a', 2)]
    const { sections } = await count(records, { by: ['hour', 'outcome'] })
    assert.deepEqual(
      sections.map(({ rows }) => rows.map(({ key }) => key)),
      [
        ['09', '12'],
        ['failed STS_UNAVAILABLE', 'issued', 'refused POLICY_DENIED', 'served'],
      ],
    )
  })

  test('tells only so many values apart, and sums the others', async () => {
    const records = Array.from({ length: KEYS_MAX + 5 }, (_, index) => ({
      ...ISSUED,
      user: `user-${index}`,
      request_id: `${index}`,
    }))
    const { total, sections } = await count([...records, ...records], { by: ['user'] })
    assert.equal(total.issued, 2 * (KEYS_MAX + 5))
    assert.equal(sections[0]?.rows.length, KEYS_MAX)
    assert.deepEqual(sections[0]?.others, tally(10, 0, 0, 0))
  })

  test('remembers requests as long as they are served, and others for a while', async () => {
    const old = { ...ISSUED, request_id: 'old' }
    const others = Array.from({ length: 30 }, (_, round) => [
      served('old', 1),
      ...Array.from({ length: 1000 }, (_, index) => ({
        ...ISSUED,
        request_id: `${round} ${index}`,
      })),
    ])
    const { sections } = await count([old, ...others.flat(), served('0 1', 1)], { by: ['user'] })
    assert.deepEqual(sections[0]?.rows, [
      { key: 'alice', ...tally(30_001, 30, 0, 0) },
      { key: undefined, ...tally(0, 1, 0, 0) },
    ])
  })
})
