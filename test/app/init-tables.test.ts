import assert from 'node:assert/strict'
import { afterEach, beforeEach, mock, suite, test } from 'node:test'
import { initTable } from '../../src/app/init-tables.ts'
import type { WantedTable } from '../../src/domain/table.ts'
import { MINUTE } from '../../src/domain/time.ts'
import type {
  FeatureOutcome,
  FoundIndex,
  FoundTable,
  TableKeeper,
} from '../../src/ports/table-keeper.ts'
import { FakeClock } from '../fixtures/app/clock.ts'

const TABLE: WantedTable = {
  name: 'sessions',
  region: 'eu-central-1',
  definition: {
    kind: 'sessions',
    defaultName: 'sentinel-sessions',
    key: 'id',
    indexes: [
      { name: 'gsi-user', partition: 'user', sort: 'started_at' },
      { name: 'gsi-day', partition: 'day', sort: 'started_at' },
    ],
    expiry: 'ttl',
  },
}

const text = (name: string) => ({ name, type: 'S' })

const anIndex = (name: string, partition: string, rest: Partial<FoundIndex> = {}): FoundIndex => ({
  name,
  key: [text(partition), text('started_at')],
  projection: 'KEYS_ONLY',
  isReady: true,
  ...rest,
})

const USER = anIndex('gsi-user', 'user')
const DAY = anIndex('gsi-day', 'day')

const aTable = (rest: Partial<FoundTable> = {}): FoundTable => ({
  arn: 'arn:aws:dynamodb:eu-central-1:111122223333:table/sessions',
  state: 'ready',
  status: 'ACTIVE',
  key: [text('id')],
  indexes: [USER, DAY],
  ...rest,
})

/** An account, as far as tables go: what is found, one answer a look, the last for ever. */
class Account implements TableKeeper {
  gaps: TableKeeper['gaps'] = 'refused'
  readonly calls: string[] = []
  readonly looks: (FoundTable | undefined)[]
  created: 'created' | 'exists' = 'created'
  expiry: FeatureOutcome = 'turned on'
  recovery: (FeatureOutcome | 'too early')[] = ['turned on']

  constructor(...looks: (FoundTable | undefined)[]) {
    this.looks = looks
  }

  async find() {
    this.calls.push('find')
    return this.looks.length > 1 ? this.looks.shift() : this.looks[0]
  }

  async create() {
    this.calls.push('create')
    return this.created
  }

  async turnOnExpiry() {
    this.calls.push('turnOnExpiry')
    return this.expiry
  }

  async turnOnRecovery() {
    this.calls.push('turnOnRecovery')
    return (this.recovery.length > 1 ? this.recovery.shift() : this.recovery[0]) ?? 'unknown'
  }
}

let shown: string[]

/** Runs it with a clock that goes on when it waits. */
async function init(keeper: Account, table = TABLE) {
  const clock = new FakeClock()
  const progress = (line: string) => shown.push(line)
  const wait = mock.method(globalThis, 'setTimeout', (resume: () => void, ms: number) => {
    clock.advance(ms)
    queueMicrotask(resume)
  })
  try {
    return await initTable({ keeper, clock, progress }, table)
  } finally {
    wait.mock.restore()
  }
}

