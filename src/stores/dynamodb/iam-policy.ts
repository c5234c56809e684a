/**
 * What IAM is to hold each role to (design § 8). A condition on `dynamodb:LeadingKeys` compares the
 * keys of the rows that a call is about:
 *
 *     review#<request>#<UserId>     written by their reviewer alone, also `bgreview#…`
 *     bg#<UserId>#<event>           written by their invoker alone
 *     request#…, guard#…, outbox#…  anybody's: only which attributes may be written is said
 *     anchor#…                      written by whoever writes a decision log, deleted by nobody
 *
 * A condition cannot demand that a row is not there yet: who may put a row may put it anew. What
 * has to last against whoever wrote the row is never in a row that they may put. Nor can it demand
 * that a number only grows: an anchor holds against whoever reaches the files of a log, and not
 * against whoever signs as its writer. Of the rows that one transaction puts, all keys are in one
 * statement: a condition is on the keys of all of them.
 *
 * @module
 */
import type { TableKind, TableRole, WantedTable } from '../../domain/table.ts'
import { TABLE_ACTIONS } from './table-errors.ts'

interface Statement {
  readonly Sid: string
  readonly Effect: 'Allow'
  readonly Action: readonly string[]
  readonly Resource: readonly string[]
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, unknown>>>>
}

/** Some writes of rows, by their keys and perhaps by the attributes that they name. */
interface Writes {
  readonly sid: string
  readonly tables: readonly TableKind[]
  readonly actions: readonly ('PutItem' | 'UpdateItem' | 'DeleteItem' | 'ConditionCheckItem')[]
  readonly keys?: readonly string[]
  readonly except?: readonly string[]
  readonly attributes?: readonly string[]
}

/** IAM puts the UserId of whoever calls in its place. */
const SELF = '$' + '{aws:userid}'

/** Of a request: all but its revocation. */
const REQUEST_ATTRIBUTES = [
  ...['id', 'requester', 'user', 'principal', 'principal_id', 'profile', 'role_arn'],
  ...['justification', 'duration', 'rule', 'required', 'is_automatic', 'created_at', 'day', 'ttl'],
  ...['pending', 'settled_at', 'cancelled_at', 'cancelled_by', 'cancelled_reason'],
]
const REVOCATION = ['id', 'pending', 'settled_at', 'revoked_at', 'revoked_by', 'revoked_reason']
const ANNOUNCEMENTS = ['id', 'announced_expired', 'announced_overdue']
const CLOSING = ['closed_at', 'closed_by', 'closed_reason', 'open']

/** Whatever is announced may be delivered by whoever comes next. */
const DELIVERY: Writes = {
  sid: 'Deliver',
  tables: ['requests', 'break_glass'],
  actions: ['UpdateItem', 'DeleteItem'],
  keys: ['outbox#*'],
}

/** Of an anchor: all that there is. */
const ANCHOR_ATTRIBUTES = [
  ...['id', 'stream', 'seq', 'hash', 'host', 'log'],
  ...['created_at', 'updated_at', 'ttl'],
]

/** Whoever writes a decision log, which all do, leaves its heads there. */
const ANCHORS: Writes = {
  sid: 'AnchorLogs',
  tables: ['anchors'],
  actions: ['UpdateItem'],
  keys: ['anchor#*'],
  attributes: ANCHOR_ATTRIBUTES,
}

const REQUESTER: readonly Writes[] = [
  {
    sid: 'TrackSessions',
    tables: ['sessions'],
    actions: ['PutItem', 'UpdateItem'],
    except: ['lock#*'],
  },
  {
    sid: 'RequestAndCancel',
    tables: ['requests'],
    actions: ['UpdateItem'],
    keys: ['request#*'],
    attributes: REQUEST_ATTRIBUTES,
  },
  { sid: 'AnnounceRequests', tables: ['requests'], actions: ['PutItem'], keys: ['outbox#*'] },
  {
    sid: 'BreakGlass',
    tables: ['break_glass'],
    actions: ['PutItem'],
    keys: [`bg#${SELF}#*`, 'guard#*', 'outbox#*'],
  },
  {
    sid: 'CloseOwn',
    tables: ['break_glass'],
    actions: ['UpdateItem'],
    keys: [`bg#${SELF}#*`],
  },
  {
    sid: 'AnnounceEnds',
    tables: ['break_glass'],
    actions: ['UpdateItem'],
    keys: ['bg#*'],
    attributes: ANNOUNCEMENTS,
  },
  DELIVERY,
  ANCHORS,
]

const REVIEWABLE: Writes = {
  sid: 'ReviewWhatIsThere',
  tables: ['requests'],
  actions: ['ConditionCheckItem'],
  keys: ['request#*'],
}

