import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { PutParameterCommand } from '@aws-sdk/client-ssm'
import {
  AssumeRoleCommand,
  AssumeRoleWithWebIdentityCommand,
  GetCallerIdentityCommand,
} from '@aws-sdk/client-sts'
import { cloudTrailEvents } from '../../src/demo/cloudtrail.ts'
import type { StandInAWS } from '../../src/demo/stand-in-aws.ts'
import { CI_TOKEN, DEMO_KEYS, ROLES } from '../../src/demo/world.ts'
import { keyOf, openStory, ssmAs, stsAs } from './story.ts'

const SOURCE_IDENTITY = 'sentinel=alice=policy=abcdefghij0123456789'
const PRINCIPALS = '111122223333'
const PROD = '444455556666'

/** Alice assumes Prod, and makes one call with what she got: that is returned. */
async function assumeAndLook(aws: StandInAWS) {
  const { Credentials } = await stsAs(aws, DEMO_KEYS.alice).send(
    new AssumeRoleCommand({
      RoleArn: ROLES.prod,
      RoleSessionName: 'alice-abcdefghij0123456789',
      SourceIdentity: SOURCE_IDENTITY,
      DurationSeconds: 900,
    }),
  )
  const key = keyOf(Credentials)
  await stsAs(aws, key).send(new GetCallerIdentityCommand())
  return key
}

