import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import type { AttributeValue } from '@aws-sdk/client-dynamodb'
import type { Party } from '../../../src/domain/party.ts'
import { TABLE_ROLES, type TableRole, type WantedTable } from '../../../src/domain/table.ts'
import { DynamoDBAnchorStore } from '../../../src/stores/dynamodb/anchor-store.ts'
import { DynamoDBBreakGlassStore } from '../../../src/stores/dynamodb/break-glass-store.ts'
import { iamPolicy } from '../../../src/stores/dynamodb/iam-policy.ts'
import { DynamoDBRequestStore } from '../../../src/stores/dynamodb/request-store.ts'
import { DynamoDBSessionStore } from '../../../src/stores/dynamodb/session-store.ts'
import {
  ANCHORS_TABLE,
  BREAK_GLASS_TABLE,
  REQUESTS_TABLE,
  SESSIONS_TABLE,
} from '../../../src/stores/dynamodb/tables.ts'
import { anAnchor } from '../../fixtures/anchors.ts'
import { admitAll, anEvent, aReview as anEventReview } from '../break-glass-under-test.ts'
import { aParty, aRequest, aReview } from '../request-under-test.ts'
import { aLock, aNotification, aSession, NOW, progress, WAITING } from '../store-under-test.ts'

const REGION = 'eu-central-1'
const wanted = (definition: WantedTable['definition']): WantedTable => ({
  definition,
  name: definition.defaultName,
  region: REGION,
})
const TABLES = [SESSIONS_TABLE, REQUESTS_TABLE, BREAK_GLASS_TABLE, ANCHORS_TABLE].map(wanted)
const [SESSIONS = '', REQUESTS = '', EVENTS = '', ANCHORS = ''] = TABLES.map(({ name }) => name)

const ME = aParty()
const OTHER = aParty()
const ACT = { at: NOW, by: 'alice', reason: 'over' }

