import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { REQUEST_STATUSES } from '../../src/domain/access-request.ts'
import { HOUR } from '../../src/domain/time.ts'
import { SentinelError } from '../../src/errors.ts'
import { anApprovalRule, aPrincipal, NOON, users } from '../fixtures/policies.ts'
import { eventsOf, POLICY, sentinel } from '../fixtures/request-cli.ts'
import {
  anId,
  aRequest,
  aReview,
  aStoreOfStatuses,
  aStoreWith,
  differently,
  theParty,
  WAITING,
} from '../fixtures/requests.ts'

const bob = aPrincipal('bob')

/** The profiles of the requests that are listed: each is named for its status. */
async function listed(argv: string, scene: Parameters<typeof sentinel>[1] = {}): Promise<string[]> {
  const store = scene.store ?? (await aStoreOfStatuses())
  const { stdout, status } = await sentinel(`${argv} --output json`, { ...scene, store })
  assert.equal(status, 0)
  return JSON.parse(stdout).map(({ profile }: { profile: string }) => profile)
}

const stdoutWindow = { columns: 80, rows: 24 }

suite('sentinel requests', () => {
  test('lists those that wait for a decision, in 80 columns', async () => {
    const { status, stdout, stderr } = await sentinel('requests', {
      store: await aStoreOfStatuses(),
      stdoutWindow,
    })
    assert.deepEqual([status, stderr], [0, ''])
    assert.equal(
      stdout,
      `ID        STATUS     REQUESTER  PROFILE  FOR    UNTIL
aaaaaaaa  pending    alice      pending  1h     2026-01-15T11:45Z
`,
    )
  })

  test('cuts names that 80 columns are not enough for', async () => {
    const requester = { ...theParty(bob), user: 'bartholomew,aaaaaaaaa' }
    const store = await aStoreWith(
      aRequest({ requester, profile: 'production-payments', duration: 5430 }),
    )
    const { stdout } = await sentinel('requests', { store, stdoutWindow })
    const [, row = ''] = stdout.split('\n')
    const cells = 'aaaaaaaa  pending    bartholomew,aaaaa…  production-p…  1h30…  2026-01-15T11:45Z'
    assert.equal(row, cells)
    assert.equal(row.length, 80)
  })

  test('cuts nothing for whoever filters lines', async () => {
    const requester = { ...theParty(bob), user: 'bartholomew,aaaaaaaaa' }
    const store = await aStoreWith(aRequest({ requester, profile: 'production-payments' }))
    const { stdout } = await sentinel('requests', { store })
    assert.match(
      stdout,
      /^ID {20}STATUS .*\n[a-z2-7]{20} {2}pending {4}bartholomew,aaaaaaaaa {2}production-payments {2}/,
    )
  })

  for (const status of REQUEST_STATUSES) {
    test(`lists those that are ${status}`, async () => {
      assert.deepEqual(await listed(`requests --status ${status}`), [status])
    })
  }

  test('lists all of mine, newest first, and nobody else’s', async () => {
    const all = ['pending', 'approved', 'revoked', 'denied', 'cancelled', 'ended', 'expired']
    assert.deepEqual(await listed('requests --mine'), all)
    assert.deepEqual(await listed('requests --mine', { by: bob }), [])
    assert.deepEqual(await listed('requests --mine --since 1h --limit 2'), all.slice(0, 2))
  })

  test('takes a user or a person for the requester', async () => {
    assert.equal((await listed('requests --requester alice')).length, 7)
    assert.equal((await listed('requests --requester iam:111122223333/alice')).length, 7)
    assert.deepEqual(await listed('requests --requester bob'), [])
    assert.deepEqual(await listed('requests --requester iam:111122223333/bob'), [])
  })

  test('lets filters add up', async () => {
    assert.deepEqual(await listed('requests --profile denied --requester alice'), ['denied'])
    assert.deepEqual(await listed('requests --profile denied --status approved'), [])
  })

  test('lists for an approver what waits for them, and only that', async () => {
    const requester = theParty(bob)
    const store = await aStoreWith(
      aRequest({ id: anId('b'), profile: 'open', required: 2 }),
      aRequest({ id: anId('c'), profile: 'own', requester }),
      aRequest({ id: anId('d'), profile: 'foreign', rule: 'others' }),
      aRequest({ id: anId('e'), profile: 'reviewed', required: 2 }),
      aRequest({ id: anId('f'), profile: 'old', createdAt: NOON - 24 * HOUR }),
    )
    const reviewed = aRequest({ id: anId('e'), profile: 'reviewed', required: 2 })
    await store.review(aReview(reviewed), [], WAITING)
    const others = anApprovalRule({ name: 'others', approvers: users('carol'), profiles: ['*'] })
    const policy = { ...POLICY, approvals: [...POLICY.approvals, others] }
    assert.deepEqual(await listed('requests --to-approve', { store, policy, by: bob }), ['open'])
  })

  test('settles what nobody has, and announces once what time has ended', async () => {
    const store = await aStoreOfStatuses()
    const first = await sentinel('requests', { store })
    assert.deepEqual(eventsOf(first), ['request.expired'])
    assert.equal(first.delivered[0]?.fields.requester, 'alice')
    const second = await sentinel('requests', { store })
    assert.deepEqual(eventsOf(second), ['request.expired'], 'the one of before')
    assert.equal(await store.settle(anId('approved'), [], WAITING), false)
  })

  test('lists all the same for who may not settle anything', async () => {
    const store = differently(await aStoreOfStatuses(), {
      settle: () => Promise.reject(new SentinelError('STORE_UNAVAILABLE', 'access denied')),
    })
    assert.deepEqual(await listed('requests', { store }), ['pending'])
  })

  test('gives CSV a line for each, without reviews', async () => {
    const store = await aStoreOfStatuses()
    const { stdout } = await sentinel('requests --status denied --format csv', { store })
    const [heading = '', row = '', ...rest] = stdout.split('\n')
    assert.match(heading, /^id,status,requester,requester_person,/)
    assert.match(row, /^a+denied,denied,alice,iam:111122223333\/alice,/)
    assert.equal(heading.split(',').length, row.split(',').length)
    assert.deepEqual(rest, [''])
  })

  test('says so when there is none', async () => {
    const any = await sentinel('requests')
    assert.equal(any.stderr, 'note: memory: has no request that waits for a decision\n')
    const mine = await sentinel('requests --mine --format json')
    assert.deepEqual([mine.stdout, mine.status], ['[]\n', 0])
    assert.equal(mine.stderr, 'note: memory: has no request that matches\n')
  })

  const mistakes: [argv: string, stderr: RegExp][] = [
    ['--mine --to-approve', /^error: --mine and --to-approve contradict each other\n/],
    [
      '--mine --requester bob',
      /^error: --mine and --requester contradict each other\nhint: leave one of them out\n$/,
    ],
    ['--status aproved', /^error: unknown status "aproved"\nhint: did you mean approved\?/],
    ['--limit 0', /^error: --limit is not a number of rows: "0"\n/],
    ['--since yesterday', /^error: --since is neither a duration nor a time/],
  ]
  for (const [argv, stderr] of mistakes) {
    test(`refuses ${argv}`, async () => {
      const result = await sentinel(`requests ${argv}`)
      assert.equal(result.status, 2)
      assert.match(result.stderr, stderr)
    })
  }
})
