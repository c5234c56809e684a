/**
 * What the commands of approvals and break-glass say to programs, and to whoever filters lines.
 *
 * @module
 */
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { ROLES } from '../../src/demo/world.ts'
import {
  breaking,
  configOf,
  type Document,
  type GrantScene,
  openGrantScene,
} from '../fixtures/e2e/grant-scene.ts'

/** Names as people have them: Identity Center's are addresses. */
const LONG = 'production-payments'

const PEOPLE = '[alice, bob, "sso:carol@corp.example"]'
const POLICY = `\
version: "1"
principal_accounts: ["111122223333"]
profiles:
  prod: { role: "${ROLES.prod}" }
  ${LONG}: { role: "${ROLES.prod}" }
rules:
  - { name: production, effect: require_approval, conditions: { profiles: ["prod*"] } }
approvals:
  - { name: second-pair-of-eyes, profiles: ["prod*"], users: ["*"], approvers: ${PEOPLE} }
break_glass:
  - { name: on-call, profiles: ["prod*"], users: ["*"], reviewers: ${PEOPLE}, max_duration: 1h,
      reason_codes: [incident, maintenance], review_within: 72h }
`

const REQUEST = {
  id: /^[a-z2-7]{20}$/,
  status: /^(pending|approved|ended|revoked|denied|cancelled|expired)$/,
  requester: 'carol@corp.example',
  requester_person: 'sso:carol@corp.example',
  requester_principal: /^arn:aws:sts::111122223333:assumed-role\/AWSReservedSSO_Developer_/,
  profile: LONG,
  role_arn: ROLES.prod,
  duration_seconds: 3600,
  justification: 'release 4711 of the shop',
  rule: 'second-pair-of-eyes',
  automatic: false,
  approvals: /^[01]$/,
  required: 1,
}
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/
const REQUEST_TIMES = ['created_at', 'expires_at', 'granted_from', 'granted_until']
const REQUEST_ACTS = ['cancelled_at', 'cancelled_by', 'revoked_at', 'revoked_by', 'revoked_reason']

const EVENT = {
  id: /^[a-z2-7]{20}$/,
  status: /^(live|unreviewed|overdue|reviewed|ended)$/,
  user: 'carol@corp.example',
  person: 'sso:carol@corp.example',
  principal: /^arn:aws:sts::111122223333:assumed-role\/AWSReservedSSO_Developer_/,
  principal_id: /^AROA\w+:carol@corp\.example$/,
  profile: LONG,
  role_arn: ROLES.prod,
  reason_code: 'maintenance',
  justification: 'nobody can pay since ten to noon',
  duration_seconds: 3600,
  rule: 'on-call',
}
const EVENT_TIMES = ['started_at', 'ends_at', 'closed_at']
const EVENT_ACTS = [
  ...['closed_by', 'closed_reason', 'review_by', 'reviewed_at'],
  ...['reviewed_by', 'review_outcome', 'review_comment'],
]