suite('the IAM policies of roles', () => {
  const may: Record<TableRole, Record<string, (stores: Stores) => Promise<unknown>>> = {
    requester: {
      'tracks a session': ({ sessions }) => sessions.create(aSession(), WAITING),
      'touches a session': ({ sessions }) =>
        sessions.touch(aSession().id, progress(1), NOW, WAITING),
      'looks at locks': ({ sessions }) => sessions.look(aSession(), WAITING),
      'requests access': ({ requests }) =>
        requests.create(aRequest({ requester: ME }), [aNotification()], WAITING),
      'cancels a request': ({ requests }) =>
        requests.cancel(aRequest().id, ACT, [aNotification()], WAITING),
      'notices that a request is over': ({ requests }) =>
        requests.settle(aRequest().id, [aNotification()], WAITING),
      'lists requests': ({ requests }) => drain(requests.list({ which: 'all' }, WAITING)),
      'breaks glass': ({ events }) =>
        events.begin(anEvent({ invoker: ME }), admitAll, [aNotification()], WAITING),
      'closes an event of its own': ({ events, known }) =>
        events.close(known(ME).id, ACT, [aNotification()], WAITING),
      'announces that an event of others ended': ({ events, known }) =>
        events.announce(known(OTHER).id, 'expired', [aNotification()], WAITING),
      'delivers what waits': async ({ requests, events }) => {
        for (const store of [requests, events]) {
          await store.due(NOW, 10, WAITING)
          await store.claim({ ...aNotification(), attempts: 0, nextAt: NOW }, NOW, WAITING)
          await store.remove(aNotification().id, WAITING)
        }
      },
    },
    approver: {
      'reviews a request': ({ requests }) =>
        requests.review(aReview(aRequest(), { reviewer: ME }), [aNotification()], WAITING),
      'revokes what was approved': ({ requests }) =>
        requests.revoke(aRequest().id, ACT, [aNotification()], WAITING),
      'takes a decided request off the list': ({ requests }) =>
        requests.settle(aRequest().id, [], WAITING),
      'closes an event of others': ({ events, known }) =>
        events.close(known(OTHER).id, ACT, [aNotification()], WAITING),
      'reviews an event': ({ events }) =>
        events.review(anEventReview(anEvent(), { reviewer: ME }), [aNotification()], WAITING),
      'takes a reviewed event off the list': ({ events, known }) =>
        events.settle(known(OTHER).id, WAITING),
      'finds an event': ({ events }) => events.find('abcd', WAITING),
    },
    administrator: {
      'locks a user out': ({ sessions }) =>
        sessions.lock(aLock({ kind: 'user', name: 'alice' }), WAITING),
      'takes a lock away': ({ sessions }) => sessions.unlock({ kind: 'all' }, WAITING),
      'revokes a session': ({ sessions }) =>
        sessions.revoke(aSession().id, { at: NOW, by: 'bob', reason: 'lost' }, WAITING),
      'revokes what was approved': ({ requests }) =>
        requests.revoke(aRequest().id, ACT, [aNotification()], WAITING),
      'closes an event of others': ({ events, known }) =>
        events.close(known(OTHER).id, ACT, [aNotification()], WAITING),
    },
  }
  const mayAll: (typeof may)[TableRole] = {
    'anchors the log': ({ anchors }) => anchors.put(anAnchor(), WAITING),
    'reads the anchors': ({ anchors }) => drain(anchors.list('laptop', WAITING)),
  }
  for (const role of TABLE_ROLES) {
    for (const [what, act] of Object.entries({ ...may[role], ...mayAll })) {
      test(`${role}: ${what}`, async () => {
        const calls = await callsOf(act)
        assert.ok(calls.length > 0)
        for (const call of calls) {
          assert.ok(isAllowed(role, call), `${role} may not ${JSON.stringify(call)}`)
        }
      })
    }
  }

  const review = { table: REQUESTS, action: 'PutItem', attributes: ['id', 'verdict', 'seal'] }
  const request = { table: REQUESTS, action: 'UpdateItem', keys: ['request#a'] }
  const event = { table: EVENTS, action: 'UpdateItem', keys: [`bg#${OTHER.principalId}#a`] }
  const anchor = { table: ANCHORS, action: 'UpdateItem', keys: ['anchor#a'], attributes: ['seq'] }
  const mayNot: [who: readonly TableRole[], what: string, call: Call][] = [
    [
      TABLE_ROLES,
      'writes a review for another',
      { ...review, keys: [`review#a#${OTHER.principalId}`] },
    ],
    [
      TABLE_ROLES,
      'writes a review of an event for another',
      { ...review, table: EVENTS, keys: [`bgreview#a#${OTHER.principalId}`] },
    ],
    [['requester'], 'writes a review', { ...review, keys: [`review#a#${ME.principalId}`] }],
    [
      TABLE_ROLES,
      'changes a review that is there',
      { ...review, action: 'UpdateItem', keys: [`review#a#${ME.principalId}`] },
    ],
    [
      TABLE_ROLES,
      'breaks glass for another',
      { table: EVENTS, action: 'PutItem', keys: [`bg#${OTHER.principalId}#a`], attributes: ['id'] },
    ],
    [TABLE_ROLES, 'puts a request anew', { ...review, keys: ['request#a'] }],
    [['requester'], 'touches a revocation', { ...request, attributes: ['id', 'revoked_at'] }],
    [['approver'], 'changes a request', { ...request, attributes: ['id', 'duration'] }],
    [
      ['requester', 'approver'],
      'deletes a review',
      { ...review, action: 'DeleteItem', keys: [`review#a#${ME.principalId}`] },
    ],
    [['requester'], 'closes an event of others', { ...event, attributes: ['id', 'closed_at'] }],
    [['requester', 'approver'], 'prolongs an event', { ...event, attributes: ['id', 'duration'] }],
    [
      ['requester', 'approver'],
      'takes a lock away',
      { table: SESSIONS, action: 'DeleteItem', keys: ['lock#all'], attributes: ['id'] },
    ],
    [
      ['requester', 'approver'],
      'overwrites a lock',
      { table: SESSIONS, action: 'PutItem', keys: ['lock#all'], attributes: ['id'] },
    ],
    [TABLE_ROLES, 'deletes an anchor', { ...anchor, action: 'DeleteItem' }],
    [TABLE_ROLES, 'puts an anchor anew', { ...anchor, action: 'PutItem' }],
    [TABLE_ROLES, 'writes what is no anchor', { ...anchor, keys: ['lock#all'] }],
    [TABLE_ROLES, 'passes without naming a key', { ...review, action: 'PutItem', keys: [] }],
  ]
  for (const [roles, what, call] of mayNot) {
    for (const role of roles) {
      test(`${role}: never ${what}`, () => assert.equal(isAllowed(role, call), false))
    }
  }

  test('fit into what IAM takes for a managed policy', () => {
    for (const role of TABLE_ROLES) {
      const arn = `arn:aws:dynamodb:${REGION}:111122223333:table/${'x'.repeat(60)}`
      const tables = TABLES.map((table) => ({ ...table, arn }))
      assert.ok(iamPolicy(role, tables).replaceAll(/\s/g, '').length <= 6144, role)
    }
  })

  test('are over the tables there are to be, by their ARNs where these are known', () => {
    const arn = 'arn:aws-cn:dynamodb:cn-north-1:111122223333:table/mine'
    const [, requests] = TABLES
    const only = JSON.parse(iamPolicy('approver', [{ ...(requests as WantedTable), arn }]))
    const resources: string[] = only.Statement.flatMap((one: Statement) => one.Resource)
    assert.deepEqual(new Set(resources), new Set([arn, `${arn}/index/*`]))

    const { Statement: all } = JSON.parse(
      iamPolicy('requester', [{ ...(requests as WantedTable), region: 'us-gov-west-1' }]),
    )
    assert.equal(
      all[0].Resource[0],
      'arn:aws-us-gov:dynamodb:us-gov-west-1:ACCOUNT:table/sentinel-requests',
    )
  })
})

