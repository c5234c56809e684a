import assert from 'node:assert/strict'
import { cpSync } from 'node:fs'
import { after, before, suite, test } from 'node:test'
import { ROLES } from '../../src/demo/world.ts'
import type { GrantFile, Row } from '../fixtures/e2e/grant-file.ts'
import { type GrantScene, openGrantScene } from '../fixtures/e2e/grant-scene.ts'
import type { Result } from '../fixtures/scene.ts'

const HOUR = 3_600_000
const EXPORT_PROD = ['export', 'prod']

const POLICY = `\
version: "1"
principal_accounts: ["111122223333"]
profiles:
  "prod*": { role: "arn:aws:iam::444455556666:role/*" }
  vault: { role: "${ROLES.oneHour}" }
  dev: { role: "${ROLES.dev}" }
rules:
  - { name: developers, effect: allow, conditions: { profiles: [dev] } }
  - { name: production, effect: require_approval, conditions: { profiles: ["prod*", vault] } }
approvals:
  - name: second-pair-of-eyes
    profiles: ["prod*"]
    users: ["*"]
    approvers: [alice, bob, "sso:carol@corp.example"]
    max_duration: 4h
  - name: two-of-them
    profiles: [vault]
    users: ["*"]
    approvers: [bob, "sso:carol@corp.example"]
    required: 2
`

