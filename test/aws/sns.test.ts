import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { SNSTopics } from '../../src/aws/sns.ts'
import { Secret } from '../../src/domain/secret.ts'
import { SentinelError } from '../../src/errors.ts'
import { openHome } from '../fixtures/aws/home.ts'
import { openRoom, QUIETLY } from '../fixtures/aws/room.ts'
import { type Answer, openScriptedServer } from '../fixtures/aws/scripted-server.ts'

const TOPIC = 'arn:aws:sns:us-east-1:111122223333:sentinel'
const KEYS = {
  accessKeyId: 'ASIACORP',
  secretAccessKey: new Secret('s3cr3t'),
  sessionToken: new Secret('t0k3n'),
}
const MESSAGE = {
  topicArn: TOPIC,
  subject: 'Sentinel: access was requested',
  body: '{"id":"mzxw6ytboi3damrqgaya"}',
  event: 'request.created',
  id: 'mzxw6ytboi3damrqgaya',
}
const { signal } = QUIETLY

const XML = { 'content-type': 'text/xml' }
const PUBLISHED: Answer = {
  headers: XML,
  body: '<PublishResponse><PublishResult><MessageId>1</MessageId></PublishResult></PublishResponse>',
}
const failing = (code: string, status: number): Answer => ({
  status,
  headers: XML,
  body: `<ErrorResponse><Error><Type>Sender</Type><Code>${code}</Code><Message>s3cr3t</Message></Error></ErrorResponse>`,
})

interface Options {
  readonly credentials?: () => Promise<typeof KEYS>
  readonly timeoutMs?: number
}

/** Topics of an SNS that gives `answer` to everything. */
async function openTopics(
  answer: Answer | 'hang',
  { credentials = async () => KEYS, ...options }: Options = {},
) {
  await using stack = new AsyncDisposableStack()
  const server = stack.use(await openScriptedServer(() => answer))
  stack.use(openHome({}, { AWS_ENDPOINT_URL_SNS: server.url }))
  const { transport } = stack.use(openRoom())
  const signer = async () => ({ profile: { name: 'default' }, credentials })
  const topics = new SNSTopics({ transport, signer, ...options })
  const opened = stack.move()
  return { topics, server, [Symbol.asyncDispose]: () => opened.disposeAsync() }
}

suite('SNSTopics', () => {
  test('publishes in the region of the topic, with what subscriptions filter by', async () => {
    await using world = await openTopics(PUBLISHED)
    await world.topics.publish(MESSAGE, signal)
    const [{ body, headers } = assert.fail('nothing came')] = world.server.received
    assert.match(String(headers.authorization), /ASIACORP\/\d+\/us-east-1\/sns/)
    const input = Object.fromEntries(new URLSearchParams(body))
    assert.partialDeepStrictEqual(input, {
      Action: 'Publish',
      TopicArn: TOPIC,
      Subject: MESSAGE.subject,
      Message: MESSAGE.body,
      'MessageAttributes.entry.1.Name': 'event',
      'MessageAttributes.entry.1.Value.StringValue': 'request.created',
    })
    assert.equal(input.MessageDeduplicationId, undefined)
  })

  test('lets a FIFO topic tell repeats by the id', async () => {
    await using world = await openTopics(PUBLISHED)
    await world.topics.publish({ ...MESSAGE, topicArn: `${TOPIC}.fifo` }, signal)
    const input = Object.fromEntries(new URLSearchParams(world.server.received[0]?.body))
    assert.equal(input.MessageDeduplicationId, MESSAGE.id)
    assert.equal(input.MessageGroupId, 'request.created')
  })

  const failures: [what: string, answer: Answer, code: string][] = [
    ['no such topic', failing('NotFound', 404), 'NOTIFICATION_REFUSED'],
    ['a message it cannot take', failing('InvalidParameter', 400), 'NOTIFICATION_REFUSED'],
    [
      'no permission, which others may have',
      failing('AuthorizationError', 403),
      'NOTIFICATION_FAILED',
    ],
    ['ended credentials', failing('ExpiredToken', 403), 'NOTIFICATION_FAILED'],
    ['throttling', failing('Throttled', 429), 'NOTIFICATION_FAILED'],
    ['a fault', failing('InternalError', 500), 'NOTIFICATION_FAILED'],
    ['no XML', { status: 502, body: 'It works!' }, 'NOTIFICATION_FAILED'],
  ]
  for (const [what, answer, code] of failures) {
    test(`makes ${code} of ${what}`, async () => {
      await using world = await openTopics(answer)
      const error = await world.topics.publish(MESSAGE, signal).catch((caught: unknown) => caught)
      assert.ok(error instanceof SentinelError)
      assert.equal(error.code, code)
      assert.doesNotMatch(JSON.stringify([error, error.message, error.cause]), /s3cr3t|t0k3n/)
    })
  }

  test('says why there are no credentials, which another machine may have', async () => {
    const gone = new SentinelError('BASE_CREDENTIALS_EXPIRED', 'they ended', { hint: 'log in' })
    await using world = await openTopics(PUBLISHED, { credentials: () => Promise.reject(gone) })
    await assert.rejects(world.topics.publish(MESSAGE, signal), {
      code: 'NOTIFICATION_FAILED',
      message: `sns ${TOPIC} was not called: they ended`,
      hint: 'log in',
    })
  })

  test('gives up on an SNS that never answers', async () => {
    await using world = await openTopics('hang', { timeoutMs: 100 })
    await assert.rejects(world.topics.publish(MESSAGE, signal), { code: 'NOTIFICATION_FAILED' })
  })

  test('stops when the time for it is over', async () => {
    await using world = await openTopics('hang')
    const soon = AbortSignal.timeout(50)
    await assert.rejects(world.topics.publish(MESSAGE, soon), { code: 'NOTIFICATION_FAILED' })
  })
})
