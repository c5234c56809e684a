import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { requestIdIn } from '../../src/app/find-decision.ts'
import { findRefusal, findRequest } from '../../src/app/find-refusal.ts'
import type { LoggedRecord } from '../../src/domain/log-record.ts'
import { aRecord, MemoryArchive } from '../fixtures/archive.ts'

const OPTIONS = { signal: new AbortController().signal }
const FIRST = 'firstfirstfirstfirst'
const SECOND = 'secondsecondsecondse'

const refusal = (id: string, more: Partial<LoggedRecord> = {}) =>
  aRecord({
    ...{ type: 'refused', outcome: 'refused', code: 'POLICY_DENIED', request_id: id },
    ...{ user: 'alice', person: 'sso:alice@corp.example', profile: 'prod' },
    ...more,
  })
const repeats = (of: string, count: number) =>
  aRecord({
    type: 'refused',
    outcome: 'refused',
    code: 'POLICY_DENIED',
    profile: 'prod',
    of,
    repeats: count,
  })
const issued = (id: string) =>
  aRecord({ type: 'issued', outcome: 'issued', request_id: id, user: 'alice', profile: 'dev' })
const served = (id: string, count: number) => aRecord({ type: 'served', request_id: id, count })

suite('findRefusal', () => {
  test('finds the last one, with all its repeats', async () => {
    const archive = new MemoryArchive([
      refusal(FIRST),
      repeats(FIRST, 7),
      refusal(SECOND),
      repeats(FIRST, 1),
      repeats(SECOND, 3),
      issued('issuedissuedissuedis'),
      repeats(SECOND, 2),
    ])
    const { record, repeats: count } = await findRefusal(archive, {}, OPTIONS)
    assert.equal(record.request_id, SECOND)
    assert.equal(count, 5)
  })

  test('takes a failure for one too', async () => {
    const failed = refusal(SECOND, { outcome: 'failed', code: 'STS_UNAVAILABLE' })
    const { record } = await findRefusal(new MemoryArchive([refusal(FIRST), failed]), {}, OPTIONS)
    assert.equal(record.code, 'STS_UNAVAILABLE')
  })

  test('passes over what was taken back', async () => {
    const [kept, annulled] = [refusal(FIRST), refusal(SECOND)]
    const archive = new MemoryArchive([kept, annulled], [annulled])
    assert.equal((await findRefusal(archive, {}, OPTIONS)).record.request_id, FIRST)
  })

  test('is narrowed to a user, as records name them, and to a profile', async () => {
    const archive = new MemoryArchive([
      refusal(FIRST),
      repeats(FIRST, 2),
      refusal(SECOND, { user: 'bob', person: 'iam:111122223333/bob', profile: 'dev' }),
    ])
    const id = async (filter: { user?: string; profile?: string }) => {
      const { record, repeats } = await findRefusal(archive, filter, OPTIONS)
      return [record.request_id, repeats]
    }
    assert.deepEqual(await id({ user: 'alice' }), [FIRST, 2])
    assert.deepEqual(await id({ user: 'sso:alice@corp.example' }), [FIRST, 2])
    assert.deepEqual(await id({ profile: 'prod' }), [FIRST, 2])
    assert.deepEqual(await id({ profile: 'dev' }), [SECOND, 0])
  })

  test('says for whom and for what there is none', async () => {
    const archive = new MemoryArchive([issued(FIRST), refusal(SECOND)])
    await assert.rejects(findRefusal(archive, { user: 'bob', profile: 'dev' }, OPTIONS), {
      code: 'RECORD_NOT_FOUND',
      message: 'the log has no refusal of bob for dev',
    })
  })

  test('parses no more of the log than may count', async () => {
    const archive = new MemoryArchive([
      ...Array.from({ length: 50 }, () => issued(FIRST)),
      refusal(SECOND),
    ])
    await findRefusal(archive, {}, OPTIONS)
    assert.equal(archive.parsed, 1)
  })
})

suite('findRequest', () => {
  const archive = new MemoryArchive([
    issued(FIRST),
    served(FIRST, 4),
    refusal(SECOND),
    served(FIRST, 2),
    repeats(SECOND, 9),
  ])

  for (const text of [FIRST, 'firs', `sentinel=alice=policy=${FIRST}`, `alice-${FIRST}`]) {
    test(`finds what ${text} names, with how often it was served`, async () => {
      const { record, served, repeats } = await findRequest(archive, text, OPTIONS)
      assert.deepEqual([record.type, record.request_id, served, repeats], ['issued', FIRST, 6, 0])
    })
  }

  test('sums the repeats of a refusal', async () => {
    assert.equal((await findRequest(archive, SECOND, OPTIONS)).repeats, 9)
  })

  test('says that there is no such request', async () => {
    await assert.rejects(findRequest(archive, 'mzxw6ytboi3damrqgaya', OPTIONS), {
      code: 'RECORD_NOT_FOUND',
    })
  })
})

suite('requestIdIn', () => {
  const texts: [text: string, id: string][] = [
    [`sentinel=alice=policy=${FIRST}`, FIRST],
    [`sentinel=a,mzxw6ytboi=break_glass=${FIRST}`, FIRST],
    [`alice-${FIRST}`, FIRST],
    [`al-ice@corp.example-${FIRST}`, FIRST],
    [`arn:aws:sts::444455556666:assumed-role/Prod/alice-${FIRST}`, FIRST],
    [`AROAEXAMPLE:alice-${FIRST}`, FIRST],
    [FIRST, FIRST],
    ['mzxw', 'mzxw'],
    [`sentinel=alice=other=${FIRST}`, `sentinel=alice=other=${FIRST}`],
    ['alice-short', 'alice-short'],
  ]
  for (const [text, id] of texts) {
    test(`of ${text} is ${id}`, () => assert.equal(requestIdIn(text), id))
  }
})
