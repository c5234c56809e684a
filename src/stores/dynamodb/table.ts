import {
  BatchGetItemCommand,
  ConditionalCheckFailedException,
  DeleteItemCommand,
  type DynamoDBClient,
  PutItemCommand,
  QueryCommand,
  ScanCommand,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb'
import type { TableKind } from '../../domain/table.ts'
import { type Item, text } from './attributes.ts'
import { type Change, namesIn, setting, valuesOf } from './expressions.ts'
import { notFromDynamoDB, tableError } from './faults.ts'
import { pause, untilAborted } from './until-aborted.ts'

/** Where a table is, and who asks it. */
export interface TableAccess {
  /** Gives a client that is ready: asked before every call. */
  readonly client: () => Promise<Pick<DynamoDBClient, 'send'>>
  /** Name or ARN. */
  readonly table: string
  /** Complete, for messages. */
  readonly location: string
  /** What it keeps; absent: sessions. */
  readonly kind?: TableKind
}

/** What became of a conditional write: the row as it is now, or as it was when it refused. */
type Written =
  | { readonly isMade: true; readonly item: Item }
  | { readonly isMade: false; readonly item: Item | undefined }

interface IndexQuery {
  readonly index: string
  readonly key: string
  readonly value: string
  /** The lowest value of the sort key that counts. */
  readonly from?: { readonly sort: string; readonly value: string } | undefined
  /** From the highest sort key down, unless this says otherwise. */
  readonly order?: 'ascending'
}

interface IndexScan {
  readonly index: string
  readonly filter: string
  readonly values: Item
}

interface Call {
  readonly action: string
  readonly index?: string
  readonly signal: AbortSignal
}

/** As many as BatchGetItem takes. */
export const BATCH = 100

/** Keys to ask an index for at once. */
const PAGE = 500

const FIRST_PAUSE = 25
const LONGEST_PAUSE = 1000

/**
 * A table whose key is `id`, by the few calls that stores need. All of them reject with
 * `STORE_UNAVAILABLE`, `STORE_NOT_FOUND` or `STORE_INVALID`, and with nothing else.
 */
export class DynamoDBTable {
  readonly location: string
  readonly #access: TableAccess

  constructor(access: TableAccess) {
    this.#access = access
    this.location = access.location
  }

  /** Puts a row where there is none. */
  async create(item: Item, signal: AbortSignal): Promise<Written> {
    const condition = 'attribute_not_exists(#id)'
    return this.#written(item.id?.S ?? '', signal, async () => {
      await this.#ask({ action: 'PutItem', signal }, (client, options) =>
        client.send(
          new PutItemCommand({
            TableName: this.#access.table,
            Item: item,
            ConditionExpression: condition,
            ExpressionAttributeNames: namesIn(condition),
            ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
          }),
          options,
        ),
      )
      return item
    })
  }

  /** Changes single attributes of a row: the others stay as whoever wrote them left them. */
  async update(id: string, change: Change, signal: AbortSignal): Promise<Written> {
    const { set, condition } = change
    const update = setting(change)
    const call = { action: 'UpdateItem', signal }
    return this.#written(id, signal, async () => {
      const { Attributes } = await this.#ask(call, (client, options) =>
        client.send(
          new UpdateItemCommand({
            TableName: this.#access.table,
            Key: { id: text(id) },
            UpdateExpression: update,
            ConditionExpression: condition,
            ExpressionAttributeNames: namesIn(update, condition),
            ExpressionAttributeValues: valuesOf({ ...set, ...change.values }),
            ReturnValues: 'ALL_NEW',
            ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
          }),
          options,
        ),
      )
      // What was written has attributes; an answer without any is not DynamoDB's.
      return Attributes ?? this.#refuse(call)
    })
  }

  /** Deletes a row; resolves to what it was. Of several who do so at once one is told. */
  async delete(id: string, signal: AbortSignal): Promise<Item | undefined> {
    const condition = 'attribute_exists(#id)'
    const deletion = await attempt(async () => {
      const call = { action: 'DeleteItem', signal }
      const { Attributes } = await this.#ask(call, (client, options) =>
        client.send(
          new DeleteItemCommand({
            TableName: this.#access.table,
            Key: { id: text(id) },
            ConditionExpression: condition,
            ExpressionAttributeNames: namesIn(condition),
            ReturnValues: 'ALL_OLD',
          }),
          options,
        ),
      )
      return Attributes ?? this.#refuse(call)
    })
    return deletion.isMade ? deletion.item : undefined
  }

  /**
   * Reads rows, each strongly consistent: what is not in the answer is not in the table. At most
   * {@link BATCH}. What DynamoDB leaves out for now is asked for again until `signal` aborts.
   */
  async read(ids: readonly string[], signal: AbortSignal): Promise<ReadonlyMap<string, Item>> {
    const found = new Map<string, Item>()
    let wanted = ids
    for (let wait = FIRST_PAUSE; ; wait = Math.min(2 * wait, LONGEST_PAUSE)) {
      const { items, left } = await this.#readOnce(wanted, signal)
      for (const item of items) if (item.id?.S !== undefined) found.set(item.id.S, item)
      if (left.length === 0) return found
      wanted = left
      await this.#ask({ action: 'BatchGetItem', signal }, () => pause(wait, signal))
    }
  }

  /** The keys that an index has under one value, in pages. */
  query(query: IndexQuery, signal: AbortSignal): AsyncGenerator<Item[]> {
    const { index, key, value, from, order } = query
    const condition = `#${key} = :key${from === undefined ? '' : ` AND #${from.sort} >= :from`}`
    const call = { action: 'Query', index, signal }
    return this.#pages(call, (client, options, ExclusiveStartKey) =>
      client.send(
        new QueryCommand({
          TableName: this.#access.table,
          IndexName: index,
          KeyConditionExpression: condition,
          ExpressionAttributeNames: namesIn(condition),
          ExpressionAttributeValues: {
            ':key': text(value),
            ...(from !== undefined && { ':from': text(from.value) }),
          },
          ScanIndexForward: order === 'ascending',
          Limit: PAGE,
          ExclusiveStartKey,
        }),
        options,
      ),
    )
  }

  /** The keys of a whole index that pass a filter, in no order, in pages that may be empty. */
  scan({ index, filter, values }: IndexScan, signal: AbortSignal): AsyncGenerator<Item[]> {
    const call = { action: 'Scan', index, signal }
    // No limit: it would count what does not pass, too.
    return this.#pages(call, (client, options, ExclusiveStartKey) =>
      client.send(
        new ScanCommand({
          TableName: this.#access.table,
          IndexName: index,
          FilterExpression: filter,
          ExpressionAttributeNames: namesIn(filter),
          ExpressionAttributeValues: valuesOf(values),
          ExclusiveStartKey,
        }),
        options,
      ),
    )
  }

  async *#pages(
    call: Call,
    send: (
      client: Pick<DynamoDBClient, 'send'>,
      options: { abortSignal: AbortSignal },
      start: Item | undefined,
    ) => Promise<{ Items?: Item[] | undefined; LastEvaluatedKey?: Item | undefined }>,
  ): AsyncGenerator<Item[]> {
    let start: Item | undefined
    do {
      const answer = await this.#ask(call, (client, options) => send(client, options, start))
      yield Array.isArray(answer.Items) ? answer.Items : this.#refuse(call)
      start = answer.LastEvaluatedKey
    } while (start !== undefined)
  }

  async #readOnce(ids: readonly string[], signal: AbortSignal) {
    const call = { action: 'BatchGetItem', signal }
    const Keys = ids.map((id) => ({ id: text(id) }))
    const { Responses, UnprocessedKeys } = await this.#ask(call, (client, options) =>
      client.send(
        new BatchGetItemCommand({
          RequestItems: { [this.#access.table]: { Keys, ConsistentRead: true } },
        }),
        options,
      ),
    )
    const left = Object.values(UnprocessedKeys ?? {})
      .flatMap(({ Keys = [] }) => Keys)
      .flatMap(({ id }) => id?.S ?? [])
    const lists = Object.values(Responses ?? {}).filter((list) => Array.isArray(list))
    // Rows that were not found are an empty list, and only that: a proxy makes an empty object of
    // anything, and it must not read as "no such session".
    if (lists.length === 0 && left.length === 0) return this.#refuse(call)
    return { items: lists.flat() as Item[], left }
  }

  /**
   * Makes a refusal by the condition an answer, with the row as DynamoDB saw it then. It gives none
   * where there was none; but not every backend that speaks DynamoDB gives one at all.
   */
  async #written(id: string, signal: AbortSignal, write: () => Promise<Item>): Promise<Written> {
    const first = await attempt(write)
    if (first.item !== undefined || !(await this.#has(id, signal))) return first
    // There is one by now. Said again, the write meets it; what refused it then is what it meets.
    const second = await attempt(write)
    if (second.item !== undefined) return second
    return { isMade: false, item: (await this.read([id], signal)).get(id) }
  }

  async #has(id: string, signal: AbortSignal): Promise<boolean> {
    return (await this.read([id], signal)).has(id)
  }

  async #ask<Answer>(
    call: Call,
    send: (
      client: Pick<DynamoDBClient, 'send'>,
      options: { abortSignal: AbortSignal },
    ) => Promise<Answer>,
  ): Promise<Answer> {
    const { signal } = call
    try {
      return await untilAborted(signal, async () =>
        send(await this.#access.client(), { abortSignal: signal }),
      )
    } catch (error) {
      if (error instanceof ConditionalCheckFailedException) throw error
      throw tableError(error, { ...this.#access, ...call }, signal.aborted)
    }
  }

  #refuse(call: Call): never {
    throw notFromDynamoDB({ ...this.#access, ...call })
  }
}

async function attempt(write: () => Promise<Item>): Promise<Written> {
  try {
    return { isMade: true, item: await write() }
  } catch (error) {
    if (!(error instanceof ConditionalCheckFailedException)) throw error
    return { isMade: false, item: error.Item }
  }
}