suite('a request in the hands of who may write to its store', { concurrency: 3 }, () => {
  let scene: GrantScene
  before(async () => {
    scene = await openGrantScene(POLICY)
    await Promise.all([
      scene.approved('alice', 'bob', 'prod', { state: 'good' }),
      scene.approved('bob', 'carol', 'prod', { state: 'bobs' }),
      scene.approved('alice', 'bob', 'prod-eu', { state: 'elsewhere' }),
      scene.request('alice', 'prod', { state: 'undecided' }),
      scene.request('alice', 'vault', { state: 'vault' }),
    ])
    await scene.told('bob', ['approve', idIn('vault')], { state: 'vault' })
    cpSync(`${scene.scene.home}/good`, `${scene.scene.home}/over`, { recursive: true })
    scene.file('over').backdate(2 * HOUR)
  })
  after(() => scene[Symbol.asyncDispose]())

  const idIn = (state: string) => String(scene.file(state).rows('requests')[0]?.id)
  let copies = 0
  /** Alters a copy of what is kept, and asks for access on the strength of it. */
  async function exportAfter(
    from: string,
    alter: (file: GrantFile) => void,
    words: readonly string[] = EXPORT_PROD,
  ): Promise<Result> {
    copies += 1
    const state = `copy-${copies}`
    cpSync(`${scene.scene.home}/${from}`, `${scene.scene.home}/${state}`, { recursive: true })
    alter(scene.file(state))
    return scene.as('alice', words, { state })
  }

  test('gives access as it is', async () => {
    assertIssued(await exportAfter('good', () => {}))
  })

  const bob = 'arn:aws:iam::111122223333:user/staff/bob'
  /** Every column that says what was asked, and something else that it could say. */
  const OTHER_REQUEST: Row = {
    id: 'a'.repeat(20),
    requester: 'iam:111122223333/bob',
    user: 'bob',
    principal: bob,
    principal_id: 'AIDADEMOSOMEBODYELSE',
    profile: 'prod-eu',
    role_arn: ROLES.oneHour,
    justification: 'release 4712 of the shop',
    duration: 14_400,
    rule: 'two-of-them',
    required: 0,
    is_automatic: 1,
    created_at: '2026-01-14T09:00:00.000Z',
  }
  /** What is done with it later, and what only helps to find and to clear it away. */
  const LATER = ['cancelled_at', 'cancelled_by', 'cancelled_reason']
  const UNSAID = [...LATER, 'revoked_at', 'revoked_by', 'revoked_reason', 'pending', 'ttl']

  test('has no column that the alterations below leave out', () => {
    const [request = {}] = scene.file('good').rows('requests')
    const [review = {}] = scene.file('good').rows('request_reviews')
    const asked = Object.keys(request).filter((name) => !UNSAID.includes(name))
    assert.deepEqual(asked, Object.keys(OTHER_REQUEST))
    const decided = Object.keys(review).filter((name) => name !== 'ttl')
    assert.deepEqual(decided, Object.keys(OTHER_REVIEW))
  })

  for (const [column, value] of Object.entries(OTHER_REQUEST)) {
    test(`gives nothing once ${column} of the request is another`, async () => {
      const alter = (file: GrantFile) => file.update('requests', { [column]: value })
      assertRefused(await exportAfter('good', alter))
    })
  }

  const OTHER_REVIEW: Row = {
    request_id: 'a'.repeat(20),
    reviewer_person: 'sso:carol@corp.example',
    user: 'carol@corp.example',
    principal: 'arn:aws:iam::111122223333:user/staff/robert',
    principal_id: 'AIDADEMOSOMEBODYELSE',
    verdict: 'deny',
    created_at: new Date().toISOString(),
    comment: 'seen the change',
    duration: 7200,
    request_hash: 'a'.repeat(64),
    seal: 'a'.repeat(64),
  }
  for (const [column, value] of Object.entries(OTHER_REVIEW)) {
    test(`gives nothing once ${column} of the review is another`, async () => {
      const alter = (file: GrantFile) => file.update('request_reviews', { [column]: value })
      assertRefused(await exportAfter('good', alter))
    })
  }

  test('gives nothing for another profile or role than it was asked for', async () => {
    const move = { profile: 'prod' }
    assertRefused(await exportAfter('elsewhere', (file) => file.update('requests', move)))
    const sold = await exportAfter('good', (file) => {
      file.update('requests', { role_arn: ROLES.oneHour, profile: 'vault' })
    })
    assertRefused(sold)
  })

  test('gives nothing to somebody else whose name is put on it', async () => {
    const [{ principal, principal_id } = {}] = scene.file('good').rows('requests')
    const result = await exportAfter('bobs', (file) => {
      const alice = { requester: 'iam:111122223333/alice', user: 'alice' }
      file.update('requests', { ...alice, principal: principal!, principal_id: principal_id! })
    })
    assertRefused(result)
  })

  test('gives nothing with fewer approvals than it wanted', async () => {
    const lower = (file: GrantFile) => file.update('requests', { required: 1 })
    assertRefused(await exportAfter('vault', lower, ['export', 'vault']))
  })

  test('gives nothing when its end is put off', async () => {
    const now = new Date().toISOString()
    const later = (file: GrantFile) => file.update('request_reviews', { created_at: now })
    assertRefused(await exportAfter('over', later))
    const longer = (file: GrantFile) => file.update('requests', { duration: 14_400 })
    assertRefused(await exportAfter('over', longer))
  })

  test('gives nothing by a review of another request', async () => {
    const [review = {}] = scene.file('good').rows('request_reviews')
    const id = idIn('undecided')
    const moved = (file: GrantFile) => file.insert('request_reviews', { ...review, request_id: id })
    assertRefused(await exportAfter('undecided', moved))
    // Sealed anew, but of what the other one said.
    const sealed = (file: GrantFile) => {
      moved(file)
      file.reseal({ ofOther: true })
    }
    assertRefused(await exportAfter('undecided', sealed))
  })

  test("gives nothing by the requester's own review, whatever name is on it", async () => {
    const [review = {}] = scene.file('good').rows('request_reviews')
    const [asked = {}] = scene.file('undecided').rows('requests')
    const { id, requester, user, principal, principal_id } = asked
    const own = { requester, user, principal, principal_id }
    const forged = (changes: Row) => (file: GrantFile) => {
      const { requester: person, ...rest } = own
      const row = { ...review, ...rest, reviewer_person: person, request_id: id } as Row
      file.insert('request_reviews', { ...row, ...changes })
      file.reseal()
    }
    assertRefused(await exportAfter('undecided', forged({})))
    const byName = { reviewer_person: 'iam:111122223333/bob', user: 'bob', principal: bob }
    assertRefused(await exportAfter('undecided', forged(byName)))
    const byKey = { principal_id: 'AIDADEMOSOMEBODYELSE' }
    assertRefused(await exportAfter('undecided', forged(byKey)))
  })

  test('gives access by what is a review of bob in every respect: only keys of a table help', async () => {
    const [review = {}] = scene.file('good').rows('request_reviews')
    const id = idIn('undecided')
    const result = await exportAfter('undecided', (file) => {
      file.insert('request_reviews', { ...review, request_id: id })
      file.reseal()
    })
    assertIssued(result)
  })

  test('gives nothing by any column that looks like a status', async () => {
    const result = await exportAfter('undecided', (file) => {
      file.update('requests', { pending: null })
      file.run("ALTER TABLE requests ADD COLUMN status TEXT DEFAULT 'approved'")
      file.run('ALTER TABLE requests ADD COLUMN approved INTEGER DEFAULT 1')
    })
    assertRefused(result)
  })
})

function assertIssued({ status, stdout, stderr }: Result): void {
  assert.equal(status, 0, stderr)
  assert.match(stdout, /^AWS_ACCESS_KEY_ID=ASIADEMO/m)
}

function assertRefused({ status, stdout, stderr }: Result): void {
  assert.equal(status, 3, stderr)
  assert.equal(stdout, '')
  assert.match(stderr, /^error: profile \w+ is refused: /m)
}