const APPROVER: readonly Writes[] = [
  {
    sid: 'Review',
    tables: ['requests'],
    actions: ['PutItem'],
    keys: [`review#*#${SELF}`, 'outbox#*'],
  },
  REVIEWABLE,
  {
    sid: 'Revoke',
    tables: ['requests'],
    actions: ['UpdateItem'],
    keys: ['request#*'],
    attributes: REVOCATION,
  },
  {
    sid: 'ReviewBreakGlass',
    tables: ['break_glass'],
    actions: ['PutItem'],
    keys: [`bgreview#*#${SELF}`, 'outbox#*'],
  },
  {
    sid: 'CloseBreakGlass',
    tables: ['break_glass'],
    actions: ['UpdateItem'],
    keys: ['bg#*'],
    attributes: [...ANNOUNCEMENTS, ...CLOSING],
  },
  DELIVERY,
  ANCHORS,
]

const ADMINISTRATOR: readonly Writes[] = [
  {
    sid: 'AdministerSessions',
    tables: ['sessions'],
    actions: ['PutItem', 'UpdateItem', 'DeleteItem'],
  },
  {
    sid: 'ReviewAndAnnounce',
    tables: ['requests'],
    actions: ['PutItem'],
    keys: [`review#*#${SELF}`, 'outbox#*'],
  },
  REVIEWABLE,
  {
    sid: 'AdministerRequests',
    tables: ['requests'],
    actions: ['UpdateItem'],
    keys: ['request#*', 'outbox#*'],
  },
  {
    sid: 'BreakGlassAndReview',
    tables: ['break_glass'],
    actions: ['PutItem'],
    keys: [`bg#${SELF}#*`, `bgreview#*#${SELF}`, 'guard#*', 'outbox#*'],
  },
  {
    sid: 'AdministerBreakGlass',
    tables: ['break_glass'],
    actions: ['UpdateItem'],
    keys: ['bg#*', 'outbox#*'],
  },
  { sid: 'CleanUp', tables: ['requests', 'break_glass'], actions: ['DeleteItem'] },
  ANCHORS,
]

const WRITES: Readonly<Record<TableRole, readonly Writes[]>> = {
  requester: REQUESTER,
  approver: APPROVER,
  administrator: ADMINISTRATOR,
}

/** The IAM policy, as JSON, that lets people of `role` do over `tables` what Sentinel does. */
export function iamPolicy(role: TableRole, tables: readonly WantedTable[]): string {
  const read = role === 'approver' ? without(tables, 'sessions') : tables
  const statements = [
    ...(role === 'administrator' ? [making(tables)] : []),
    ...(read.length > 0 ? [reading(read)] : []),
    ...WRITES[role].flatMap((writes) => writing(writes, tables)),
  ]
  return `${JSON.stringify({ Version: '2012-10-17', Statement: statements }, null, 2)}\n`
}

function making(tables: readonly WantedTable[]): Statement {
  return {
    Sid: 'MakeTables',
    Effect: 'Allow',
    Action: TABLE_ACTIONS,
    Resource: tables.map(arnOf),
  }
}

function reading(tables: readonly WantedTable[]): Statement {
  return {
    Sid: 'Read',
    Effect: 'Allow',
    Action: ['dynamodb:BatchGetItem', 'dynamodb:Query', 'dynamodb:Scan'],
    Resource: tables.flatMap((table) => [arnOf(table), `${arnOf(table)}/index/*`]),
  }
}

function writing(
  { sid, tables: kinds, actions, ...rows }: Writes,
  tables: readonly WantedTable[],
): readonly Statement[] {
  const arns = tables.filter(({ definition: { kind } }) => kinds.includes(kind)).map(arnOf)
  if (arns.length === 0) return []
  const Condition = conditionOn(rows)
  return [
    {
      Sid: sid,
      Effect: 'Allow',
      Action: actions.map((action) => `dynamodb:${action}`),
      Resource: arns,
      ...(Condition && { Condition }),
    },
  ]
}

function conditionOn({
  keys,
  except,
  attributes,
}: Pick<Writes, 'keys' | 'except' | 'attributes'>): Statement['Condition'] {
  if (!keys && !except) return undefined
  return {
    ...(keys && { 'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': keys } }),
    ...(except && { 'ForAllValues:StringNotLike': { 'dynamodb:LeadingKeys': except } }),
    ...(attributes && { 'ForAllValues:StringEquals': { 'dynamodb:Attributes': attributes } }),
    // "For all of none" is true: a call that names no keys, or no attributes, must not pass so.
    Null: {
      'dynamodb:LeadingKeys': 'false',
      ...(attributes && { 'dynamodb:Attributes': 'false' }),
    },
  }
}

function without(tables: readonly WantedTable[], kind: TableKind): readonly WantedTable[] {
  return tables.filter(({ definition }) => definition.kind !== kind)
}

/** Its account stands as `ACCOUNT` where only the table's name is known. */
function arnOf({ arn, name, region }: WantedTable): string {
  return arn ?? `arn:${partitionOf(region)}:dynamodb:${region}:ACCOUNT:table/${name}`
}

function partitionOf(region: string): string {
  if (region.startsWith('cn-')) return 'aws-cn'
  return region.startsWith('us-gov-') ? 'aws-us-gov' : 'aws'
}
