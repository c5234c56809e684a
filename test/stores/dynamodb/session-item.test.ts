import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import type {
  Session,
  SessionEnd,
  SessionId,
  SessionProgress,
  SessionStart,
} from '../../../src/domain/session.ts'
import { HOUR, MINUTE } from '../../../src/domain/time.ts'
import { hasCode } from '../../../src/errors.ts'
import type { Item } from '../../../src/stores/dynamodb/attributes.ts'
import { dayPartitions } from '../../../src/stores/dynamodb/day-partitions.ts'
import {
  endOf,
  fromItem,
  handedOutOf,
  LIVE_PARTITIONS,
  progressOf,
  revocationOf,
  toItem,
} from '../../../src/stores/dynamodb/session-item.ts'
import { SESSIONS_TABLE } from '../../../src/stores/dynamodb/tables.ts'
import { pick, random, scaled } from '../../fixtures/random.ts'

const PLACE = 'dynamodb:eu-central-1:sentinel-sessions'
const NOON = Date.parse('2026-01-14T12:00:00.123Z')
const ID = '00000000000a11ce' as SessionId

/** As long as they come in practice. */
const SESSION: SessionStart & SessionProgress = {
  id: ID,
  user: 'maximilian,k4yq2m7xza',
  principal:
    'arn:aws:sts::111122223333:assumed-role/AWSReservedSSO_PowerUserAccess_0123456789abcdef/maximilian.mustermann@corp.example',
  profile: 'production-eu-central-1-admin',
  roleArn: 'arn:aws:iam::444455556666:role/sentinel/ProductionAdministrators',
  serverInstanceId: 'k4yq2m7xzak4yq2m7xza',
  startedAt: NOON,
  host: 'maximilians-macbook-pro.corp.example',
  pid: 4_194_303,
  version: '0.1.0',
  requestCount: 1_000_000,
  lastAccessAt: NOON + HOUR,
  expiresAt: NOON + 2 * HOUR,
  leaseUntil: NOON + HOUR + 3 * MINUTE,
  sourceIdentity: 'maximilian,k4yq2m7xza-k4yq2m7xzak4yq2m7xza',
  logHead: '9f86d081884c7d659a2feaa0c55ad015',
}
const END: SessionEnd = { at: NOON + HOUR, reason: 'command ended with status 0' }
const REVOCATION = { at: NOON + HOUR, by: 'bob', reason: 'laptop stolen' }