suite('CloudTrail of the stand-in AWS', () => {
  test("shows AssumeRole in the caller's trail, with what was asked and issued", async () => {
    await using aws = await openStory()
    const key = await assumeAndLook(aws)
    const [event, ...more] = cloudTrailEvents(aws.journal, PRINCIPALS)
    assert.equal(more.length, 0)
    assert.partialDeepStrictEqual(event, {
      eventName: 'AssumeRole',
      eventSource: 'sts.amazonaws.com',
      awsRegion: 'eu-central-1',
      sourceIPAddress: '127.0.0.1',
      userIdentity: {
        type: 'IAMUser',
        arn: 'arn:aws:iam::111122223333:user/alice',
        accountId: PRINCIPALS,
        accessKeyId: DEMO_KEYS.alice.accessKeyId,
        userName: 'alice',
      },
      requestParameters: {
        roleArn: ROLES.prod,
        roleSessionName: 'alice-abcdefghij0123456789',
        sourceIdentity: SOURCE_IDENTITY,
        durationSeconds: 900,
      },
      responseElements: {
        credentials: { accessKeyId: key.accessKeyId },
        assumedRoleUser: {
          arn: 'arn:aws:sts::444455556666:assumed-role/Prod/alice-abcdefghij0123456789',
        },
        sourceIdentity: SOURCE_IDENTITY,
      },
      resources: [{ accountId: PROD, type: 'AWS::IAM::Role', ARN: ROLES.prod }],
      readOnly: true,
      eventType: 'AwsApiCall',
      recipientAccountId: PRINCIPALS,
    })
    assert.match(String(event?.userAgent), /^aws-sdk-js\//)
  })

  test("shows it in the role's trail too, where the caller is only an account", async () => {
    await using aws = await openStory()
    await assumeAndLook(aws)
    const [ours] = cloudTrailEvents(aws.journal, PRINCIPALS)
    const [theirs] = cloudTrailEvents(aws.journal, PROD)
    const { type, arn, accountId } = theirs!.userIdentity as Record<string, string>
    assert.deepEqual([type, arn, accountId], ['AWSAccount', undefined, PRINCIPALS])
    assert.equal(theirs!.sharedEventID, ours?.sharedEventID)
    assert.equal(theirs!.requestID, ours?.requestID)
    assert.notEqual(theirs!.eventID, ours?.eventID)
  })

  test('shows the source identity of every later call of the session', async () => {
    await using aws = await openStory()
    const key = await assumeAndLook(aws)
    const [, later] = cloudTrailEvents(aws.journal, PROD)
    assert.partialDeepStrictEqual(later, {
      eventName: 'GetCallerIdentity',
      userIdentity: {
        type: 'AssumedRole',
        arn: 'arn:aws:sts::444455556666:assumed-role/Prod/alice-abcdefghij0123456789',
        accessKeyId: key.accessKeyId,
        sessionContext: {
          sessionIssuer: { type: 'Role', arn: ROLES.prod, accountId: PROD, userName: 'Prod' },
          attributes: { mfaAuthenticated: 'false' },
          sourceIdentity: SOURCE_IDENTITY,
        },
      },
      requestParameters: null,
      responseElements: null,
    })
    assert.equal('sharedEventID' in later!, false)
  })

  test('shows refusals, and holds no secret', async () => {
    await using aws = await openStory()
    const key = await assumeAndLook(aws)
    const refused = new AssumeRoleCommand({
      RoleArn: ROLES.legacy,
      RoleSessionName: 'alice',
      SourceIdentity: SOURCE_IDENTITY,
    })
    await assert.rejects(stsAs(aws, DEMO_KEYS.alice).send(refused))
    const ssm = ssmAs(aws, DEMO_KEYS.alice)
    await ssm.send(new PutParameterCommand({ Name: 'x', Value: 'canary', Type: 'String' }))
    const events = cloudTrailEvents(aws.journal, PRINCIPALS)
    assert.partialDeepStrictEqual(events.slice(1), [
      { errorCode: 'AccessDenied', responseElements: null },
      {
        eventSource: 'ssm.amazonaws.com',
        eventName: 'PutParameter',
        readOnly: false,
        requestParameters: { name: 'x', type: 'String' },
      },
    ])
    assert.equal(cloudTrailEvents(aws.journal, PROD).length, 2)
    const text = JSON.stringify(events)
    for (const secret of [key.secretAccessKey, key.sessionToken, 'canary']) {
      assert.ok(!text.includes(secret))
    }
  })

  test('leaves out what nobody was found for, and what never was answered', async () => {
    await using aws = await openStory()
    await fetch(`${aws.url}/?Action=GetCallerIdentity&Version=2011-06-15`)
    aws.script({ outcome: { kind: 'throttling' } })
    await assert.rejects(stsAs(aws, DEMO_KEYS.alice).send(new GetCallerIdentityCommand()))
    assert.equal(aws.journal.length, 2)
    assert.deepEqual(cloudTrailEvents(aws.journal, PRINCIPALS), [])
  })

  test('shows a job of the CI system as a web identity', async () => {
    await using aws = await openStory()
    const command = new AssumeRoleWithWebIdentityCommand({
      RoleArn: ROLES.ci,
      RoleSessionName: 'ci-job',
      WebIdentityToken: CI_TOKEN,
    })
    await stsAs(aws, DEMO_KEYS.alice).send(command)
    const [event] = cloudTrailEvents(aws.journal, '777788889999')
    assert.partialDeepStrictEqual(event, {
      eventName: 'AssumeRoleWithWebIdentity',
      userIdentity: { type: 'WebIdentityUser', userName: 'repo:corp/app:job:deploy' },
      requestParameters: { roleArn: ROLES.ci, roleSessionName: 'ci-job' },
    })
  })

  test("writes an expiration in CloudTrail's own way", async () => {
    const noon = Date.UTC(2026, 0, 4, 11, 50, 7)
    const caller = {
      accessKeyId: DEMO_KEYS.alice.accessKeyId,
      identity: { kind: 'root', account: PRINCIPALS, arn: 'arn', userId: PRINCIPALS },
      issuedAt: 0,
      hasMFA: false,
      isSession: false,
    } as const
    const entry = (expiration: number) => ({
      at: noon,
      requestId: 'id',
      service: 'sts' as const,
      region: 'eu-central-1',
      operation: 'GetSessionToken',
      parameters: {},
      userAgent: '',
      outcome: 'answered' as const,
      caller,
      issued: { accessKeyId: 'ASIADEMO', expiration, identity: caller.identity },
    })
    const times = [noon, noon + 3_600_000, noon + 13 * 3_600_000].map(entry)
    const shown = cloudTrailEvents(times, PRINCIPALS).map(
      ({ responseElements }) =>
        (responseElements as { credentials: { expiration: string } }).credentials.expiration,
    )
    assert.deepEqual(shown, [
      'Jan 4, 2026, 11:50:07 AM',
      'Jan 4, 2026, 12:50:07 PM',
      'Jan 5, 2026, 12:50:07 AM',
    ])
  })
})
