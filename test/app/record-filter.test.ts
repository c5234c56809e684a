import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import {
  ACCESS_TYPES,
  matcherOf,
  RECORD_TYPES,
  type RecordFilter,
} from '../../src/app/record-filter.ts'
import { selectRecords } from '../../src/app/select-records.ts'
import type { LoggedRecord } from '../../src/domain/log-record.ts'
import { MINUTE } from '../../src/domain/time.ts'
import { aRecord, MemoryArchive } from '../fixtures/archive.ts'
import { NOON } from '../fixtures/policies.ts'
import { random } from '../fixtures/random.ts'
import { collect } from '../stores/store-under-test.ts'

const signal = new AbortController().signal

const ISSUED = aRecord({
  type: 'issued',
  user: 'alice',
  person: 'iam:111122223333/alice',
  profile: 'prod',
  mode: 'server',
  effect: 'allow',
  outcome: 'issued',
  basis: 'approval',
  rule: 'prod hours',
  request_id: 'mzxw6ytboi3damrqgaya',
  session_id: '00000000000a11ce',
  grant_id: 'grantgrantgrantgrant',
})

suite('a filter of records', () => {
  const cases: [filter: RecordFilter, isMatch: boolean][] = [
    [{}, true],
    [{ user: 'alice' }, true],
    [{ user: 'iam:111122223333/alice' }, true],
    [{ user: 'al*' }, true],
    [{ user: '*' }, true],
    [{ user: 'iam:*/alice' }, true],
    [{ user: 'ali' }, false],
    [{ user: 'Alice' }, false],
    [{ user: '*bob' }, false],
    [{ profile: 'prod' }, true],
    [{ profile: 'p*d' }, true],
    [{ profile: 'pro' }, false],
    [{ rule: 'prod hours' }, true],
    [{ rule: 'prod' }, false],
    [{ mode: 'server' }, true],
    [{ mode: 'cli' }, false],
    [{ effect: 'allow' }, true],
    [{ effect: 'deny' }, false],
    [{ outcome: 'issued' }, true],
    [{ outcome: 'failed' }, false],
    [{ basis: 'approval' }, true],
    [{ basis: 'policy' }, false],
    [{ session: '00000000000a11ce' }, true],
    [{ session: '0000' }, true],
    [{ session: 'a11ce' }, false],
    [{ request: 'mzxw' }, true],
    [{ request: 'grantgrant' }, true],
    [{ request: 'zxw6' }, false],
    [{ types: ['refused', 'issued'] }, true],
    [{ types: ['issued'] }, true],
    [{ types: ['refused'] }, false],
    [{ types: [] }, false],
    [{ since: NOON }, true],
    [{ since: NOON + 1 }, false],
    [{ until: NOON + 1 }, true],
    [{ until: NOON }, false],
    [{ since: NOON - MINUTE, until: NOON + MINUTE }, true],
    [{ user: 'alice', profile: 'prod', rule: 'prod*', session: '0' }, true],
    [{ user: 'alice', profile: 'dev' }, false],
  ]
  for (const [filter, isMatch] of cases) {
    test(`${JSON.stringify(filter)} ${isMatch ? 'lets through' : 'keeps back'}`, async () => {
      assert.equal(matcherOf(filter)(ISSUED), isMatch)
      const found = selectRecords(
        new MemoryArchive([ISSUED]),
        { filter, annulled: 'hidden' },
        { signal },
      )
      assert.equal((await collect(found)).length, isMatch ? 1 : 0, 'with the texts sought')
    })
  }

  test('finds by an id what a refusal was repeated, and what happened to a request', () => {
    const isFound = matcherOf({ request: 'mzxw6ytboi3damrqgaya' })
    assert.ok(isFound(aRecord({ type: 'refused', of: 'mzxw6ytboi3damrqgaya', repeats: 3 })))
    assert.ok(isFound(aRecord({ type: 'request.denied', subject_id: 'mzxw6ytboi3damrqgaya' })))
    assert.ok(!isFound(aRecord({ type: 'stop' })))
  })

  test('does not stumble over values that no writer wrote', () => {
    const odd = { ...ISSUED, user: 5, person: null, profile: {}, session_id: [], request_id: true }
    const filter = { user: '*', profile: '*', session: '0', request: 'm' }
    assert.equal(matcherOf(filter)(odd as unknown as LoggedRecord), false)
  })

  test('tells what is about access from what is about runs', () => {
    assert.deepEqual(
      RECORD_TYPES.filter((type) => !ACCESS_TYPES.includes(type)),
      [
        ...['session.created', 'session.ended', 'notification.given_up'],
        ...['start', 'stop', 'recovered', 'witness'],
      ],
    )
  })

  test('never misses by its texts what it would let through', async () => {
    const seed = Number(process.env.SENTINEL_TEST_SEED ?? Date.now() % 1e9)
    const next = random(seed)
    const ALPHABET = ['a', '"', '\\', '*', 'ü', '😀', '\u2028', '\u007f', '/', ':', '\n', ' ']
    const pick = <Item>(items: readonly Item[]) => items[Math.floor(next() * items.length)]!
    const text = () => Array.from({ length: 1 + next() * 5 }, () => pick(ALPHABET)).join('')
    const record = () =>
      aRecord({
        ...{ type: pick(RECORD_TYPES), user: text(), person: text(), profile: text() },
        ...{ rule: text(), session_id: text(), request_id: text(), of: text() },
      })
    const filter = (): RecordFilter => ({
      ...(next() < 0.5 && { user: text() }),
      ...(next() < 0.5 && { profile: text() }),
      ...(next() < 0.2 && { rule: text() }),
      ...(next() < 0.2 && { session: text() }),
      ...(next() < 0.2 && { request: text() }),
      ...(next() < 0.2 && { types: [pick(RECORD_TYPES)] }),
    })
    let matches = 0
    for (let i = 0; i < 300; i += 1) {
      const records = Array.from({ length: 20 }, record)
      const sought = filter()
      const expected = records.filter(matcherOf(sought))
      matches += expected.length
      const selection = { filter: sought, annulled: 'hidden' } as const
      const found = await collect(selectRecords(new MemoryArchive(records), selection, { signal }))
      assert.deepEqual(
        found.map((archived) => archived.record),
        expected,
        `seed ${seed}: ${JSON.stringify(sought)}`,
      )
    }
    assert.ok(matches > 0, `seed ${seed}`)
  })
})
