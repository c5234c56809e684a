import assert from 'node:assert/strict'
import { suite, type TestContext, test } from 'node:test'
import { HOUR, MINUTE } from '../../src/domain/time.ts'
import { SentinelError } from '../../src/errors.ts'
import { FakeClock } from '../fixtures/app/clock.ts'
import {
  aBreakGlassRule,
  anApprovalRule,
  aPolicy,
  aPrincipal,
  aRule,
  NOON,
  PROD,
  users,
} from '../fixtures/policies.ts'
import { eventsOf, POLICY, sentinel, TARGET } from '../fixtures/request-cli.ts'
import {
  anId,
  aRequest,
  aReview,
  aStoreWith,
  differently,
  theParty,
  WAITING,
} from '../fixtures/requests.ts'

const ASK = 'request prod --justification rollback-of-release-42'
const MADE = anId('newa')

suite('sentinel request PROFILE', () => {
  test('makes a request, and says who may decide, until when, and how to wait', async () => {
    const store = await aStoreWith()
    const { status, stdout, stderr, isStoreClosed } = await sentinel(ASK, { store })
    assert.equal(status, 0)
    assert.equal(stderr, '')
    assert.equal(
      stdout,
      `made request ${MADE} for prod for 1h
it needs the approval of bob, by 2026-01-15T12:00:00Z:
  sentinel approve ${MADE}
to wait for the decision:
  sentinel request show ${MADE} --wait
`,
    )
    assert.ok(isStoreClosed)
    assert.deepEqual(await store.get(MADE, WAITING), {
      request: aRequest({
        id: MADE,
        justification: 'rollback-of-release-42',
        createdAt: NOON,
      }),
      reviews: [],
    })
  })

  test('names nobody as an approver of their own request', async () => {
    const approvedBy = (...names: string[]) =>
      aPolicy({ ...POLICY, approvals: [anApprovalRule({ approvers: users(...names) })] })
    const { stdout } = await sentinel(ASK, { policy: approvedBy('alice', 'bob') })
    assert.match(stdout, /it needs the approval of bob, by/)
    const alone = await sentinel(ASK, { policy: approvedBy('alice') })
    assert.match(alone.stdout, /it needs the approval of somebody else, by/)
  })

  test('records who asked for what, why, and under which policy', async () => {
    const { records } = await sentinel(`${ASK} --duration 2h`)
    assert.deepEqual(records, [
      {
        type: 'request.created',
        user: 'alice',
        person: 'iam:111122223333/alice',
        principal: 'arn:aws:iam::111122223333:user/alice',
        principal_id: 'AIDAALICE',
        policy: { reference: 'policy.yaml', sha256: 'ab'.repeat(32) },
        subject_id: MADE,
        subject_person: 'iam:111122223333/alice',
        profile: 'prod',
        role_arn: PROD,
        rule: 'approvers',
        justification: 'rollback-of-release-42',
        duration_seconds: 7200,
        grant_store: 'memory:',
      },
    ])
  })

  test('announces it, before it ends', async () => {
    const { delivered } = await sentinel(ASK)
    assert.equal(delivered.length, 1)
    assert.equal(delivered[0]?.event, 'request.created')
    assert.deepEqual(delivered[0]?.fields, {
      request_id: MADE,
      status: 'pending',
      requester: 'alice',
      requester_person: 'iam:111122223333/alice',
      profile: 'prod',
      role_arn: PROD,
      duration: '1h',
      justification: 'rollback-of-release-42',
      rule: 'approvers',
      approvals: 0,
      required: 1,
      by: 'alice',
      expires_at: '2026-01-15T12:00:00.000Z',
    })
  })

  test('keeps how many approvals the rule wants', async () => {
    const rule = anApprovalRule({ required: 2, approvers: users('bob', 'carol') })
    const { stdout } = await sentinel(`${ASK} --output json`, {
      policy: { ...POLICY, approvals: [rule] },
    })
    const { outcome, request } = JSON.parse(stdout)
    assert.equal(outcome, 'created')
    assert.deepEqual([request.id, request.status, request.required], [MADE, 'pending', 2])
  })

  test('shows commands that lead to the same store and policy', async () => {
    const argv = [...ASK.split(' '), '--request-table', 'requests', '--policy', 'my policy.yaml']
    const { stdout, flags } = await sentinel(argv)
    const rest = "--request-table requests --policy 'my policy.yaml'"
    assert.ok(stdout.includes(`  sentinel approve ${MADE} ${rest}\n`), stdout)
    assert.equal(flags?.['request-table'], 'requests')
  })

  test('asks for what the rule gives, if that is less than an hour', async () => {
    const policy = { ...POLICY, approvals: [anApprovalRule({ maxDuration: 1800 })] }
    assert.match((await sentinel(ASK, { policy })).stdout, /for prod for 30m\n/)
  })

  test('takes a profile that is called like a command from --profile', async () => {
    const store = await aStoreWith()
    const policy = aPolicy({ approvals: [anApprovalRule({ profiles: ['show'] })] })
    const argv = 'request --profile show --justification rollback-of-42'
    assert.equal((await sentinel(argv, { store, policy })).status, 0)
    assert.equal((await store.get(MADE, WAITING))?.request.profile, 'show')
  })

  test('makes nothing where it is allowed already', async () => {
    const store = await aStoreWith()
    const policy = aPolicy({ rules: [aRule()], approvals: [anApprovalRule()] })
    const { status, stdout, records } = await sentinel(ASK, { store, policy })
    assert.deepEqual([status, stdout], [0, 'prod is allowed already: no request was made\n'])
    assert.deepEqual(records, [])
    assert.deepEqual(await store.find('aaaa', WAITING), [])
  })

  test('says how it is allowed, where that is through the server only', async () => {
    const policy = aPolicy({ rules: [aRule({ effect: 'require_server' })] })
    const { status, stdout, stderr } = await sentinel(ASK, { policy })
    assert.equal(status, 0)
    assert.match(stdout, /allowed already/)
    assert.match(stderr, /^note: prod is allowed already, in another way: .* --server\n$/)
  })

  test('asks for the other ways too, where approvals give them', async () => {
    const rules = [aRule({ conditions: { mode: ['server'] } })]
    const policy = aPolicy({ rules, approvals: [anApprovalRule()] })
    const { stdout, stderr } = await sentinel(ASK, { policy })
    assert.match(stdout, /^made request /)
    assert.match(stderr, /--server/)
  })

  const refused: [what: string, policy: ReturnType<typeof aPolicy>, stderr: RegExp][] = [
    [
      'what is denied for good',
      { ...POLICY, rules: [aRule({ name: 'out', effect: 'deny' })] },
      /^error: no approval gives you prod: rule "out" denies it\nhint: see each rule with/,
    ],
    [
      'what no approvals rule covers, with the hint to break the glass where that is allowed',
      aPolicy({ breakGlass: [aBreakGlassRule()] }),
      /^error: no approval gives you prod: no rule matches\nhint: in an emergency: sentinel breakglass prod /,
    ],
    [
      'what wants a tracked session',
      { ...POLICY, rules: [aRule({ effect: 'require_server_session' })] },
      /requires a session tracked in DynamoDB\nhint: .*--server/,
    ],
  ]
  for (const [what, policy, stderr] of refused) {
    test(`refuses ${what}`, async () => {
      const store = await aStoreWith()
      const result = await sentinel(ASK, { policy, store })
      assert.deepEqual([result.status, result.stdout], [3, ''])
      assert.match(result.stderr, stderr)
      assert.deepEqual(await store.find('aaaa', WAITING), [])
    })
  }

  test('refuses a profile whose credentials cannot be stamped', async () => {
    const target = { ...TARGET, stamped: false }
    const { status, stderr } = await sentinel(ASK, { target })
    assert.equal(status, 3)
    assert.match(stderr, /^error: profile prod has no role for Sentinel to assume/)
  })

  test('refuses more than the rule gives, and names its cap', async () => {
    const { status, stderr } = await sentinel(`${ASK} --duration 3h`)
    assert.equal(status, 3)
    assert.equal(
      stderr,
      'error: rule "approvers" gives prod for 2h at most, not for 3h\nhint: ask for less: --duration 2h\n',
    )
  })

  const mistakes: [what: string, argv: string[], stderr: RegExp][] = [
    ['no justification', ['request', 'prod'], /--justification is required/],
    ['less than 15 minutes', [...ASK.split(' '), '-d', '14m'], /--duration 14m is not possible/],
    ['more than 8 hours', [...ASK.split(' '), '-d', '8h1s'], /--duration 8h1s is not possible/],
    ['no duration', [...ASK.split(' '), '-d', 'long'], /--duration is not a duration: "long"/],
    ['two profiles', [...ASK.split(' '), '--profile', 'dev'], /two profiles are given/],
    ['request show without an id', ['request', 'show'], /<id> is missing/],
  ]
  for (const [what, argv, stderr] of mistakes) {
    test(`refuses ${what}`, async () => {
      const result = await sentinel(argv)
      assert.equal(result.status, 2)
      assert.match(result.stderr, stderr)
    })
  }

  for (const length of [9, 10, 500, 501]) {
    const isGood = length === 10 || length === 500
    test(`${isGood ? 'takes' : 'refuses'} a justification of ${length} characters`, async () => {
      // Each of these is two units of UTF-16, and one character to whoever counts them.
      const text = ` ${'𝄞'.repeat(length)} `
      const { status } = await sentinel(['request', 'prod', '--justification', text])
      assert.equal(status, isGood ? 0 : 2)
    })
  }

  test('is done although the log cannot be written, warns, and exits with 6', async () => {
    const store = await aStoreWith()
    const { status, stdout, stderr } = await sentinel(ASK, {
      store,
      record: async () => {
        throw new SentinelError('LOG_UNAVAILABLE', 'the decision log is full')
      },
    })
    assert.equal(status, 6)
    assert.match(stdout, /^made request /)
    assert.match(stderr, /^warning: the decision log is full: it is done all the same\n/)
    assert.match(stderr, /^error: it is done, but the record could not be written$/m)
    assert.ok(await store.get(MADE, WAITING))
  })
})

