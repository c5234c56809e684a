/**
 * What comes of every refusal × every state of a grant × every way to a credential, on the built
 * binary: see `grant-cases.ts` for what is expected. And that `policy explain` and `why` say the
 * same of each as the decision itself, and offer nothing that does not lead to access.
 *
 * @module
 */
import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import { ROLES } from '../../src/demo/world.ts'
import { type Explained, explainer, verdictOf } from '../fixtures/e2e/explanations.ts'
import {
  type Basis,
  type Case,
  cases,
  expectedBasis,
  GRANTS,
  GROUNDS,
  policyOf,
  WAYS,
} from '../fixtures/e2e/grant-cases.ts'
import { type GrantScene, openGrantScene, USERS } from '../fixtures/e2e/grant-scene.ts'
import type { Result } from '../fixtures/scene.ts'

suite('grants, by what is refused, what was granted, and how it is asked for', () => {
  let scene: GrantScene
  const policies = new Map(
    Object.entries(GROUNDS).map(([name, ground], index) => [
      name,
      { file: `policy-${index}.yaml`, text: policyOf(ground) },
    ]),
  )
  const made = new Map<string, Promise<string>>()
  const stateOf = (grant: string) => `state-${Object.keys(GRANTS).indexOf(grant)}`
  const policyEnv = (ground: string) => ({
    SENTINEL_POLICY: `file:${scene.scene.home}/${policies.get(ground)!.file}`,
  })

  let explanations: ReturnType<typeof explainer>

  before(async () => {
    scene = await openGrantScene(policyOf(GROUNDS.require_approval!))
    explanations = explainer(scene, policyEnv)
    for (const { file, text } of policies.values()) scene.scene.write(file, text)
  })
  after(() => scene[Symbol.asyncDispose]())

  suite('each of them', { concurrency: 3 }, () => {
    for (const [index, each] of cases().entries()) {
      const { ground, grant, way } = each
      const basis = expectedBasis(each)
      const outcome = basis === undefined ? 'refuses' : `issues by ${basis}`
      test(`${way} under ${ground} with ${grant} ${outcome}`, async () => {
        const { who = 'alice', make } = GRANTS[grant]!
        const { words, rest, key, mode } = WAYS[way]!
        const state = stateOf(grant)
        const id = await made.getOrInsertComputed(grant, () => make(scene, { state }))
        const log = `${scene.scene.home}/log-${index}.jsonl`

        const result = await scene.as(
          who,
          [...words, '--log-file', log, ...(rest ? ['--', ...rest] : [])],
          { state, env: policyEnv(ground) },
        )

        const records = scene.scene.log(log)
        const { effect, rule } = GROUNDS[ground]!
        const expected = {
          mode,
          effect,
          profile: 'prod',
          role_arn: ROLES.prod,
          ...(rule && { rule }),
        }
        if (basis === undefined) assertRefused(result, records, expected)
        else {
          const grantId = basis === 'policy' ? undefined : id
          assertIssued(result, { records, expected, basis, grantId, user: USERS[who], key })
          assertStamped(records)
          if (grantId) assertEndsWithGrant(records, state)
        }
        await assertExplained(records, each)
        await assertWhy(records, { ground, log })
      })
    }
  })

  test('no credential was asked of STS but those that were issued', () => {
    const issued = cases().filter((each) => expectedBasis(each) !== undefined)
    assert.equal(scene.scene.answered('AssumeRole'), issued.length)
  })

  test('the command that an explanation gives asks for the access', async () => {
    const call = { state: 'state-command', env: policyEnv('require_approval') }
    const refused = await scene.as('alice', ['export', 'prod'], call)
    assert.equal(refused.status, 3)
    const { again } = (await scene.told('alice', ['why'], call)) as { again: Explained }
    const command = again.approval?.command.replace('"…"', '"release 4711 of the shop"')
    const line = `${command} --output json`.replace(/^sentinel/, '"$SENTINEL" $OVERRIDE')
    const env = { ...scene.environment('alice', call), OVERRIDE: '--allow-endpoint-override' }
    const asked = await scene.scene.run(['sh', '-c', line], { env })
    assert.equal(asked.status, 0, asked.stderr)

    await scene.told('bob', ['approve', JSON.parse(asked.stdout).request.id], call)

    assert.equal((await scene.as('alice', ['export', 'prod'], call)).status, 0)
  })

  /** `policy explain` decides as was decided, and what it offers leads to access. */
  async function assertExplained(records: Records, { ground, grant, way }: Case): Promise<void> {
    const { basis, who = 'alice' } = GRANTS[grant]!
    const { mode } = WAYS[way]!
    const sessionStore = mode === 'server' ? 'local' : undefined
    const question = { ground, who, mode, grant: basis, sessionStore }
    const { decision } = await explanations.explain(question)
    const { grant: _, ...verdict } = verdictOf(decisionIn(records))
    assert.partialDeepStrictEqual(decision, verdict)
    assert.deepEqual(decision.rule, verdict.rule)
    await explanations.assertTrue(question)
  }

  /** `why` knows the request again, and decides it as was decided. */
  async function assertWhy(
    records: Records,
    { ground, log }: { readonly ground: string; readonly log: string },
  ): Promise<void> {
    const record = decisionIn(records)
    const words = ['why', String(record.source_identity ?? record.request_id), '--log-file', log]
    const told = await scene.told('alice', words, { env: policyEnv(ground) })
    const { explanation, ...rest } = told as unknown as { readonly explanation: Explained }
    assert.partialDeepStrictEqual(rest, { record, carried_out: true, same_policy: true })
    const verdict = verdictOf(record)
    assert.partialDeepStrictEqual(explanation.decision, verdict)
    assert.deepEqual(explanation.decision.rule, verdict.rule)
    assert.equal(explanation.decision.grant?.id, verdict.grant?.id)
  }

  /** STS was told what the log says. */
  function assertStamped(records: readonly Record<string, unknown>[]): void {
    const [record] = records.filter(({ type }) => type === 'issued')
    const calls = scene.scene.aws.journal.filter(
      ({ operation, parameters }) =>
        operation === 'AssumeRole' && parameters.SourceIdentity === record?.source_identity,
    )
    assert.equal(calls.length, 1)
  }

  function assertEndsWithGrant(records: readonly Record<string, unknown>[], state: string): void {
    const [record] = records.filter(({ type }) => type === 'issued')
    const file = scene.file(state)
    const [event] = file.rows('break_glass_events')
    const [request] = file.rows('requests')
    const [review] = file.rows('request_reviews')
    const start = Date.parse(String(event ? event.started_at : review?.created_at))
    const end = start + Number((event ?? request)?.duration) * 1000
    assert.ok(Date.parse(String(record?.expires_at)) <= end, `${record?.expires_at} is after it`)
    assert.equal(record?.grant_store, `sqlite:${scene.scene.home}/${state}/sentinel/sentinel.db`)
  }
})