suite('the row of a session', () => {
  test('is read back as it was written, whatever is in it', () => {
    const seed = 20260114
    const next = random(seed)
    for (let run = 0; run < scaled(2000); run += 1) {
      const { item, session } = anyRow(next)
      assert.deepEqual(fromItem(item, PLACE), session, `seed ${seed}, run ${run}`)
    }
  })

  test('stays under the KB that one write unit pays for', () => {
    assert.ok(sizeOf(toItem(SESSION)) < 1024, `${sizeOf(toItem(SESSION))} bytes`)
    const ended = { ...toItem(SESSION), ...endOf(SESSION, END) }
    assert.ok(sizeOf(ended) < 1024, `${sizeOf(ended)} bytes`)
  })

  test('is not taken from its index by progress, nor does a revocation touch progress', () => {
    const keys = SESSIONS_TABLE.indexes.flatMap(({ partition, sort }) => [partition, sort])
    const progress = Object.keys({ ...progressOf(SESSION), ...handedOutOf(SESSION) })
    assert.deepEqual(new Set(progress).intersection(new Set(keys)), new Set())
    const revocation = Object.keys(revocationOf(REVOCATION))
    assert.deepEqual(new Set(revocation).intersection(new Set(progress)), new Set())
  })

  test('is found under its day and, while it is live, under one of the live partitions', () => {
    const ids = Array.from(
      { length: 16 },
      (_, n) => `00000000000a11c${n.toString(16)}` as SessionId,
    )
    const rows = ids.map((id) => toItem({ ...SESSION, id }))
    const live = new Set(rows.map((row) => row.live?.S))
    const days = new Set(rows.map((row) => row.day?.S))
    assert.deepEqual(live, new Set(LIVE_PARTITIONS))
    assert.deepEqual(days, new Set(dayPartitions('2026-01-14')))
    assert.equal(toItem({ ...SESSION, end: END }).live, undefined)
  })

  test('is kept for 90 days after all it is about', () => {
    const days = (item: Item) => (Number(item.ttl?.N) * 1000 - NOON) / (24 * HOUR)
    assert.ok(days(toItem(SESSION)) >= 90)
    const late = { at: NOON + 30 * 24 * HOUR, reason: 'SIGTERM' }
    assert.ok(days(toItem({ ...SESSION, end: late })) >= 120)
    const long = { ...SESSION, expiresAt: NOON + 40 * 24 * HOUR }
    assert.ok(days(endOf(long, END)) >= 130)
  })

  const OPTIONAL = ['role_arn', 'last_access_at', 'source_identity', 'log_head']
  const ended = { ...toItem(SESSION), ...endOf(SESSION, END) }
  const revoked = { ...toItem(SESSION), ...revocationOf(REVOCATION) }
  const required = Object.keys(toItem(SESSION)).filter(
    (name) => ![...OPTIONAL, 'ttl', 'live', 'day'].includes(name),
  )
  for (const [item, names] of [
    [toItem(SESSION), required],
    [ended, ['ended_at', 'end_reason']],
    [revoked, ['revoked_at', 'revoked_by', 'revoked_reason']],
  ] as const) {
    for (const name of names) {
      test(`is not valid without ${name}, nor with ${name} of another type`, () => {
        const { [name]: _, ...rest } = item
        assertInvalid(rest, new RegExp(`: ${name} is missing$`))
        assertInvalid({ ...item, [name]: { BOOL: true } }, new RegExp(`: ${name} is of another`))
      })
    }
  }

  const broken: [what: string, change: Item, problem: RegExp][] = [
    ['a status that nobody knows', { status: { S: 'paused' } }, /unknown status "paused"/],
    ['a status in other letters', { status: { S: 'Active' } }, /unknown status "Active"/],
    ['a revocation that is not there', { status: { S: 'revoked' } }, /revoked_at is missing/],
    ['an end that is not there', { status: { S: 'expired' } }, /ended_at is missing/],
    ['half a revocation', { revoked_at: { S: '2026-01-14T12:00:00.000Z' } }, /revoked_by is miss/],
    ['a revocation at no time', { revoked_at: { S: 'yesterday' } }, /revoked_at is not a time/],
    ['a day that is none', { expires_at: { S: '2026-02-30T12:00:00.000Z' } }, /not a time/],
    ['a time without a zone', { lease_until: { S: '2026-01-14T12:00:00.000' } }, /not a time/],
    [
      'a time in another zone',
      { started_at: { S: '2026-01-14T12:00:00.000+01:00' } },
      /not a time/,
    ],
    ['a time in whole seconds', { started_at: { S: '2026-01-14T12:00:00Z' } }, /not a time/],
    ['a time far beyond', { expires_at: { S: '+275760-09-14T00:00:00.000Z' } }, /not a time/],
    ['a count below nothing', { request_count: { N: '-1' } }, /request_count is not a whole/],
    ['a count of halves', { request_count: { N: '1.5' } }, /request_count is not a whole/],
    ['a count past counting', { request_count: { N: '9007199254740993' } }, /not a whole/],
    ['a head in hex', { log_head: { S: SESSION.logHead! } }, /log_head is of another type/],
    ['half a head', { log_head: { B: new Uint8Array(8) } }, /log_head has not 16 bytes/],
    ['a head in full', { log_head: { B: new Uint8Array(32) } }, /log_head has not 16 bytes/],
    ['an id that is no session', { id: { S: 'lock#all' } }, /not that of a session/],
  ]
  for (const [what, change, problem] of broken) {
    test(`is not valid with ${what}`, () => {
      assertInvalid({ ...toItem(SESSION), ...change }, problem)
    })
  }

  test('is over when a latch says so, whatever its status says', () => {
    const active = { S: 'active' }
    assert.deepEqual(fromItem({ ...revoked, status: active }, PLACE).revocation, REVOCATION)
    assert.deepEqual(fromItem({ ...ended, status: active }, PLACE).end, END)
  })

  test('may have attributes that a later version knows', () => {
    const item = { ...toItem(SESSION), log_root: { B: new Uint8Array(32) } }
    assert.deepEqual(fromItem(item, PLACE), fromItem(toItem(SESSION), PLACE))
  })
})