suite('what approvals and break-glass say', { concurrency: 2 }, () => {
  test('to programs, of requests: always the same fields', async () => {
    await using scene = await openLongScene()
    const words = ['request', LONG, '--justification', REQUEST.justification]
    const made = await scene.told('carol', words)
    assertRequest(made.request, made.outcome === 'created')
    const { id } = made.request as { id: string }

    const approve = ['approve', id, '--comment', 'seen the change', '--duration', '30m']
    const approved = await scene.told('bob', approve)
    const [review] = assertRequest(approved.request, approved.outcome === 'approved')
    assert.partialDeepStrictEqual(review, {
      verdict: 'approve',
      reviewer: 'bob',
      reviewer_person: 'iam:111122223333/bob',
      comment: 'seen the change',
      duration_seconds: 1800,
      counts: true,
    })
    assertRequest(await scene.told('alice', ['request', 'show', id.slice(0, 8)]))
    const revoke = ['request', 'revoke', id, '--reason', 'done']
    const revoked = await scene.told('carol', revoke)
    assertRequest(revoked.request, revoked.outcome === 'revoked')
    const again = await scene.told('carol', revoke)
    assertRequest(again.request, again.outcome === 'already revoked')

    const next = await scene.request('carol', LONG)
    const cancelled = await scene.told('carol', ['cancel', next])
    assertRequest(cancelled.request, cancelled.outcome === 'cancelled')
    const last = await scene.request('carol', LONG)
    const denied = await scene.told('bob', ['deny', last, '--comment', 'not today'])
    assertRequest(denied.request, denied.outcome === 'denied')

    const all = await scene.told('carol', ['requests', '--mine'])
    assert.ok(Array.isArray(all))
    assert.deepEqual(all.map(({ status }) => status).toSorted(), ['cancelled', 'denied', 'revoked'])
    for (const request of all) assertRequest(request)
    assert.deepEqual(await scene.told('bob', ['requests', '--to-approve']), [])
  })

  test('to programs, of break-glass events: always the same fields', async () => {
    await using scene = await openLongScene()
    const words = breaking(LONG).map((word) => (word === 'incident' ? 'maintenance' : word))
    const started = await scene.told('carol', words)
    assertEvent(started.event, started.outcome === 'started')
    assert.deepEqual(started.announced_to, [])
    assert.deepEqual(started.reviewers, ['alice', 'bob', 'sso:carol@corp.example'])
    const { id } = started.event as { id: string }

    assertEvent(await scene.told('alice', ['breakglass', 'show', id.slice(0, 8)]))
    const closed = await scene.told('carol', ['breakglass', 'close', id, '--reason', 'mended'])
    assertEvent(closed.event, closed.outcome === 'closed')
    const justified = ['--outcome', 'justified', '--comment', 'seen the report']
    const reviewed = await scene.told('bob', ['breakglass', 'review', id, ...justified])
    const [review] = assertEvent(reviewed.event, reviewed.outcome === 'reviewed')
    assert.partialDeepStrictEqual(review, {
      outcome: 'justified',
      reviewer: 'bob',
      reviewer_person: 'iam:111122223333/bob',
      comment: 'seen the report',
      counts: true,
    })
    const again = await scene.told('bob', ['breakglass', 'review', id, ...justified])
    assertEvent(again.event, again.outcome === 'already reviewed')

    const all = await scene.told('alice', ['breakglass', 'list', '--since', '1h'])
    assert.ok(Array.isArray(all))
    assert.equal(all.length, 1)
    assertEvent(all[0])
    assert.deepEqual(await scene.told('alice', ['breakglass', 'list']), [])
  })

  test('to programs, of notifications that wait: none here', async () => {
    await using scene = await openLongScene()
    await scene.request('carol', LONG)
    const empty = { announced: 0, delivered: [], failed: [], given_up: [], waiting: [] }
    assert.deepEqual(await scene.told('bob', ['notify', 'flush']), empty)
  })

  test('in tables that go to no terminal, whole names, however long they are', async () => {
    await using scene = await openLongScene()
    await scene.request('carol', LONG)
    await scene.request('alice', 'prod')
    const reason = (words: string[]) =>
      words.map((word) => (word === 'incident' ? 'maintenance' : word))
    const id = await scene.told('carol', reason(breaking(LONG))).then(({ event }) => event)
    await scene.told('carol', ['breakglass', 'close', (id as { id: string }).id])
    await scene.breakGlass('alice', 'prod')

    for (const words of [['requests'], ['breakglass', 'list']]) {
      const { status, stdout } = await scene.as('bob', words)
      assert.equal(status, 0)
      const lines = stdout.trimEnd().split('\n')
      assert.equal(lines.length, 3)
      for (const said of ['carol@corp.example', LONG, 'alice']) {
        assert.ok(stdout.includes(said), stdout)
      }
    }
  })

  test('in tables, ids that commands take', async () => {
    await using scene = await openLongScene()
    const request = await scene.request('alice', 'prod')
    const event = await scene.breakGlass('alice', 'prod')

    for (const [list, show, full] of [
      ['requests', 'request', request],
      ['breakglass list', 'breakglass', event],
    ] as const) {
      const { stdout } = await scene.as('bob', list.split(' '))
      const [id = ''] = stdout.split('\n')[1]?.split(' ') ?? []
      assert.equal((await scene.told('bob', [show, 'show', id])).id, full)
    }
  })
})

/** A scene where everybody has the profile with the long name. */
async function openLongScene(): Promise<GrantScene> {
  const scene = await openGrantScene(POLICY)
  for (const who of ['alice', 'bob', 'carol']) {
    scene.scene.write(`config-${who}`, configOf(who, { prod: ROLES.prod, [LONG]: ROLES.prod }))
  }
  return scene
}

/** Asserts that a request is whole; returns its reviews. */
function assertRequest(found: unknown, isOutcome = true): readonly Document[] {
  assert.ok(isOutcome, 'another outcome')
  return assertFields(found, REQUEST, { times: REQUEST_TIMES, acts: REQUEST_ACTS })
}

/** Asserts that an event is whole; returns its reviews. */
function assertEvent(found: unknown, isOutcome = true): readonly Document[] {
  assert.ok(isOutcome, 'another outcome')
  return assertFields(found, EVENT, { times: EVENT_TIMES, acts: EVENT_ACTS })
}

function assertFields(
  found: unknown,
  expected: Readonly<Record<string, unknown>>,
  { times, acts }: { readonly times: readonly string[]; readonly acts: readonly string[] },
): readonly Document[] {
  const document = found as Document
  assert.deepEqual(Object.keys(document), [...Object.keys(expected), ...times, ...acts, 'reviews'])
  for (const [name, value] of Object.entries(expected)) {
    if (value instanceof RegExp) assert.match(String(document[name]), value)
    else assert.equal(document[name], value, name)
  }
  for (const name of times) if (document[name] !== null) assert.match(String(document[name]), TIME)
  return document.reviews as readonly Document[]
}