type Records = readonly Record<string, unknown>[]

/** The one decision that a run has recorded. */
function decisionIn(records: Records): Record<string, unknown> {
  const [decision, ...others] = records.filter(
    ({ type }) => type === 'issued' || type === 'refused',
  )
  assert.deepEqual(others, [])
  return decision ?? assert.fail('nothing was decided')
}

interface Expected {
  readonly records: readonly Record<string, unknown>[]
  readonly expected: Readonly<Record<string, unknown>>
  readonly basis: 'policy' | Basis
  readonly grantId: string | undefined
  readonly user: string
  readonly key: RegExp
}

function assertIssued(
  { status, stdout, stderr }: Result,
  { records, expected, basis, grantId, user, key }: Expected,
): void {
  assert.equal(status, 0, stderr)
  const [, accessKeyId] = key.exec(stdout) ?? assert.fail(`no key in ${stdout}`)
  const issued = records.filter(({ type }) => type === 'issued')
  assert.equal(issued.length, 1)
  const [record = {}] = issued
  assert.partialDeepStrictEqual(record, { ...expected, basis, user, access_key_id: accessKeyId })
  assert.equal(record.grant_id, grantId)
  assert.equal(record.source_identity, `sentinel=${user}=${basis}=${record.request_id}`)
  assert.equal(records.filter(({ type }) => type === 'refused').length, 0)
}

function assertRefused(
  { status, stdout, stderr }: Result,
  records: readonly Record<string, unknown>[],
  expected: Readonly<Record<string, unknown>>,
): void {
  assert.equal(status, 3, stderr)
  assert.equal(stdout, '')
  assert.match(stderr, /^error: profile prod is refused: /m)
  assert.equal(records.filter(({ type }) => type === 'issued').length, 0)
  const refused = records.filter(({ type }) => type === 'refused')
  assert.equal(refused.length, 1)
  const code = 'POLICY_DENIED'
  assert.partialDeepStrictEqual(refused[0], {
    ...expected,
    basis: 'policy',
    outcome: 'refused',
    code,
  })
  assert.equal(refused[0]?.grant_id, undefined)
}
