import { randomInt, randomUUID } from 'node:crypto'
import {
  type CancellationReason,
  TransactionCanceledException,
  type TransactWriteItem,
  TransactWriteItemsCommand,
} from '@aws-sdk/client-dynamodb'
import { SentinelError } from '../../errors.ts'
import { type Item, text } from './attributes.ts'
import { type Change, namesIn, setting, valuesOf } from './expressions.ts'
import { tableError } from './faults.ts'
import type { TableAccess } from './table.ts'
import { pause, untilAborted } from './until-aborted.ts'

interface Condition {
  readonly condition: string
  /** What the condition compares with: `:name`. */
  readonly values?: Item
}

/** One write of a transaction, to a row that no other write of it is about. */
export type TransactionWrite =
  /** Puts a whole row: where there is none, unless `condition` says otherwise. */
  | ({ readonly put: Item } & Partial<Condition>)
  /** Changes single attributes of the row with this id. */
  | ({ readonly update: string } & Change)
  /** Writes nothing to the row with this id, but refuses all the rest unless `condition` holds. */
  | ({ readonly check: string } & Condition)

/**
 * What became of a transaction: all of it was written, or nothing. Then `refusals` has the places
 * of the writes whose conditions did not hold, each with the row as it was, where the backend gives
 * it.
 */
export type Transacted =
  | { readonly isMade: true }
  | { readonly isMade: false; readonly refusals: ReadonlyMap<number, Item | undefined> }

/** As many as DynamoDB takes. */
const MOST_WRITES = 100

/** Of somebody else's writes to the same rows at the same time there is an end. */
const MOST_TRIES = 12

const FIRST_PAUSE = 20
const LONGEST_PAUSE = 1000

/** DynamoDB's reasons for giving up a transaction, as it calls the same where it is an error. */
const SAME_AS: Readonly<Record<string, string>> = {
  ProvisionedThroughputExceeded: 'ProvisionedThroughputExceededException',
  ThrottlingError: 'ThrottlingException',
  TransactionConflict: 'TransactionConflictException',
  ValidationError: 'ValidationException',
}

/**
 * Writes several rows of one table, all or none. A refusal by a condition is an answer; what others
 * write to the same rows meanwhile is waited for, a bounded number of times. Rejects with the codes
 * that `DynamoDBTable` does.
 */
export async function transact(
  access: TableAccess,
  writes: readonly TransactionWrite[],
  signal: AbortSignal,
): Promise<Transacted> {
  if (writes.length > MOST_WRITES) throw tooMany(access.location, writes.length)
  const command = new TransactWriteItemsCommand({
    // Said again, it is the same transaction: what was done already is not refused as done.
    ClientRequestToken: randomUUID(),
    TransactItems: writes.map((write) => toTransactItem(write, access.table)),
  })
  for (let tries = 1; ; tries += 1) {
    const reasons = await send(access, command, signal)
    if (reasons === undefined) return { isMade: true }
    const refusals = refusalsIn(reasons)
    if (refusals.size > 0) return { isMade: false, refusals }
    const name = failureIn(reasons)
    if (name !== SAME_AS.TransactionConflict || tries === MOST_TRIES) {
      throw failed(access, Object.assign(new Error(name), { name }), signal)
    }
    const longest = Math.min(FIRST_PAUSE * 2 ** tries, LONGEST_PAUSE)
    await pause(randomInt(1, longest), signal).catch((error: unknown) => {
      throw failed(access, error, signal)
    })
  }
}

/** Resolves to why nothing was written, write by write; to nothing when all was. */
async function send(
  access: TableAccess,
  command: TransactWriteItemsCommand,
  signal: AbortSignal,
): Promise<readonly CancellationReason[] | undefined> {
  try {
    await untilAborted(signal, async () =>
      (await access.client()).send(command, { abortSignal: signal }),
    )
    return undefined
  } catch (error) {
    if (error instanceof TransactionCanceledException && error.CancellationReasons) {
      return error.CancellationReasons
    }
    throw failed(access, error, signal)
  }
}

function refusalsIn(reasons: readonly CancellationReason[]): ReadonlyMap<number, Item | undefined> {
  return new Map(
    reasons.flatMap(({ Code, Item: item }, place) =>
      Code === 'ConditionalCheckFailed' ? [[place, item] as const] : [],
    ),
  )
}

/** The error that speaks for all reasons: a conflict only where it is nothing else. */
function failureIn(reasons: readonly CancellationReason[]): string {
  const codes = reasons.flatMap(({ Code = 'None' }) => (Code === 'None' ? [] : [Code]))
  const code = codes.find((each) => each !== 'TransactionConflict') ?? codes[0]
  return SAME_AS[code ?? ''] ?? 'TransactionCanceledException'
}

function toTransactItem(write: TransactionWrite, TableName: string): TransactWriteItem {
  if ('put' in write) {
    const { put: Item, condition = 'attribute_not_exists(#id)', values } = write
    return { Put: { TableName, Item, ...conditionOf({ condition, values: values ?? {} }) } }
  }
  if ('check' in write) {
    const { check, ...condition } = write
    return { ConditionCheck: { TableName, Key: { id: text(check) }, ...conditionOf(condition) } }
  }
  const { update: id, set, condition, values } = write
  const update = setting(write)
  return {
    Update: {
      TableName,
      Key: { id: text(id) },
      UpdateExpression: update,
      ...conditionOf({ condition, values: { ...set, ...values } }, update),
    },
  }
}

/** No values at all are no field: an empty one is refused. */
function conditionOf({ condition, values = {} }: Condition, update = '') {
  return {
    ConditionExpression: condition,
    ExpressionAttributeNames: namesIn(update, condition),
    ...(Object.keys(values).length > 0 && { ExpressionAttributeValues: valuesOf(values) }),
    ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
  } as const
}

function failed(access: TableAccess, error: unknown, { aborted }: AbortSignal): SentinelError {
  return tableError(error, { ...access, action: 'TransactWriteItems' }, aborted)
}

function tooMany(location: string, count: number): SentinelError {
  const message = `${count} rows are too many to be written to ${location} at once`
  return new SentinelError('STORE_INVALID', message, {
    hint: 'name fewer places under notify in the policy',
  })
}
