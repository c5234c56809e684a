import assert from 'node:assert/strict'
import { beforeEach, suite, test } from 'node:test'
import { StoreGrants } from '../../src/app/store-grants.ts'
import type { AccessRequest, Review } from '../../src/domain/access-request.ts'
import type { BreakGlassEvent, BreakGlassId } from '../../src/domain/break-glass.ts'
import type { Policy } from '../../src/domain/policy/types.ts'
import { HOUR, MINUTE } from '../../src/domain/time.ts'
import { SentinelError } from '../../src/errors.ts'
import type { GrantStores } from '../../src/ports/grant-stores.ts'
import { MemoryBreakGlassStore } from '../../src/stores/memory/break-glass-store.ts'
import { MemoryRequestStore } from '../../src/stores/memory/request-store.ts'
import { aBreakGlassRule, anApprovalRule, aPolicy, users } from '../fixtures/policies.ts'
import { aParty, aRequest, aReview, sha256 } from '../stores/request-under-test.ts'

const NOW = Date.UTC(2026, 0, 14, 12)
const SIGNAL = new AbortController().signal
const ALICE = aParty('alice')
const PLACES = { requests: 'dynamodb:requests', breakGlass: 'dynamodb:events' }

const RULE = anApprovalRule({ name: 'prod-approvers', approvers: users('sso:*') })

let now: number
let policy: Policy | undefined
let requests: MemoryRequestStore
let events: MemoryBreakGlassStore
let stores: FakeStores
let grants: StoreGrants

class FakeStores implements GrantStores {
  configured: GrantStores['configured'] = {}
  fault: Error | undefined
  readonly opened: string[] = []
  readonly claimed: string[] = []
  claimFault: Error | undefined

  resolve(location: string): string {
    return location.replace(/^dynamodb:(?!.*:)/, 'dynamodb:eu-central-1:')
  }

  async claim(location: string): Promise<void> {
    this.claimed.push(location)
    if (this.claimFault) throw this.claimFault
  }

  async openRequests(location: string): Promise<MemoryRequestStore> {
    this.opened.push(location)
    if (this.fault) throw this.fault
    return requests
  }

  async openBreakGlass(location: string): Promise<MemoryBreakGlassStore> {
    this.opened.push(location)
    return events
  }
}

function anEvent(overrides: Partial<BreakGlassEvent> = {}): BreakGlassEvent {
  return {
    id: 'mzxw6ytboi3damrqgaya' as BreakGlassId,
    invoker: ALICE,
    profile: 'prod',
    roleArn: 'arn:aws:iam::444455556666:role/Prod',
    reasonCode: 'incident',
    justification: 'the database is down, nobody can pay',
    duration: 1800,
    rule: 'on-call',
    startedAt: NOW,
    ...overrides,
  }
}

/** Files a request of alice for prod, approved a minute later unless told. */
async function approve(overrides: Partial<AccessRequest> = {}, review: Partial<Review> = {}) {
  const defaults = { requester: ALICE, profile: 'prod', createdAt: NOW }
  const request = aRequest({ ...defaults, ...overrides })
  await requests.create(request, [], SIGNAL)
  await requests.review(aReview(request, review), [], SIGNAL)
  return request
}

async function live(profile = 'prod'): Promise<readonly object[]> {
  return grants.live(ALICE.person, profile)
}