function assertInvalid(item: Item, problem: RegExp): void {
  assert.throws(
    () => fromItem(item, PLACE),
    (error) => {
      assert.ok(hasCode(error, 'STORE_INVALID'))
      assert.match(error.message, problem)
      assert.ok(error.message.includes(PLACE))
      if (item.id?.S !== undefined) assert.ok(error.message.includes(item.id.S))
      return true
    },
  )
}

/** A session that anything may have happened to, and the row that is then there. */
function anyRow(next: () => number): { item: Item; session: Session } {
  const start = anyStart(next)
  const made = { ...toItem(start), ...progressOf(start) }
  const session = { ...start, createdAt: start.startedAt, updatedAt: start.startedAt }
  const at = anyTime(next)
  const reason = anyText(next)
  switch (pick(next, ['active', 'expired', 'revoked'])) {
    case 'expired':
      return {
        item: { ...made, ...endOf(start, { at, reason }) },
        session: { ...session, updatedAt: at, end: { at, reason } },
      }
    case 'revoked':
      return {
        item: { ...made, ...revocationOf({ at, by: 'bob', reason }) },
        session: { ...session, updatedAt: at, revocation: { at, by: 'bob', reason } },
      }
    default:
      return { item: made, session }
  }
}

function anyStart(next: () => number): SessionStart & SessionProgress {
  return {
    id: anyDigits(next, 16) as SessionId,
    user: anyText(next),
    principal: anyText(next),
    profile: anyText(next),
    ...(next() < 0.5 && { roleArn: anyText(next) }),
    serverInstanceId: anyText(next),
    startedAt: anyTime(next),
    host: anyText(next),
    pid: Math.floor(next() * 2 ** 22),
    version: anyText(next),
    requestCount: Math.floor(next() * Number.MAX_SAFE_INTEGER),
    ...(next() < 0.5 && { lastAccessAt: anyTime(next) }),
    expiresAt: anyTime(next),
    leaseUntil: anyTime(next),
    ...(next() < 0.5 && { sourceIdentity: anyText(next) }),
    ...(next() < 0.5 && { logHead: anyDigits(next, 32) }),
  }
}

function anyDigits(next: () => number, length: number): string {
  return Array.from({ length }, () => Math.floor(next() * 16).toString(16)).join('')
}

/** Between 1970 and 2100. */
function anyTime(next: () => number): number {
  return Math.floor(next() * 130 * 365.25 * 24 * HOUR)
}

function anyText(next: () => number): string {
  const characters = [
    'a',
    'Z',
    '0',
    '-',
    '"',
    '\\',
    '#',
    ':',
    ' ',
    '\n',
    'é',
    '\u{1f511}',
    '\u2028',
  ]
  return Array.from({ length: 1 + Math.floor(next() * 20) }, () => pick(next, characters)).join('')
}

/** As DynamoDB counts: names and values in UTF-8, two digits a byte and one more. */
function sizeOf(item: Item): number {
  return Object.entries(item).reduce((sum, [name, { S, N, B }]) => {
    const bytes = S === undefined ? B?.length : Buffer.byteLength(S)
    const value = bytes ?? Math.ceil((N?.length ?? 0) / 2) + 1
    return sum + Buffer.byteLength(name) + value
  }, 0)
}