suite('sentinel request PROFILE, where the rule approves by itself', () => {
  const automatic = (limit: number) => ({
    ...POLICY,
    approvals: [anApprovalRule({ autoApprove: { users: users('alice'), maxDuration: limit } })],
  })

  test('is approved at once, and recorded and announced as what it is', async () => {
    const result = await sentinel(ASK, { policy: automatic(3600) })
    assert.equal(
      result.stdout,
      `made request ${MADE} for prod for 1h
request ${MADE} is approved by the policy's own rule until 2026-01-14T13:00:00Z
to use it: sentinel exec prod -- COMMAND
`,
    )
    assert.deepEqual(
      result.records.map(({ type, verdict, expires_at: end }) => [type, verdict, end]),
      [
        ['request.created', undefined, '2026-01-14T13:00:00.000Z'],
        ['request.approved', 'automatic', '2026-01-14T13:00:00.000Z'],
      ],
    )
    assert.deepEqual(eventsOf(result), ['request.created', 'request.approved'])
  })

  test('waits for people where more is asked for, and says what would not', async () => {
    const { stdout, stderr } = await sentinel(ASK, { policy: automatic(1800) })
    assert.match(stdout, /it needs the approval of bob/)
    assert.match(stderr, /^note: rule "approvers" approves by itself .* 30m at most\n$/)
  })

  test('waits for people where somebody else asks', async () => {
    const { stdout, stderr } = await sentinel(ASK, {
      policy: automatic(3600),
      by: aPrincipal('dave'),
    })
    assert.match(stdout, /it needs the approval of bob/)
    assert.equal(stderr, '')
  })
})