/** What IAM is shown of a call. */
interface Call {
  readonly table: string
  readonly action: string
  /** Leading keys; absent for reads, which no condition is on. */
  readonly keys?: readonly string[]
  readonly attributes?: readonly string[]
}

interface Statement {
  readonly Action: readonly string[]
  readonly Resource: readonly string[]
  readonly Condition?: Record<string, Record<string, string | string[]>>
}

/** IAM, as far as these policies use it, for {@link ME}. */
function isAllowed(role: TableRole, call: Call): boolean {
  const { Statement: statements } = JSON.parse(iamPolicy(role, TABLES)) as {
    Statement: Statement[]
  }
  return statements.some(
    ({ Action, Resource, Condition = {} }) =>
      Action.includes(`dynamodb:${call.action}`) &&
      Resource.some((arn) => arn.includes(`:table/${call.table}`)) &&
      Object.entries(Condition).every(([operator, keys]) =>
        Object.entries(keys).every(([key, values]) =>
          holds(operator, values, contextOf(call, key)),
        ),
      ),
  )
}

function contextOf({ keys = [], attributes = [] }: Call, key: string): readonly string[] {
  if (key === 'dynamodb:LeadingKeys') return keys
  assert.equal(key, 'dynamodb:Attributes')
  return attributes
}

function holds(operator: string, values: string | string[], context: readonly string[]): boolean {
  const isLike = (text: string) => [values].flat().some((pattern) => toRegExp(pattern).test(text))
  switch (operator) {
    case 'ForAllValues:StringLike':
      return context.every(isLike)
    case 'ForAllValues:StringNotLike':
      return !context.some(isLike)
    case 'ForAllValues:StringEquals':
      return context.every((text) => values.includes(text))
    case 'Null':
      return (context.length === 0) === (values === 'true')
    default:
      throw new Error(`unknown operator ${operator}`)
  }
}

