import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { HOUR, MINUTE } from '../../src/domain/time.ts'
import { NOON } from '../fixtures/policies.ts'
import { sentinel } from '../fixtures/session-cli.ts'
import {
  aLock,
  anId,
  aSession,
  aStoreOfKinds,
  aStoreWith,
  differently,
  KINDS,
  unavailable,
} from '../fixtures/sessions.ts'

const WAITING = new AbortController().signal

/** The ids in the first column, as far as they are not zeros. */
const idsIn = (stdout: string) =>
  [...stdout.matchAll(/^0+([1-9a-f][0-9a-f]*) /gm)].map(([, id]) => id)

suite('sentinel session list', () => {
  test('shows the live ones, newest first, with until when credentials may work', async () => {
    const { status, stdout, stderr } = await sentinel(['session', 'list'], {
      store: await aStoreOfKinds(),
    })
    assert.equal(status, 0)
    assert.equal(stderr, '')
    assert.equal(
      stdout,
      `ID                STATUS   USER          PROFILE       CREDENTIALS UNTIL     STARTED               LAST USED             SERVED
00000000000000a0  active   alice         prod          2026-01-14T12:14:00Z  2026-01-14T11:50:00Z  2026-01-14T11:59:00Z  3
00000000000000b0  stale    alice         prod          2026-01-14T12:14:00Z  2026-01-14T11:40:00Z  2026-01-14T11:59:00Z  3
`,
    )
  })

  const filters: [what: string, args: string[], ids: string[]][] = [
    ['all of a user', ['--user', 'bob'], ['e0']],
    ['all of a profile', ['--profile', 'prod'], ['a0', 'b0', 'd0', 'e0', 'c0']],
    ['those started since a while ago', ['--since', '35m'], ['a0', 'b0', 'd0']],
    ['those started since a time', ['--since', '2026-01-14T11:45:00Z'], ['a0']],
    ['active ones', ['--status', 'active'], ['a0']],
    ['stale ones', ['--status', 'stale'], ['b0']],
    ['expired ones, ended or silent', ['--status', 'expired'], ['d0', 'c0']],
    ['revoked ones', ['--status', 'revoked'], ['e0']],
    [
      'what every filter lets through',
      ['--user', 'alice', '--status', 'expired', '--since', '1h'],
      ['d0'],
    ],
    ['at most so many, behind the other filters', ['--status', 'expired', '--limit', '1'], ['d0']],
    ['nothing when filters exclude each other', ['--user', 'bob', '--status', 'active'], []],
  ]
  for (const [what, args, ids] of filters) {
    test(`shows ${what}: ${args.join(' ')}`, async () => {
      const store = await aStoreOfKinds()
      const { status, stdout } = await sentinel(['session', 'list', ...args], { store })
      assert.equal(status, 0)
      assert.deepEqual(idsIn(stdout), ids)
    })
  }

  test('prints every attribute as JSON, in an array', async () => {
    const { stdout } = await sentinel(
      ['session', 'list', '--status', 'revoked', '--output', 'json'],
      {
        store: await aStoreOfKinds(),
      },
    )
    assert.deepEqual(JSON.parse(stdout), [
      {
        id: '00000000000000e0',
        shown_status: 'revoked',
        status: 'revoked',
        user: 'bob',
        principal: 'arn:aws:iam::111122223333:user/alice',
        profile: 'prod',
        role_arn: 'arn:aws:iam::444455556666:role/Prod',
        source_identity: 'sentinel=alice=policy=mzxw6ytboi3damrqgaya',
        request_count: 3,
        started_at: '2026-01-14T11:20:00.000Z',
        last_access_at: '2026-01-14T11:59:00.000Z',
        expires_at: '2026-01-14T12:14:00.000Z',
        lease_until: '2026-01-14T12:02:00.000Z',
        ended_at: null,
        end_reason: null,
        revoked_at: '2026-01-14T11:54:00.000Z',
        revoked_by: 'carol',
        revoked_reason: 'laptop stolen',
        server_instance_id: 'mzxw6ytboi3damrqgaya',
        host: 'laptop',
        pid: 4711,
        version: '1.2.3',
        log_head: null,
        created_at: '2026-01-14T11:20:00.000Z',
        updated_at: '2026-01-14T11:54:00.000Z',
      },
    ])
  })

  test('tells what is stored apart from what is shown', async () => {
    const args = ['session', 'list', '--user', 'alice', '--format', 'json']
    const { stdout } = await sentinel(args, { store: await aStoreOfKinds() })
    const rows = JSON.parse(stdout) as { shown_status: string; status: string }[]
    assert.deepEqual(
      rows.map(({ shown_status, status }) => [shown_status, status]),
      [
        ['active', 'active'],
        ['stale', 'active'],
        ['expired', 'expired'],
        ['expired', 'active'],
      ],
    )
  })

  test('prints CSV that no spreadsheet takes for formulas', async () => {
    const store = await aStoreWith(
      aSession({ user: '=cmd|x', profile: 'a,"b"', host: '-1+1', principal: 'arn:\u001b[2J' }),
    )
    const { stdout } = await sentinel(['session', 'list', '--format', 'csv'], { store })
    const [heading, row, ...rest] = stdout.split('\n')
    assert.match(heading!, /^id,shown_status,status,user,principal,profile,role_arn,/)
    assert.match(row!, /,'=cmd\|x,arn:\\u001b\[2J,"a,""b""",.*,'-1\+1,4711,/)
    assert.deepEqual(rest, [''])
  })

  const empties: [form: string, args: string[], stdout: RegExp][] = [
    ['a table', [], /^$/],
    ['JSON', ['--output', 'json'], /^\[\]\n$/],
    ['CSV', ['--format', 'csv'], /^id,[a-z_,]+\n$/],
  ]
  for (const [form, args, expected] of empties) {
    test(`prints an empty ${form} when there is none, and says so`, async () => {
      const { status, stdout, stderr } = await sentinel(['session', 'list', ...args])
      assert.equal(status, 0)
      assert.match(stdout, expected)
      assert.equal(stderr, 'note: memory: has no live session\n')
    })
  }

  test('tells the locks that hold, and not those that are over', async () => {
    const store = await aStoreOfKinds()
    await store.lock(aLock({ kind: 'user', name: 'alice' }), WAITING)
    await store.lock(aLock({ kind: 'all' }, { at: NOON - HOUR, until: NOON }), WAITING)
    const { stderr } = await sentinel(['session', 'list'], { store })
    assert.equal(
      stderr,
      'note: user alice is locked until 2026-01-14T13:00:00Z by carol: incident 42\n',
    )
  })

  test('escapes what would repaint the terminal or break a row', async () => {
    const store = await aStoreWith(aSession({ user: 'a\u001b[2Jb', profile: 'x\ny' }))
    const { stdout } = await sentinel(['session', 'list'], { store })
    assert.match(stdout, / a\\u001b\[2Jb +x\\ny +2026/)
  })

  test('makes a column wider where a cell is, and prints rows as they come', async () => {
    const store = await aStoreWith(
      aSession({ id: anId('1'), user: 'a-name-longer-than-others' }),
      aSession({ id: anId('2'), startedAt: NOON - HOUR }),
    )
    const { stdout } = await sentinel(['session', 'list'], { store })
    const [, first, second] = stdout.split('\n')
    assert.match(first!, /active {3}a-name-longer-than-others {2}prod {10}2026/)
    assert.match(second!, /active {3}alice {22}prod {10}2026/)
  })

  test('stops when nobody reads any more', async () => {
    let asked = 0
    const many = differently(await aStoreWith(), {
      async *list() {
        for (; ; asked += 1) yield { ...aSession(), createdAt: NOON, updatedAt: NOON }
      },
    })
    const reader = (text: string) => text.split('\n').length < 4
    const { status } = await sentinel(['session', 'list'], { store: many, reader })
    assert.equal(status, 0)
    assert.equal(asked, 1)
  })

  test('shows progress on a terminal only, and takes it away', async () => {
    const slow = differently(await aStoreWith(), {
      async *list(_query, _signal, onPage) {
        onPage?.(100)
        onPage?.(200)
        yield { ...aSession(), createdAt: NOON, updatedAt: NOON }
      },
    })
    const args = ['session', 'list', '--format', 'csv']
    const there = await sentinel(args, { store: slow, stderrWindow: { columns: 40, rows: 10 } })
    assert.equal(
      there.stderr,
      '\r100 sessions looked at, 0 listed\u001b[K\r200 sessions looked at, 0 listed\u001b[K\r\u001b[K',
    )
    assert.equal((await sentinel(args, { store: slow })).stderr, '')
  })

  test('passes on where the store is, and closes it', async () => {
    const args = ['session', 'list', '--session-table', 'sentinel-sessions']
    const { flags, isStoreClosed } = await sentinel(args)
    assert.equal(flags?.['session-table'], 'sentinel-sessions')
    assert.ok(isStoreClosed)
  })

  const mistakes: [what: string, args: string[], stderr: RegExp][] = [
    [
      'an unknown status',
      ['--status', 'activ'],
      /error: unknown status "activ"\nhint: did you mean active\?/,
    ],
    [
      'a status that is like none',
      ['--status', 'x'],
      /hint: a session is active, stale, expired, revoked/,
    ],
    [
      'a limit of nothing',
      ['--limit', '0'],
      /error: --limit is not a number of sessions: "0"\nhint: /,
    ],
    [
      'a since that is no time',
      ['--since', 'yesterday'],
      /error: --since is neither a duration nor a time/,
    ],
    [
      'a since without a zone',
      ['--since', '2026-01-14T11:45:00'],
      /hint: write 2h, or a time with its zone/,
    ],
    ['a since that never was', ['--since', '2026-02-31T00:00:00Z'], /error: --since is neither/],
    [
      'an unknown format',
      ['--format', 'tabel'],
      /error: unknown format "tabel"\nhint: did you mean table\?/,
    ],
    [
      'two forms',
      ['--format', 'csv', '--output', 'json'],
      /--output json and --format csv contradict/,
    ],
    ['an argument', ['alice'], /error: unexpected argument "alice"/],
  ]
  for (const [what, args, expected] of mistakes) {
    test(`refuses ${what}`, async () => {
      const { status, stdout, stderr, flags } = await sentinel(['session', 'list', ...args])
      assert.equal(status, 2)
      assert.equal(stdout, '')
      assert.match(stderr, expected)
      assert.equal(flags, undefined, 'the store was opened')
    })
  }

  test('takes --format over a setting', async () => {
    const args = ['session', 'list', '--format', 'csv']
    assert.match((await sentinel(args, { output: 'json' })).stdout, /^id,/)
  })

  test('says that the store does not answer, with exit 6', async () => {
    const store = differently(await aStoreWith(), {
      // biome-ignore lint/correctness/useYield: it fails before the first one.
      async *list() {
        throw unavailable()
      },
    })
    const { status, stderr } = await sentinel(['session', 'list'], { store })
    assert.equal(status, 6)
    assert.match(stderr, /error: the session store does not answer\nhint: /)
  })

  test('goes by the name of server-sessions as well', async () => {
    const store = await aStoreWith(
      KINDS.active,
      aSession({ id: anId('2'), startedAt: NOON - MINUTE }),
    )
    const alias = await sentinel(['server-sessions', '--limit', '1'], { store })
    const itself = await sentinel(['session', 'list', '--limit', '1'], { store })
    assert.deepEqual(idsIn(alias.stdout), ['2'])
    assert.equal(alias.stdout, itself.stdout)
  })
})