/** Lets a command that waits look at least `count` times, two and a half seconds apart. */
async function look(t: TestContext, count = 1): Promise<void> {
  for (let turn = 0; turn < 20 * count; turn += 1) {
    await new Promise(setImmediate)
    t.mock.timers.tick(2500)
  }
}

/** Lets it look until it ends. */
async function finish<Result>(t: TestContext, ended: Promise<Result>): Promise<Result> {
  let isDone = false
  const done = ended.finally(() => {
    isDone = true
  })
  for (let turn = 0; turn < 1000 && !isDone; turn += 1) await look(t)
  assert.ok(isDone, 'it still waits')
  return await done
}

suite('sentinel request PROFILE --wait', () => {
  const bob = theParty(aPrincipal('bob'))

  test('ends with the approval, shows how far it is, and delivers first', async (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] })
    const store = await aStoreWith()
    const ended = sentinel(`${ASK} --wait`, { store, stderrWindow: { columns: 99, rows: 9 } })
    await look(t, 2)
    const { request } = (await store.get(MADE, WAITING))!
    await store.review(aReview(request, { at: NOON, reviewer: bob }), [], WAITING)
    const { status, stdout, stderr, delivered } = await finish(t, ended)
    assert.equal(status, 0)
    assert.match(stderr, /note: waiting for the decision about request /)
    assert.ok(stderr.includes(`request ${MADE}: 0 of 1 approvals, 24h left`.replace('24h', '1d')))
    assert.ok(
      stdout.endsWith(
        `request ${MADE} is approved by bob until 2026-01-14T13:00:00Z\nto use it: sentinel exec prod -- COMMAND\n`,
      ),
    )
    assert.equal(delivered.length, 1)
  })

  test('gives a program one document, with the decision', async (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] })
    const store = await aStoreWith()
    const ended = sentinel(`${ASK} --wait --output json`, { store })
    await look(t)
    const { request } = (await store.get(MADE, WAITING))!
    await store.review(aReview(request, { at: NOON }), [], WAITING)
    const { stdout } = await finish(t, ended)
    assert.equal(JSON.parse(stdout).request.status, 'approved')
  })

  test('ends with 3 when it is denied, cancelled or too late', async (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] })
    const comment = 'not before the weekend'
    const ways: [
      RegExp,
      (store: Awaited<ReturnType<typeof aStoreWith>>, clock: FakeClock) => unknown,
    ][] = [
      [
        /was denied by bob at 2026-01-14T12:00:00Z: not before the weekend$/m,
        async (store) => {
          const { request } = (await store.get(MADE, WAITING))!
          await store.review(aReview(request, { at: NOON, verdict: 'deny', comment }), [], WAITING)
        },
      ],
      [
        /was cancelled by alice/,
        (store) => store.cancel(MADE, { at: NOON, by: 'alice' }, [], WAITING),
      ],
      [/expired at 2026-01-15T12:00:00Z/, (_, clock) => clock.advance(24 * HOUR)],
    ]
    for (const [stderr, decide] of ways) {
      const store = await aStoreWith()
      const clock = new FakeClock()
      const ended = sentinel(`${ASK} --wait`, { store, clock })
      await look(t)
      await decide(store, clock)
      const result = await finish(t, ended)
      assert.equal(result.status, 3)
      assert.match(result.stderr, stderr)
    }
  })

  test('goes on while the store is silent, and says so once', async (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] })
    const kept = await aStoreWith()
    let isSilent = true
    const store = differently(kept, {
      get: async (id, signal) => {
        if (isSilent) throw new SentinelError('STORE_UNAVAILABLE', 'the store does not answer')
        return await kept.get(id, signal)
      },
    })
    const ended = sentinel(`${ASK} --wait`, { store })
    await look(t, 3)
    isSilent = false
    const { request } = (await kept.get(MADE, WAITING))!
    await kept.review(aReview(request, { at: NOON }), [], WAITING)
    const { status, stderr } = await finish(t, ended)
    assert.equal(status, 0)
    assert.equal(stderr.split('the store does not answer: still waiting').length, 2)
  })

  test('leaves the request pending on Ctrl-C, and says so', async (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] })
    const store = await aStoreWith()
    const interruption = new AbortController()
    const ended = sentinel(`${ASK} --wait`, { store, interrupted: interruption.signal })
    await look(t)
    interruption.abort()
    const { status, stderr } = await finish(t, ended)
    assert.equal(status, 130)
    assert.match(
      stderr,
      new RegExp(`^error: nobody waits any more, and request ${MADE} stays$`, 'm'),
    )
    assert.ok(stderr.includes(`sentinel request show ${MADE} --wait`))
    assert.deepEqual((await store.get(MADE, WAITING))?.cancelled, undefined)
  })
})