function toRegExp(pattern: string): RegExp {
  const mine = pattern.replaceAll(['$', '{aws:userid}'].join(''), ME.principalId)
  return new RegExp(`^${mine.split('*').map(RegExp.escape).join('.*')}$`)
}

/** Stores whose calls are written down, and answered as if all went well. */
interface Stores {
  readonly sessions: DynamoDBSessionStore
  readonly requests: DynamoDBRequestStore
  readonly events: DynamoDBBreakGlassStore
  readonly anchors: DynamoDBAnchorStore
  /** An event of somebody, that the store finds. */
  readonly known: (invoker: Party) => ReturnType<typeof anEvent>
}

interface Input {
  readonly TableName?: string
  readonly Key?: Record<string, AttributeValue>
  readonly Item?: Record<string, AttributeValue>
  readonly ExpressionAttributeNames?: Record<string, string>
  readonly RequestItems?: Record<string, unknown>
  readonly TransactItems?: readonly Record<string, Input>[]
}

async function callsOf(act: (stores: Stores) => Promise<unknown>): Promise<readonly Call[]> {
  const calls: Call[] = []
  const scanned: { id: AttributeValue }[] = []
  const client = {
    send: async ({
      constructor: { name },
      input,
    }: {
      constructor: { name: string }
      input: Input
    }) => {
      const action = name.replace('Command', '')
      calls.push(...toCalls(action, input))
      if (action === 'BatchGetItem') return { Responses: { [tableOf(input)]: [] } }
      return { Items: action === 'Scan' ? scanned : [], Attributes: {} }
    },
  }
  const access = (table: string) => ({
    client: async () => client as never,
    table,
    location: `dynamodb:${REGION}:${table}`,
    now: () => NOW,
  })
  const stores = {
    sessions: new DynamoDBSessionStore(access(SESSIONS)),
    requests: new DynamoDBRequestStore(access(REQUESTS)),
    events: new DynamoDBBreakGlassStore(access(EVENTS)),
    anchors: new DynamoDBAnchorStore(access(ANCHORS)),
    known: (invoker: Party) => {
      const known = anEvent({ invoker })
      scanned.push({ id: { S: `bg#${invoker.principalId}#${known.id}` } })
      return known
    },
  }
  // What the answers lead to is not looked at, only what was asked.
  await act(stores).catch((error: unknown) => assert.match(String(error), /SentinelError/))
  return calls
}

/** A transaction is asked for by its parts: each of them, and those of one action together. */
function toCalls(action: string, input: Input): readonly Call[] {
  if (action !== 'TransactWriteItems') return [toCall(action, input)]
  const parts = (input.TransactItems ?? []).flatMap((item) =>
    Object.entries(item).map(([kind, part]) =>
      toCall(kind === 'ConditionCheck' ? 'ConditionCheckItem' : `${kind}Item`, part),
    ),
  )
  const together = [...Map.groupBy(parts, (part) => part.action).values()].map((some) => ({
    ...(some[0] as Call),
    keys: some.flatMap(({ keys = [] }) => keys),
    attributes: some.flatMap(({ attributes = [] }) => attributes),
  }))
  return [...parts, ...together]
}

function toCall(action: string, input: Input): Call {
  const { Key, Item, ExpressionAttributeNames: names = {} } = input
  const key = Key?.id?.S ?? Item?.id?.S
  return {
    table: tableOf(input),
    action,
    ...(key !== undefined && {
      keys: [key],
      attributes: [...Object.keys(Key ?? {}), ...Object.keys(Item ?? {}), ...Object.values(names)],
    }),
  }
}

function tableOf({ TableName, RequestItems = {} }: Input): string {
  return TableName ?? Object.keys(RequestItems)[0] ?? ''
}

async function drain(items: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of items);
}
