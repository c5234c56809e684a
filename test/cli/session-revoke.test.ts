import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import type { SessionId } from '../../src/domain/session.ts'
import { HOUR, MINUTE } from '../../src/domain/time.ts'
import { SentinelError } from '../../src/errors.ts'
import { NOON } from '../fixtures/policies.ts'
import { CAROL, sentinel } from '../fixtures/session-cli.ts'
import {
  ALICE,
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
const REASON = ['--reason', 'laptop stolen']

function revoke(...args: string[]): string[] {
  return ['session', 'revoke', ...args]
}

suite('sentinel session revoke ID', () => {
  test('revokes it, and says from when, what remains and how to stop the user', async () => {
    const store = await aStoreWith(aSession())
    const { status, stdout, stderr } = await sentinel(revoke(ALICE, ...REASON), { store })
    assert.equal(status, 0)
    assert.equal(stderr, '')
    assert.equal(
      stdout,
      `revoked session 00000000000a11ce of alice on prod: its server refuses within 5 seconds, while it reaches the store
credentials already handed out may work until 2026-01-14T12:14:00Z: AWS knows of no revocation
alice can start another session; to stop that:
  sentinel session revoke --user alice --reason 'laptop stolen'
`,
    )
    const { revocation } = (await store.get(ALICE, WAITING))!
    assert.deepEqual(revocation, { at: NOON, by: 'carol', reason: 'laptop stolen' })
    assert.deepEqual(await store.locks(WAITING), [])
  })

  test('writes who revoked whose session, and why, into the decision log', async () => {
    const { records } = await sentinel(revoke(ALICE, ...REASON), {
      store: await aStoreWith(aSession()),
    })
    assert.deepEqual(records, [
      {
        type: 'session.revoked',
        user: 'carol',
        principal: CAROL,
        session_id: ALICE,
        session_user: 'alice',
        profile: 'prod',
        reason: 'laptop stolen',
        expires_at: '2026-01-14T12:14:00.000Z',
        session_store: 'memory:',
      },
    ])
  })

  test('names whoever only the operating system knows without a principal', async () => {
    const { records } = await sentinel(revoke(ALICE, ...REASON), {
      store: await aStoreWith(aSession()),
      operator: async () => ({ by: 'os:carol' }),
    })
    assert.equal(records[0]?.user, 'os:carol')
    assert.ok(!('principal' in records[0]!))
  })

  test('shows a command that leads to the same store and can be pasted', async () => {
    const store = await aStoreWith(aSession({ user: "o'neil" }))
    const flags = [
      '--session-store',
      'dynamodb:eu-central-1:sessions',
      '--policy',
      'my policy.yaml',
    ]
    const { stdout } = await sentinel(revoke(ALICE, '--reason', 'left', ...flags), { store })
    assert.ok(
      stdout.endsWith(
        "  sentinel session revoke --user 'o'\\''neil' --reason left" +
          " --session-store dynamodb:eu-central-1:sessions --policy 'my policy.yaml'\n",
      ),
      stdout,
    )
  })

  test('says when nothing that was handed out works any more', async () => {
    const store = await aStoreWith(aSession({ expiresAt: NOON }))
    const { stdout } = await sentinel(revoke(ALICE, ...REASON), { store })
    assert.match(
      stdout,
      /^credentials already handed out work no more, since 2026-01-14T12:00:00Z$/m,
    )
  })

  test('leaves a revocation as it was, says whose it is, and exits with 0', async () => {
    const store = await aStoreOfKinds()
    const { status, stdout, records } = await sentinel(revoke(anId('e0'), '--reason', 'again'), {
      store,
    })
    assert.equal(status, 0)
    assert.match(
      stdout,
      /^session 0+e0 of bob on prod was revoked already by carol at 2026-01-14T11:54:00Z: laptop stolen\n/,
    )
    assert.deepEqual(records, [])
    assert.equal((await store.get(anId('e0'), WAITING))?.revocation?.reason, 'laptop stolen')
  })

  test('revokes one whose server is silent', async () => {
    const store = await aStoreOfKinds()
    await sentinel(revoke(anId('b0'), ...REASON), { store })
    assert.ok((await store.get(anId('b0'), WAITING))?.revocation)
  })

  test('takes the beginning of an id, and a reason as it was typed', async () => {
    const id = 'beef00000000000b' as SessionId
    const store = await aStoreWith(aSession(), aSession({ id }))
    await sentinel(revoke('beef', '--reason=0042'), { store })
    assert.equal((await store.get(id, WAITING))?.revocation?.reason, '0042')
    assert.equal((await store.get(ALICE, WAITING))?.revocation, undefined)
  })

  test('prints what became of it as JSON', async () => {
    const { stdout } = await sentinel(revoke(ALICE, ...REASON, '--output', 'json'), {
      store: await aStoreWith(aSession()),
    })
    const { outcome, session } = JSON.parse(stdout)
    assert.equal(outcome, 'revoked')
    assert.deepEqual([session.shown_status, session.revoked_by], ['revoked', 'carol'])
  })

  test('revokes although the log cannot be written, warns, and exits with 6', async () => {
    const store = await aStoreWith(aSession())
    const { status, stdout, stderr } = await sentinel(revoke(ALICE, ...REASON), {
      store,
      record: async () => {
        throw new SentinelError('LOG_UNAVAILABLE', 'the decision log is full')
      },
    })
    assert.equal(status, 6)
    assert.match(stdout, /^revoked session /)
    assert.match(stderr, /^warning: the decision log is full: the order goes on\n/)
    assert.match(
      stderr,
      /error: what was ordered is done, but the record of it could not be written/,
    )
    assert.ok((await store.get(ALICE, WAITING))?.revocation)
  })

  const refusals: [what: string, args: string[], exit: number, stderr: RegExp][] = [
    [
      'one that has ended',
      [anId('d0'), ...REASON],
      4,
      /error: session 0+d0 ended at 2026-01-14T11:55:00Z: SIGTERM\nhint: what it handed out may work until 2026-01-14T12:14:00Z; .*--user alice/,
    ],
    ['one that is not there', ['f'.repeat(16), ...REASON], 4, /error: no session has the id f{16}/],
    ['several that begin so', ['0000', ...REASON], 4, /error: several sessions begin with 0000: /],
    ['what is no id', ['alice', ...REASON], 2, /error: not a session id: "alice"\nhint: /],
    ['no reason', [ALICE], 2, /error: --reason is required/],
    ['an empty reason', [ALICE, '--reason', ' '], 2, /error: a reason has 1 to 200 characters/],
    [
      'a reason too long',
      [ALICE, '--reason', 'x'.repeat(201)],
      2,
      /a reason has 1 to 200 characters/,
    ],
    ['nothing named', [...REASON], 2, /error: nothing to revoke is named\nhint: /],
    [
      'an id and a user',
      [ALICE, '--user', 'a', ...REASON],
      2,
      /error: more than one thing to revoke/,
    ],
    [
      'a user and all',
      ['--all', '--user', 'a', ...REASON],
      2,
      /error: more than one thing to revoke/,
    ],
    ['an end of no lock', [ALICE, '--until', '1h', ...REASON], 2, /error: --until is for a lock/],
    [
      'a lock for too long',
      ['--all', '--until', '31d', ...REASON],
      2,
      /not within the next 30 days/,
    ],
    [
      'a lock that is over',
      ['--all', '--until', '2026-01-14T11:00:00Z', ...REASON],
      2,
      /not within the next 30 days/,
    ],
    [
      'an end that is no time',
      ['--all', '--until', 'soon', ...REASON],
      2,
      /--until is neither a duration/,
    ],
  ]
  for (const [what, args, exit, expected] of refusals) {
    test(`refuses ${what}`, async () => {
      const store = await aStoreOfKinds()
      const { status, stdout, stderr, records } = await sentinel(revoke(...args), { store })
      assert.equal(status, exit)
      assert.equal(stdout, '')
      assert.match(stderr, expected)
      assert.deepEqual(records, [])
      assert.deepEqual(await store.locks(WAITING), [])
    })
  }

  test('touches nothing for credentials that Sentinel issued', async () => {
    const store = await aStoreWith(aSession())
    const operator = async () => {
      throw new SentinelError('ISSUED_BY_SENTINEL', 'these credentials give no orders')
    }
    for (const args of [[ALICE], ['--all', '--yes']]) {
      const { status } = await sentinel(revoke(...args, ...REASON), { store, operator })
      assert.equal(status, 3)
    }
    assert.equal((await store.get(ALICE, WAITING))?.revocation, undefined)
    assert.deepEqual(await store.locks(WAITING), [])
  })

  test('goes by the name of server-revoke as well', async () => {
    const store = await aStoreWith(aSession())
    const { status } = await sentinel(['server-revoke', ALICE, ...REASON], { store })
    assert.equal(status, 0)
    assert.ok((await store.get(ALICE, WAITING))?.revocation)
  })
})

suite('sentinel session revoke --user, --profile, --all', () => {
  test('locks first, then revokes what is live, and reports each', async () => {
    const store = await aStoreOfKinds()
    const { status, stdout } = await sentinel(revoke('--user', 'alice', '--yes', ...REASON), {
      store,
    })
    assert.equal(status, 0)
    assert.equal(
      stdout,
      `user alice is locked until 2026-01-14T13:00:00Z by carol: laptop stolen
revoked          00000000000000a0  alice on prod: credentials may work until 2026-01-14T12:14:00Z
revoked          00000000000000b0  alice on prod: credentials may work until 2026-01-14T12:14:00Z
revoked          00000000000000c0  alice on prod: credentials may work until 2026-01-14T08:00:00Z
revoked 3 sessions; servers refuse within 5 seconds, while they reach the store
credentials already handed out may work until 2026-01-14T12:14:00Z: AWS knows of no revocation
to lift the lock: sentinel session unlock --user alice
`,
    )
    assert.deepEqual(await store.locks(WAITING), [
      aLock({ kind: 'user', name: 'alice' }, { reason: 'laptop stolen' }),
    ])
    assert.equal((await store.get(anId('d0'), WAITING))?.revocation, undefined)
  })

  test('writes the lock and each revocation into the decision log, in that order', async () => {
    const { records } = await sentinel(
      revoke('--profile', 'prod', '--yes', '--until', '7d', ...REASON),
      {
        store: await aStoreWith(aSession()),
      },
    )
    assert.deepEqual(
      records.map(({ type, lock, until, session_id }) => ({ type, lock, until, session_id })),
      [
        {
          type: 'session.locked',
          lock: 'profile prod',
          until: '2026-01-21T12:00:00.000Z',
          session_id: undefined,
        },
        { type: 'session.revoked', lock: undefined, until: undefined, session_id: ALICE },
      ],
    )
  })

  const scopes: [flags: string[], revoked: string[]][] = [
    [['--user', 'bob'], ['2']],
    [
      ['--profile', 'dev'],
      ['2', '3'],
    ],
    [['--all'], ['1', '2', '3']],
  ]
  for (const [flags, revoked] of scopes) {
    test(`revokes what ${flags.join(' ')} is about, and nothing else`, async () => {
      const store = await aStoreWith(
        aSession({ id: anId('1') }),
        aSession({ id: anId('2'), user: 'bob', profile: 'dev' }),
        aSession({ id: anId('3'), profile: 'dev' }),
      )
      await sentinel(revoke(...flags, '--yes', ...REASON), { store })
      for (const id of ['1', '2', '3']) {
        const session = await store.get(anId(id), WAITING)
        assert.equal(session?.revocation !== undefined, revoked.includes(id), id)
      }
    })
  }

  test('asks first, with what it will do, and does nothing after a no', async () => {
    const store = await aStoreOfKinds()
    const args = revoke('--user', 'alice', ...REASON)
    const refused = await sentinel(args, { store, answer: false })
    assert.equal(refused.status, 130)
    assert.deepEqual(refused.questions, [
      'Lock user alice until 2026-01-14T13:00:00Z and revoke 3 live sessions?',
    ])
    assert.match(refused.stderr, /error: nothing was locked or revoked\n/)
    assert.deepEqual(await store.locks(WAITING), [])

    assert.equal((await sentinel(args, { store, answer: true })).status, 0)
    assert.equal((await store.locks(WAITING)).length, 1)
  })

  test('revokes nothing when the lock cannot be set', async () => {
    const inner = await aStoreWith(aSession())
    const store = differently(inner, {
      lock: async () => {
        throw unavailable()
      },
    })
    const { status, records } = await sentinel(revoke('--all', '--yes', ...REASON), { store })
    assert.equal(status, 6)
    assert.deepEqual(records, [])
    assert.equal((await inner.get(ALICE, WAITING))?.revocation, undefined)
  })

  test('says which lock holds when a longer one was there', async () => {
    const store = await aStoreWith()
    await store.lock(aLock({ kind: 'all' }, { by: 'dave', until: NOON + 2 * HOUR }), WAITING)
    const { stdout } = await sentinel(revoke('--all', '--yes', ...REASON), { store })
    assert.match(stdout, /^everyone is locked until 2026-01-14T14:00:00Z by dave: incident 42\n/)
    assert.match(stdout, /^revoked 0 sessions; /m)
  })

  test('goes on after one that fails, exits with 6, and finishes when given again', async () => {
    const sessions = Array.from({ length: 20 }, (_, index) =>
      aSession({ id: anId((index + 16).toString(16)), startedAt: NOON - index * MINUTE }),
    )
    const inner = await aStoreWith(...sessions)
    const bad = sessions[3]!.id
    const store = differently(inner, {
      async revoke(id, revocation, signal) {
        if (id === bad) throw unavailable()
        return await inner.revoke(id, revocation, signal)
      },
    })
    const args = revoke('--all', '--yes', ...REASON)

    const first = await sentinel(args, { store })
    assert.equal(first.status, 6)
    assert.match(
      first.stdout,
      /^failed {11}0+13 {2}alice on prod: the session store does not answer$/m,
    )
    assert.match(first.stdout, /^revoked 19 sessions, 1 failed; /m)
    assert.match(
      first.stderr,
      /error: 1 of 20 sessions could not be revoked; the lock holds\nhint: give the same/,
    )

    const second = await sentinel(args, { store: inner })
    assert.equal(second.status, 0)
    assert.match(second.stdout, /^revoked 1 session; /m)
  })

  test('says how far it came when the list breaks off', async () => {
    const inner = await aStoreWith(aSession())
    const store = differently(inner, {
      async *list() {
        for (let index = 0; index < 8; index += 1) yield (await inner.get(ALICE, WAITING))!
        throw unavailable()
      },
    })
    const { status, stderr } = await sentinel(revoke('--all', '--yes', ...REASON), { store })
    assert.equal(status, 6)
    assert.match(
      stderr,
      /^warning: broken off: revoked 1 session.*; the lock holds\nhint: give the same/,
    )
    assert.equal((await inner.locks(WAITING)).length, 1)
  })

  test('reports what others did meanwhile as what it is', async () => {
    const inner = await aStoreWith(KINDS.active, KINDS.stale, KINDS.silent)
    const store = differently(inner, {
      async revoke(id, revocation, signal) {
        if (id === KINDS.active.id) return { outcome: 'missing' }
        if (id === KINDS.stale.id) {
          await inner.end(id, KINDS.stale, { at: NOON, reason: 'SIGHUP' }, signal)
        } else await inner.revoke(id, { at: NOON, by: 'dave', reason: 'first' }, signal)
        return await inner.revoke(id, revocation, signal)
      },
    })
    const { status, stdout } = await sentinel(revoke('--all', '--yes', ...REASON), { store })
    assert.equal(status, 0)
    assert.match(stdout, /^missing {10}0+a0 /m)
    assert.match(stdout, /^ended {12}0+b0 /m)
    assert.match(stdout, /^already revoked {2}0+c0 /m)
    assert.match(stdout, /^revoked 0 sessions, 1 missing, 1 ended, 1 already revoked; /m)
  })

  test('streams its report as one JSON document', async () => {
    const args = revoke('--user', 'alice', '--yes', ...REASON, '--output', 'json')
    const { stdout } = await sentinel(args, { store: await aStoreOfKinds() })
    const { lock, sessions, counts } = JSON.parse(stdout)
    assert.deepEqual(
      [lock.scope, lock.name, lock.until],
      ['user', 'alice', '2026-01-14T13:00:00.000Z'],
    )
    assert.deepEqual(
      sessions.map(({ outcome, session }: { outcome: string; session: { id: string } }) => [
        outcome,
        session.id,
      ]),
      [
        ['revoked', anId('a0')],
        ['revoked', anId('b0')],
        ['revoked', anId('c0')],
      ],
    )
    assert.deepEqual(counts, { revoked: 3 })
  })
})
