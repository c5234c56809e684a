import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { GetParameterCommand } from '@aws-sdk/client-ssm'
import { AssumeRoleCommand, GetCallerIdentityCommand } from '@aws-sdk/client-sts'
import type { StandInAWS } from '../../src/demo/stand-in-aws.ts'
import { DEMO_KEYS, ROLES } from '../../src/demo/world.ts'
import { openStory, ssmAs, stsAs } from './story.ts'

const whoAmI = (aws: StandInAWS, attempts = 1, abortSignal = AbortSignal.timeout(5000)) =>
  stsAs(aws, DEMO_KEYS.alice, { attempts }).send(new GetCallerIdentityCommand(), { abortSignal })
const assume = (aws: StandInAWS) =>
  stsAs(aws, DEMO_KEYS.alice).send(
    new AssumeRoleCommand({ RoleArn: ROLES.prod, RoleSessionName: 'alice' }),
  )

suite('scripted faults of the stand-in AWS', () => {
  test('errors come in the form of the service, and are used up', async () => {
    await using aws = await openStory()
    const ssm = ssmAs(aws, DEMO_KEYS.alice)
    aws.putParameter('x', 'y')
    aws.script({ operation: 'GetCallerIdentity', outcome: { kind: 'throttling' } })
    aws.script({ operation: 'GetParameter', outcome: { kind: 'throttling' } })
    aws.script({ operation: 'GetCallerIdentity', outcome: { kind: 'internal_error' } })
    aws.script({ operation: 'GetParameter', outcome: { kind: 'internal_error' } })

    await assert.rejects(whoAmI(aws), { name: 'Throttling', message: 'Rate exceeded' })
    await assert.rejects(whoAmI(aws), { name: 'InternalFailure', $fault: 'server' })
    await whoAmI(aws)
    const get = () => ssm.send(new GetParameterCommand({ Name: 'x' }))
    await assert.rejects(get(), { name: 'ThrottlingException', message: 'Rate exceeded' })
    await assert.rejects(get(), { name: 'InternalServerError', $fault: 'server' })
    await get()
    assert.deepEqual(
      aws.journal.map(({ outcome }) => outcome),
      ['faulted', 'faulted', 'answered', 'faulted', 'faulted', 'answered'],
    )
  })

  test('are what the retries of the SDK are for', async () => {
    await using aws = await openStory()
    aws.script({ times: 2, outcome: { kind: 'internal_error' } })
    await whoAmI(aws, 3)
    assert.equal(aws.journal.length, 3)
  })

  test('give any code, and no credentials with it', async () => {
    await using aws = await openStory()
    aws.script({ outcome: { kind: 'error', code: 'RegionDisabledException', status: 403 } })
    await assert.rejects(assume(aws), { name: 'RegionDisabledException' })
    assert.equal(aws.journal[0]?.issued, undefined)
    assert.partialDeepStrictEqual(aws.journal[0], {
      outcome: 'faulted',
      errorCode: 'RegionDisabledException',
      parameters: { RoleArn: ROLES.prod },
    })
  })

  test('reset the connection', async () => {
    await using aws = await openStory()
    aws.script({ outcome: { kind: 'reset' } })
    await assert.rejects(whoAmI(aws), { code: 'ECONNRESET' })
    await whoAmI(aws)
  })

  test('never answer, and do not keep the stand-in from closing', async () => {
    await using aws = await openStory()
    aws.script({ outcome: { kind: 'blackhole' } })
    await assert.rejects(whoAmI(aws, 1, AbortSignal.timeout(200)), { name: 'AbortError' })
    aws.script({ latencyMs: 600_000 })
    aws.script({ outcome: { kind: 'blackhole' } })
    const waiting = [whoAmI(aws), whoAmI(aws)]
    while (aws.journal.length < 3) await new Promise(setImmediate)
    await aws[Symbol.asyncDispose]()
    for (const { status } of await Promise.allSettled(waiting)) assert.equal(status, 'rejected')
  })

  test('answer late, after the call was carried out', async () => {
    await using aws = await openStory()
    aws.script({ operation: 'AssumeRole', latencyMs: 300 })
    const start = performance.now()
    const answer = assume(aws)
    while (aws.journal.length === 0) await new Promise(setImmediate)
    assert.ok(aws.journal[0]?.issued)
    await answer
    assert.ok(performance.now() - start >= 290)
  })

  test('answer garbage', async () => {
    await using aws = await openStory()
    aws.script({ outcome: { kind: 'garbage' } })
    await assert.rejects(whoAmI(aws), Error)
    assert.equal(aws.journal[0]?.outcome, 'faulted')
  })

  test('answer for another role than the one assumed', async () => {
    await using aws = await openStory()
    const assumedRoleArn = 'arn:aws:sts::444455556666:assumed-role/Admin/alice'
    aws.script({ operation: 'AssumeRole', outcome: { kind: 'wrong_role', assumedRoleArn } })
    assert.equal((await assume(aws)).AssumedRoleUser?.Arn, assumedRoleArn)
    assert.notEqual((await assume(aws)).AssumedRoleUser?.Arn, assumedRoleArn)
  })

  test('strike only the operation that they name, as long as they last', async () => {
    await using aws = await openStory()
    aws.script({ operation: 'AssumeRole', times: Infinity, outcome: { kind: 'throttling' } })
    await whoAmI(aws)
    for (let call = 0; call < 3; call++) await assert.rejects(assume(aws), { name: 'Throttling' })
  })
})