suite('StoreGrants', () => {
  beforeEach(() => {
    now = NOW + 5 * MINUTE
    policy = aPolicy({
      stores: PLACES,
      approvals: [RULE],
      breakGlass: [aBreakGlassRule()],
    })
    requests = new MemoryRequestStore()
    events = new MemoryBreakGlassStore()
    stores = new FakeStores()
    const clock = { aws: () => now }
    grants = new StoreGrants({ stores, policy: () => policy, digest: sha256, clock })
  })

  test('gives what was approved, from the deciding review on', async () => {
    const reviewer = aParty('bob')
    const { id, roleArn } = await approve({ duration: 3600 }, { reviewer })
    assert.deepEqual(await live(), [
      {
        id,
        basis: 'approval',
        person: ALICE.person,
        profile: 'prod',
        roleArn,
        startsAt: NOW + MINUTE,
        endsAt: NOW + MINUTE + HOUR,
        rule: 'prod-approvers',
        approvedBy: [reviewer.principalId],
        store: 'memory:',
      },
    ])
  })

  test('gives an event that is live', async () => {
    await events.begin(anEvent(), () => {}, [], SIGNAL)
    const [grant] = await live()
    assert.partialDeepStrictEqual(grant, { basis: 'break_glass', endsAt: NOW + 30 * MINUTE })
  })

  test('gives the union of both', async () => {
    await approve()
    await approve({ duration: 7200 })
    await events.begin(anEvent(), () => {}, [], SIGNAL)
    assert.equal((await live()).length, 3)
  })

  const nothing: [what: string, file: () => Promise<unknown>][] = [
    [
      'a request that is pending',
      () =>
        requests.create(
          aRequest({ requester: ALICE, profile: 'prod', createdAt: NOW }),
          [],
          SIGNAL,
        ),
    ],
    [
      'one approved by who left the approvers',
      async () => {
        await approve()
        policy = aPolicy({ stores: PLACES, approvals: [{ ...RULE, approvers: users('carol') }] })
      },
    ],
    [
      'one whose rule is gone',
      async () => {
        await approve()
        policy = aPolicy({ stores: PLACES, approvals: [{ ...RULE, name: 'others' }] })
      },
    ],
    [
      'one approved by somebody whose record does not fit together',
      () => approve({}, { reviewer: { ...aParty('bob'), person: 'sso:carol@corp.example' } }),
    ],
    ['one that was denied', () => approve({}, { verdict: 'deny' })],
    ['one for another profile', () => approve({ profile: 'dev' })],
    ["somebody else's", () => approve({ requester: aParty('carol') })],
    ['one whose time is over', () => approve({ createdAt: NOW - 2 * HOUR })],
    ['one approved by its requester', () => approve({}, { reviewer: ALICE })],
    ['one approved under another hash', () => approve({}, { requestHash: '0'.repeat(64) })],
    ['one approved with a broken seal', () => approve({}, { seal: '0'.repeat(64) })],
    [
      'one that was withdrawn',
      async () => {
        const { id } = await approve()
        await requests.revoke(id, { at: NOW + 2 * MINUTE, by: 'bob' }, [], SIGNAL)
      },
    ],
    [
      'one that was cancelled',
      async () => {
        const { id } = await approve()
        await requests.cancel(id, { at: NOW + 2 * MINUTE, by: 'alice' }, [], SIGNAL)
      },
    ],
    [
      'an event for another profile',
      () => events.begin(anEvent({ profile: 'dev' }), () => {}, [], SIGNAL),
    ],
    [
      'an event that is over',
      () => events.begin(anEvent({ startedAt: NOW - HOUR }), () => {}, [], SIGNAL),
    ],
    [
      'an event that was closed',
      async () => {
        const event = anEvent()
        await events.begin(event, () => {}, [], SIGNAL)
        await events.close(event.id, { at: NOW + MINUTE, by: 'alice' }, [], SIGNAL)
      },
    ],
  ]
  for (const [what, file] of nothing) {
    test(`gives nothing for ${what}`, async () => {
      await file()
      assert.deepEqual(await live(), [])
    })
  }

  test('tells who ended what was live, and why', async () => {
    const { id } = await approve()
    await live()
    assert.equal(grants.ended(), undefined)
    const act = { at: NOW + 2 * MINUTE, by: 'bob', reason: 'the release is off' }
    await requests.revoke(id, act, [], SIGNAL)
    await live()
    assert.match(grants.ended() ?? '', /^request \w{20} was revoked by bob.*: the release is off$/)
  })

  test('tells of an event that was closed, or ran out', async () => {
    const event = anEvent()
    await events.begin(event, () => {}, [], SIGNAL)
    await live()
    now = NOW + HOUR
    await live()
    assert.equal(grants.ended(), `break-glass event ${event.id} ended at 2026-01-14T12:30:00Z`)
  })

  test('tells nothing of what was over before anybody looked', async () => {
    await approve({ createdAt: NOW - 2 * HOUR })
    await live()
    assert.equal(grants.ended(), undefined)
  })

  test('opens each store once', async () => {
    await live()
    await live('dev')
    assert.deepEqual(stores.opened, [
      'dynamodb:eu-central-1:requests',
      'dynamodb:eu-central-1:events',
    ])
  })

  test('opens nothing while no rule of the policy could lift anything', async () => {
    policy = aPolicy({ stores: PLACES })
    assert.deepEqual([await live(), stores.opened], [[], []])
    policy = undefined
    assert.deepEqual([await live(), stores.opened], [[], []])
  })

  test('follows a policy that comes to name another store', async () => {
    await live()
    policy = aPolicy({ stores: { requests: 'dynamodb:others' }, approvals: [anApprovalRule()] })
    await live()
    assert.equal(stores.opened.at(-1), 'dynamodb:eu-central-1:others')
  })

  test('looks where a flag says, when the policy names no store', async () => {
    policy = aPolicy({ approvals: [anApprovalRule()] })
    stores.configured = { requests: { location: 'dynamodb:mine', origin: '--request-table' } }
    await live()
    assert.deepEqual([stores.opened, stores.claimed], [['dynamodb:eu-central-1:mine'], []])
  })

  test('makes sure of a place that the policy names, and opens none that is not it', async () => {
    stores.claimFault = new SentinelError('CONFIG_INVALID', 'of another account')
    await assert.rejects(live(), { code: 'CONFIG_INVALID' })
    assert.deepEqual(stores.opened, [])
    assert.equal(stores.claimed.length, 2)
  })

  test('lets no flag lead elsewhere', async () => {
    stores.configured = { breakGlass: { location: 'local', origin: '--breakglass-table' } }
    assert.throws(() => grants.assertPlaces(), {
      code: 'CONFIG_INVALID',
      message: /keeps break-glass events in .*, and --breakglass-table says local/,
    })
    await assert.rejects(live(), { code: 'CONFIG_INVALID' })
  })

  test('opens a store anew that could not be opened', async () => {
    stores.fault = new SentinelError('STORE_UNAVAILABLE', 'the disk is full')
    await assert.rejects(live(), { code: 'STORE_UNAVAILABLE' })
    stores.fault = undefined
    await approve()
    assert.equal((await live()).length, 1)
  })
})
