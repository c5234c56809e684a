import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import {
  BatchGetItemCommand,
  type DynamoDBClient,
  QueryCommand,
  ScanCommand,
} from '@aws-sdk/client-dynamodb'
import { type SessionId, toSessionId } from '../../../src/domain/session.ts'
import { HOUR, toTimestamp } from '../../../src/domain/time.ts'
import type { SessionQuery } from '../../../src/ports/session-store.ts'
import type { Item } from '../../../src/stores/dynamodb/attributes.ts'
import { toItem } from '../../../src/stores/dynamodb/session-item.ts'
import { listSessions } from '../../../src/stores/dynamodb/session-list.ts'
import { DynamoDBTable } from '../../../src/stores/dynamodb/table.ts'
import { aSession, NOW, WAITING } from '../store-under-test.ts'

const DAY = 24 * HOUR
/** Keys in a page of {@link tableOf}: so few that every list has several. */
const PAGE = 3

/** A table of `rows`, of which those in `gone` are still in the indexes. */
function tableOf(rows: readonly Item[], gone: readonly SessionId[] = []) {
  const calls: string[] = []
  const page = (items: readonly Item[], start: number) => ({
    Items: items.slice(start, start + PAGE),
    ...(start + PAGE < items.length && { LastEvaluatedKey: { start: { N: `${start + PAGE}` } } }),
  })
  const startOf = (key: Item | undefined) => Number(key?.start?.N ?? 0)

  async function send(command: unknown): Promise<object> {
    if (command instanceof QueryCommand) {
      const { input } = command
      const key = String(input.KeyConditionExpression?.match(/(?<=^#)\w+/)?.[0])
      const value = input.ExpressionAttributeValues?.[':key']?.S
      const from = input.ExpressionAttributeValues?.[':from']?.S ?? ''
      calls.push(`Query ${input.IndexName}`)
      const found = rows
        .filter((row) => row[key]?.S === value && row.started_at!.S! >= from)
        .toSorted((a, b) => (a.started_at!.S! < b.started_at!.S! ? 1 : -1))
      return page(found, startOf(input.ExclusiveStartKey))
    }
    if (command instanceof ScanCommand) {
      calls.push(`Scan ${command.input.IndexName}`)
      const { ':since': since, ':before': before } = command.input.ExpressionAttributeValues!
      const isThere = ({ started_at: at }: Item) => at!.S! >= since!.S! && at!.S! < before!.S!
      return page(rows.filter(isThere), startOf(command.input.ExclusiveStartKey))
    }
    assert.ok(command instanceof BatchGetItemCommand)
    calls.push('BatchGetItem')
    const ids = command.input.RequestItems?.t?.Keys?.map(({ id }) => id?.S)
    const Items = rows.filter(({ id }) => ids?.includes(id?.S))
    return { Responses: { t: Items.filter(({ id }) => !gone.includes(id!.S as SessionId)) } }
  }

  const client = { send: send as DynamoDBClient['send'] }
  const access = { client: async () => client, table: 't', location: 'dynamodb:eu-central-1:t' }
  return { table: new DynamoDBTable(access), calls }
}

/** Sessions of these ages, with ids that spread them over all partitions. */
function sessionsOf(ages: readonly number[]) {
  return ages.map((age, n) =>
    aSession({ id: toSessionId(Buffer.from([0, 0, 0, 0, 0, 0, 0, n])), startedAt: NOW - age }),
  )
}

async function list(table: DynamoDBTable, query: SessionQuery, onPage = (_: number) => {}) {
  const ids: SessionId[] = []
  const options = { now: NOW, signal: WAITING, onPage }
  for await (const { id } of listSessions(table, query, options)) ids.push(id)
  return ids
}

suite('listSessions', () => {
  const ages = Array.from({ length: 40 }, (_, n) => (n < 20 ? n : (n - 15) * 10 * DAY))
  const sessions = sessionsOf(ages)
  const ids = sessions.map(({ id }) => id)

  test('merges all pages of the live partitions, the newest first', async () => {
    const { table, calls } = tableOf(sessions.map(toItem).toReversed())
    assert.deepEqual(await list(table, { which: 'live' }), ids)
    assert.deepEqual(new Set(calls), new Set(['Query gsi-live', 'BatchGetItem']))
  })

  test('walks back the days, then only those that there are', async () => {
    const { table, calls } = tableOf(sessions.map(toItem).toReversed())
    assert.deepEqual(await list(table, { which: 'all' }), ids)
    const queries = calls.filter((call) => call === 'Query gsi-day').length
    assert.ok(queries < 150, `${queries} queries for 21 days`)
  })

  test('does not look for days before the one that is asked for', async () => {
    const { table, calls } = tableOf(sessions.map(toItem))
    assert.deepEqual(await list(table, { which: 'all', since: NOW - HOUR }), ids.slice(0, 20))
    assert.ok(!calls.includes('Scan gsi-day'))
    const since = NOW - 60 * DAY
    assert.deepEqual(await list(table, { which: 'all', since }), ids.slice(0, 22))
  })

  test('leaves out what is gone by the time it is fetched', async () => {
    const { table } = tableOf(sessions.map(toItem), [ids[0]!, ids[39]!])
    assert.deepEqual(await list(table, { which: 'live' }), ids.slice(1, 39))
  })

  test('leaves out what is over by the time it is fetched, and counts it', async () => {
    const over = { status: { S: 'expired' }, end_reason: { S: 'SIGTERM' } }
    const rows = sessions.map((session, n) => {
      const ended = { ...over, ended_at: { S: toTimestamp(NOW) } }
      return { ...toItem(session), ...(n === 5 && ended) }
    })
    const seen: number[] = []
    const { table } = tableOf(rows)
    const listed = await list(table, { which: 'live' }, (count) => seen.push(count))
    assert.deepEqual(listed, ids.toSpliced(5, 1))
    assert.deepEqual(seen, [40])
  })

  test('asks the index of the user, and looks at the profile of each', async () => {
    const mine = sessions.map((session, n) => ({
      ...session,
      user: n % 2 === 0 ? 'alice' : 'bob',
      profile: n % 3 === 0 ? 'prod' : 'dev',
    }))
    const { table, calls } = tableOf(mine.map(toItem))
    const found = await list(table, { user: 'alice', profile: 'prod', which: 'all' })
    assert.deepEqual(
      found,
      ids.filter((_, n) => n % 6 === 0),
    )
    assert.deepEqual(new Set(calls), new Set(['Query gsi-user', 'BatchGetItem']))
  })

  test('fails with the failure of what was fetched ahead', async () => {
    const row = { ...toItem(sessions[0]!), status: { S: 'paused' } }
    const { table } = tableOf([row])
    await assert.rejects(list(table, { which: 'live' }), { code: 'STORE_INVALID' })
  })
})
