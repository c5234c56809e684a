import assert from 'node:assert/strict'
import { beforeEach, suite, test } from 'node:test'
import type { Assessment } from '../../src/app/assessment.ts'
import { DecisionRecorder } from '../../src/app/decision-recorder.ts'
import type { SessionId } from '../../src/domain/session.ts'
import { HOUR } from '../../src/domain/time.ts'
import { type ErrorCode, SentinelError } from '../../src/errors.ts'
import { anIdentity, anIssuer } from '../fixtures/app/issuing.ts'
import { keys, session } from '../fixtures/app/profiles.ts'
import { World } from '../fixtures/app/world.ts'
import { aPolicy, NOON, PROD } from '../fixtures/policies.ts'

const ID = 'mzxw6ytboi3damrqgaya'
const CONTEXT = {
  profile: 'prod',
  mode: 'server',
  version: '0.1.0',
  endpointOverride: false,
} as const

const SESSION = {
  id: '00000000000a11ce' as SessionId,
  store: 'dynamodb:eu-central-1:sentinel-sessions',
  isUnverified: false,
}

let world: World
let recorder: DecisionRecorder
let assessment: Assessment

suite('DecisionRecorder', () => {
  beforeEach(async () => {
    world = new World()
    recorder = new DecisionRecorder(world.log, world.clock, { ...CONTEXT, roleArn: PROD })
    assessment = (await anIssuer(world)).assess()
  })

  const issuance = { requestId: ID, accessKeyId: 'ASIAISSUED1', duration: 900, expiration: NOON }

  test('says once and for all records what the run is', () => {
    const context = { ...CONTEXT, endpointOverride: true, session: () => SESSION }
    new DecisionRecorder(world.log, world.clock, context).start()
    assert.deepEqual(world.log.records, [
      {
        type: 'start',
        time: '2026-01-14T12:00:00.000Z',
        profile: 'prod',
        mode: 'server',
        endpoint_override: true,
        session_id: '00000000000a11ce',
        version: '0.1.0',
      },
    ])
  })

  test('says of what was issued where the session is tracked, and when nobody could look', async () => {
    let isUnverified = false
    const session = () => ({ ...SESSION, isUnverified })
    recorder = new DecisionRecorder(world.log, world.clock, { ...CONTEXT, session })
    await recorder.issued(assessment, issuance)
    isUnverified = true
    await recorder.issued(assessment, issuance)

    const tracked = { session_id: SESSION.id, session_store: SESSION.store }
    const [verified, unverified] = world.log.of('issued')
    assert.partialDeepStrictEqual(verified, tracked)
    assert.equal(verified?.stale_session, undefined)
    assert.partialDeepStrictEqual(unverified, { ...tracked, stale_session: true })
  })

  test('records the life of a session: made, seen revoked, ended', async () => {
    const session = () => SESSION
    recorder = new DecisionRecorder(world.log, world.clock, { ...CONTEXT, session })
    const revoked = new SentinelError('SESSION_REVOKED', 'session 00…ce was revoked by bob: lost')

    recorder.sessionCreated(anIdentity(), ID)
    await recorder.sessionRevoked(revoked, anIdentity())
    await recorder.sessionEnded('SIGTERM')

    const common = { session_id: SESSION.id, session_store: SESSION.store, profile: 'prod' }
    assert.partialDeepStrictEqual(world.log.records, [
      { ...common, type: 'session.created', user: 'alice', server_instance_id: ID },
      {
        ...common,
        type: 'revoked',
        user: 'alice',
        outcome: 'refused',
        code: 'SESSION_REVOKED',
        reason: revoked.message,
      },
      { ...common, type: 'session.ended', reason: 'SIGTERM' },
    ])
  })

  test('leaves the end of the session to the end of the log, where the disk is full', async (t) => {
    t.mock.method(world.log, 'append', async () => {
      throw new SentinelError('LOG_UNAVAILABLE', 'no space left')
    })
    await recorder.sessionEnded('SIGTERM')
    assert.partialDeepStrictEqual(world.log.records, [{ type: 'session.ended', reason: 'SIGTERM' }])
  })

  test('writes AWS time, and local time when the clock is off', () => {
    world.clock.offset = HOUR
    recorder.start()
    world.clock.isSkewed = true
    recorder.start()
    assert.deepEqual(
      world.log.records.map(({ time }) => time),
      ['2026-01-14T13:00:00.000Z', '2026-01-14T12:00:00.000Z'],
    )
  })

  test('is done when the record is durable', async () => {
    const { promise, resolve } = Promise.withResolvers<void>()
    world.log.append = () => promise
    let isDone = false
    const recording = recorder.issued(assessment, issuance).then(() => {
      isDone = true
    })
    await Promise.resolve()
    assert.equal(isDone, false)
    resolve()
    await recording
  })

  test('names the stamp that STS may have seen, also of what failed', async () => {
    const error = new SentinelError('STS_UNAVAILABLE', 'STS did not answer')
    await recorder.refused(error, ID, assessment)
    assert.partialDeepStrictEqual(world.log.records, [
      { outcome: 'failed', source_identity: `sentinel=alice=policy=${ID}`, request_id: ID },
    ])
  })

  test('names no stamp where there is none', async () => {
    const target = { account: '111122223333', stamped: false }
    const identity = anIdentity({ resolved: { base: keys() }, target })
    await recorder.issued({ ...assessment, identity }, issuance)
    const refused = (await anIssuer(world, { policy: aPolicy() })).assess()
    await recorder.refused(new SentinelError('POLICY_DENIED', 'refused'), ID, refused)
    for (const record of world.log.records) assert.equal(record.source_identity, undefined)
    assert.equal(world.log.records[0]?.stamped, false)
  })

  test('names the role that was served, and until that is known the one of the profile', async () => {
    const error = new SentinelError('STS_UNAVAILABLE', 'STS did not answer')
    const roleArn = 'arn:aws:iam::444455556666:role/CI'
    const target = { roleArn, account: '444455556666', stamped: false }
    await recorder.refused(error, ID, {})
    await recorder.refused(error, ID, { identity: anIdentity({ target }) })
    assert.deepEqual(
      world.log.records.map(({ role_arn }) => role_arn),
      [PROD, roleArn],
    )
  })

  test('says that a policy was stale', async () => {
    await recorder.issued({ ...assessment, isStale: true }, issuance)
    assert.equal(world.log.records[0]?.stale_policy, true)
  })

  const outcomes: [code: ErrorCode, outcome: 'refused' | 'failed'][] = [
    ['POLICY_DENIED', 'refused'],
    ['PRINCIPAL_CHANGED', 'refused'],
    ['DURATION_TOO_SHORT', 'refused'],
    ['STS_UNAVAILABLE', 'failed'],
    ['LOG_UNAVAILABLE', 'failed'],
    ['POLICY_INVALID', 'failed'],
    ['BASE_CREDENTIALS_EXPIRED', 'failed'],
  ]
  for (const [code, outcome] of outcomes) {
    test(`calls ${code} ${outcome}, and its repeats too`, async () => {
      const error = new SentinelError(code, 'the reason')
      await recorder.refused(error, ID, {})
      recorder.repeated(error, ID, 3)
      assert.partialDeepStrictEqual(world.log.records, [
        { type: 'refused', outcome, code, reason: 'the reason' },
        { type: 'refused', outcome, code, of: ID, repeats: 3 },
      ])
    })
  }

  test('says whose its counts are, once that is known', async () => {
    const error = new SentinelError('POLICY_DENIED', 'refused')
    await recorder.refused(error, ID, {})
    recorder.repeated(error, ID, 1)
    await recorder.issued(assessment, issuance)
    recorder.repeated(error, ID, 2)
    recorder.served(ID, 3)
    const [, nobody, , ...counts] = world.log.records.map(({ user, person }) => [user, person])
    assert.deepEqual(nobody, [undefined, undefined])
    assert.deepEqual(counts, Array(2).fill(['alice', 'iam:111122223333/alice']))
  })

  test('I6: holds no secret, whatever it is given', async () => {
    const base = session('ASIA1', NOON + HOUR)
    const identity = anIdentity({ resolved: { base, role: { arn: PROD } } })
    await recorder.issued({ ...assessment, identity }, issuance)
    assert.doesNotMatch(JSON.stringify(world.log.records), /secret|token of|ASIA1\b/)
  })
})
