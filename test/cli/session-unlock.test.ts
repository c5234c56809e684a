import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { HOUR, MINUTE } from '../../src/domain/time.ts'
import { SentinelError } from '../../src/errors.ts'
import { NOON } from '../fixtures/policies.ts'
import { CAROL, sentinel } from '../fixtures/session-cli.ts'
import { aLock, aStoreWith } from '../fixtures/sessions.ts'

const WAITING = new AbortController().signal

async function aLockedStore() {
  const store = await aStoreWith()
  await store.lock(aLock({ kind: 'user', name: 'alice' }), WAITING)
  await store.lock(aLock({ kind: 'profile', name: 'prod' }), WAITING)
  await store.lock(aLock({ kind: 'all' }), WAITING)
  return store
}

suite('sentinel session unlock', () => {
  const scopes: [flags: string[], text: RegExp, left: string[]][] = [
    [
      ['--user', 'alice'],
      /^lifted the lock on user alice; it was to hold until 2026-01-14T13:00:00Z\n$/,
      ['profile', 'all'],
    ],
    [['--profile', 'prod'], /^lifted the lock on profile prod; /, ['user', 'all']],
    [['--all'], /^lifted the lock on everyone; /, ['user', 'profile']],
  ]
  for (const [flags, text, left] of scopes) {
    test(`lifts the lock of ${flags.join(' ')}, and no other`, async () => {
      const store = await aLockedStore()
      const { status, stdout } = await sentinel(['session', 'unlock', ...flags], { store })
      assert.equal(status, 0)
      assert.match(stdout, text)
      const locks = await store.locks(WAITING)
      assert.deepEqual(new Set(locks.map(({ scope }) => scope.kind)), new Set(left))
    })
  }

  test('writes who lifted what into the decision log', async () => {
    const { records } = await sentinel(['session', 'unlock', '--user', 'alice'], {
      store: await aLockedStore(),
    })
    assert.deepEqual(records, [
      {
        type: 'session.unlocked',
        user: 'carol',
        principal: CAROL,
        lock: 'user alice',
        reason: 'incident 42',
        until: '2026-01-14T13:00:00.000Z',
        session_store: 'memory:',
      },
    ])
  })

  test('prints what was lifted as JSON', async () => {
    const args = ['session', 'unlock', '--all', '--output', 'json']
    const { stdout } = await sentinel(args, { store: await aLockedStore() })
    assert.deepEqual(JSON.parse(stdout).lifted, {
      scope: 'all',
      name: null,
      until: '2026-01-14T13:00:00.000Z',
      by: 'carol',
      reason: 'incident 42',
      created_at: '2026-01-14T12:00:00.000Z',
    })
  })

  test('says when a lock was over already', async () => {
    const store = await aStoreWith()
    await store.lock(aLock({ kind: 'all' }, { at: NOON - HOUR, until: NOON - MINUTE }), WAITING)
    const { status, stdout } = await sentinel(['session', 'unlock', '--all'], { store })
    assert.equal(status, 0)
    assert.match(stdout, /it was over since 2026-01-14T11:59:00Z/)
  })

  test('refuses a lock that is not there, with exit 4', async () => {
    const { status, stderr, records } = await sentinel(['session', 'unlock', '--user', 'bob'])
    assert.equal(status, 4)
    assert.match(stderr, /^error: there is no lock on user bob\nhint: .*session list\n$/)
    assert.deepEqual(records, [])
  })

  for (const flags of [[], ['--all', '--user', 'alice'], ['--user', 'a', '--profile', 'b']]) {
    test(`refuses to guess: ${flags.join(' ') || 'nothing'}`, async () => {
      const { status, stderr } = await sentinel(['session', 'unlock', ...flags])
      assert.equal(status, 2)
      assert.match(stderr, /error: name exactly one lock\nhint: /)
    })
  }

  test('lifts nothing for credentials that Sentinel issued', async () => {
    const store = await aLockedStore()
    const operator = async () => {
      throw new SentinelError('ISSUED_BY_SENTINEL', 'these credentials give no orders')
    }
    const { status } = await sentinel(['session', 'unlock', '--all'], { store, operator })
    assert.equal(status, 3)
    assert.equal((await store.locks(WAITING)).length, 3)
  })
})