suite('initTable', () => {
  beforeEach(() => {
    shown = []
  })
  afterEach(() => mock.restoreAll())

  test('makes a table, waits for it and its indexes, and turns on what it needs', async () => {
    const making = { state: 'changing', status: 'CREATING' } as const
    const account = new Account(
      undefined,
      undefined,
      aTable({ ...making, indexes: [USER, { ...DAY, isReady: false }] }),
      aTable({ indexes: [USER, { ...DAY, isReady: false }] }),
      aTable(),
    )

    const made = await init(account)

    assert.deepEqual(made, {
      table: TABLE,
      arn: aTable().arn,
      outcome: 'created',
      expiry: 'turned on',
      recovery: 'turned on',
      encryption: 'a key of AWS',
    })
    assert.deepEqual(account.calls, [
      ...['find', 'create', 'find', 'find', 'find', 'find'],
      ...['turnOnExpiry', 'turnOnRecovery'],
    ])
    assert.ok(shown.includes('waiting for sessions: 1 of 2 indexes are ready'), shown.join('\n'))
    assert.equal(shown.at(-1), '', 'the line of progress is taken away')
  })

  test('leaves a table that is there alone, and says what was on', async () => {
    const account = new Account(aTable({ indexes: [DAY, anIndex('theirs', 'team'), USER] }))
    account.expiry = 'was on'
    account.recovery = ['was on']
    const found = await init(account)
    assert.partialDeepStrictEqual(found, {
      outcome: 'existed',
      expiry: 'was on',
      recovery: 'was on',
    })
    assert.ok(!account.calls.includes('create'))
  })

  test('goes on where it was interrupted', async () => {
    const account = new Account(aTable({ state: 'changing', status: 'CREATING' }), aTable())
    const found = await init(account)
    assert.partialDeepStrictEqual(found, { outcome: 'existed', expiry: 'turned on' })
  })

  test('takes a table that somebody else makes at the same time', async () => {
    const account = new Account(undefined, aTable())
    account.created = 'exists'
    assert.equal((await init(account)).outcome, 'existed')
  })

  test('asks again while the table is too young for recovery', async () => {
    const account = new Account(aTable())
    account.recovery = ['too early', 'too early', 'turned on']
    assert.equal((await init(account)).recovery, 'turned on')
  })

  const misfits: Record<string, [Partial<FoundTable>, RegExp, RegExp]> = {
    'another key': [
      { key: [{ name: 'id', type: 'N' }] },
      /cannot keep sessions: its key is id \(N\), not id \(S\)$/,
      /--session-table/,
    ],
    'a sort key': [{ key: [text('id'), text('at')] }, /its key is id \(S\), at \(S\), not/, /name/],
    'indexes that are missing': [
      { indexes: [] },
      /: it has no index gsi-user; it has no index gsi-day$/,
      /^add it with: aws dynamodb update-table --table-name sessions --region eu-central-1 .*"IndexName":"gsi-user"/,
    ],
    'an index by another attribute': [
      { indexes: [USER, anIndex('gsi-day', 'week')] },
      /: index gsi-day is by week \(S\), started_at \(S\), not by day \(S\), started_at \(S\)$/,
      /^delete gsi-day /,
    ],
    'an index that holds more than keys': [
      { indexes: [USER, anIndex('gsi-day', 'day', { projection: 'ALL' })] },
      /: index gsi-day holds ALL, not KEYS_ONLY$/,
      /^delete gsi-day /,
    ],
  }
  for (const [what, [rest, message, hint]] of Object.entries(misfits)) {
    test(`tells a table with ${what} apart, and leaves it as it is`, async () => {
      const account = new Account(aTable(rest))
      await assert.rejects(init(account), { code: 'STORE_INVALID', message, hint })
      assert.deepEqual(account.calls, ['find'])
    })
  }

  test('names the flag of the kind of table that is of no use', async () => {
    const definition = { ...TABLE.definition, kind: 'break_glass' } as const
    const account = new Account(aTable({ key: [text('user')] }))
    await assert.rejects(init(account, { ...TABLE, definition }), {
      message: /cannot keep break-glass events: its key is user/,
      hint: 'name another table with --breakglass-table',
    })
  })

  test('asks for a key of KMS, and says that one is used', async () => {
    const account = new Account(undefined, aTable({ kmsKey: 'arn:aws:kms:…' }))
    const made = await init(account, { ...TABLE, kmsKey: 'alias/aws/dynamodb' })
    assert.equal(made.encryption, 'a key of KMS')
  })

  test('does not take a table without a key of KMS when one is asked for', async () => {
    const account = new Account(aTable())
    const wanted = { ...TABLE, kmsKey: 'alias/aws/dynamodb' }
    await assert.rejects(init(account, wanted), { code: 'STORE_INVALID', message: /key of AWS/ })
    assert.deepEqual(account.calls, ['find', 'find'])
  })

  test('says which feature AWS does not know, and is no success without it', async () => {
    for (const feature of ['expiry', 'recovery', 'encryption'] as const) {
      const account = new Account(undefined, aTable())
      if (feature === 'expiry') account.expiry = 'unknown'
      if (feature === 'recovery') account.recovery = ['unknown']
      const wanted = feature === 'encryption' ? { ...TABLE, kmsKey: 'alias/aws/dynamodb' } : TABLE
      await assert.rejects(init(account, wanted), {
        code: 'STORE_UNAVAILABLE',
        message: /^table sessions has no .*does not know it$/,
      })

      // The second time the table is there.
      const elsewhere = new Account(...(feature === 'recovery' ? [undefined] : []), aTable())
      Object.assign(elsewhere, { gaps: 'allowed', expiry: account.expiry })
      elsewhere.recovery = account.recovery
      assert.equal((await init(elsewhere, wanted))[feature], 'unknown')
    }
  })

  test('gives up on a table that is not ready in minutes, and says how to go on', async () => {
    const account = new Account(undefined, aTable({ state: 'changing', status: 'CREATING' }))
    await assert.rejects(init(account), {
      code: 'STORE_UNAVAILABLE',
      message: /^table sessions in eu-central-1 is not ready after 5 minutes$/,
      hint: /goes on where it stopped/,
    })
    const looks = account.calls.filter((call) => call === 'find').length
    assert.ok(looks > 100 && looks <= (5 * MINUTE) / 2000 + 2, `${looks} looks`)
  })

  test('does not wait for a table that is being deleted', async () => {
    const gone = aTable({ state: 'unusable', status: 'DELETING', indexes: [] })
    const account = new Account(gone)
    await assert.rejects(init(account), {
      code: 'STORE_UNAVAILABLE',
      message: 'table sessions in eu-central-1 is DELETING',
    })
    assert.deepEqual(account.calls, ['find', 'find'])
  })
})