suite('sentinel request show ID', () => {
  test('shows everything about it, by the beginning of its id', async () => {
    const store = await aStoreWith(aRequest())
    const duration = 1800
    await store.review(aReview(aRequest(), { duration, comment: 'until lunch' }), [], WAITING)
    const { status, stdout } = await sentinel(`request show ${anId('prod').slice(0, 4)}`, { store })
    assert.equal(status, 0)
    assert.equal(
      stdout,
      `id             ${anId('prod')}
status         approved
requester      alice (iam:111122223333/alice)
principal      arn:aws:iam::111122223333:user/alice
profile        prod
role           arn:aws:iam::444455556666:role/Prod
duration       1h
justification  roll release 42 back
rule           approvers
approvals      1 of 1
asked at       2026-01-14T11:45:00Z
access         2026-01-14T11:50:00Z to 2026-01-14T12:20:00Z
review         approve by bob at 2026-01-14T11:50:00Z for 30m: until lunch
`,
    )
  })

  test('says of a review that was altered that it does not count', async () => {
    const store = await aStoreWith(aRequest())
    await store.review(aReview(aRequest(), { seal: 'forged' }), [], WAITING)
    const shown = await sentinel(`request show ${anId('prod')}`, { store })
    assert.match(shown.stdout, /^status +pending$/m)
    assert.match(shown.stdout, /^review +DOES NOT COUNT: approve by bob/m)
    const json = await sentinel(`request show ${anId('prod')} --output json`, { store })
    assert.equal(JSON.parse(json.stdout).reviews[0].counts, false)
  })

  test('keeps what people wrote on its line', async () => {
    const justification = 'first line\n\u001b[2Jsecond line'
    const store = await aStoreWith(aRequest({ justification }))
    const { stdout } = await sentinel(`request show ${anId('prod')}`, { store })
    assert.match(stdout, /^justification +first line\\n\\u001b\[2Jsecond line$/m)
  })

  test('waits too, and ends with 3 for what came to no access', async () => {
    const store = await aStoreWith(aRequest())
    await store.cancel(anId('prod'), { at: NOON - MINUTE, by: 'alice' }, [], WAITING)
    const { status, stdout, stderr } = await sentinel(`request show ${anId('prod')} --wait`, {
      store,
    })
    assert.equal(status, 3)
    assert.match(stdout, /^status +cancelled$/m)
    assert.match(stderr, /^error: request a+prod was cancelled by alice at 2026-01-14T11:59:00Z\n/)
  })

  const lost: [what: string, id: string, status: number, stderr: RegExp][] = [
    ['an unknown id', 'b'.repeat(20), 4, /^error: no access request has the id b{20}\n/],
    ['an unknown beginning', 'bbbb', 4, /^error: no access request begins with bbbb\n/],
    ['a beginning of several', 'aaaa', 4, /^error: several access requests begin with aaaa: a+b?/],
    ['too little of an id', 'aaa', 2, /^error: not the id of a request: "aaa"\nhint: ids are 20/],
    ['what is no base32', 'aaaa1', 2, /^error: not the id of a request/],
  ]
  for (const [what, id, status, stderr] of lost) {
    test(`refuses ${what}`, async () => {
      const store = await aStoreWith(aRequest(), aRequest({ id: anId('b') }))
      const result = await sentinel(`request show ${id}`, { store })
      assert.equal(result.status, status)
      assert.match(result.stderr, stderr)
    })
  }
})
