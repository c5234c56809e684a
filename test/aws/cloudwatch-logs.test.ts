import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { CloudWatchReceiver } from '../../src/aws/cloudwatch-logs.ts'
import { Secret } from '../../src/domain/secret.ts'
import { HOUR } from '../../src/domain/time.ts'
import { SentinelError } from '../../src/errors.ts'
import { openHome } from '../fixtures/aws/home.ts'
import { openRoom, QUIETLY } from '../fixtures/aws/room.ts'
import { type Answer, openScriptedServer, type Received } from '../fixtures/aws/scripted-server.ts'
import { NOON } from '../fixtures/policies.ts'

const KEYS = {
  accessKeyId: 'ASIACORP',
  secretAccessKey: new Secret('s3cr3t'),
  sessionToken: new Secret('t0k3n'),
}
const TARGET = { kind: 'cloudwatch', group: '/sentinel/log', stream: 'laptop' } as const
const { signal } = QUIETLY

const answering = (body: object): Answer => ({ body: JSON.stringify(body) })
const failing = (type: string, status = 400): Answer => ({
  status,
  body: JSON.stringify({ __type: type, message: 's3cr3t' }),
})
const operationOf = ({ headers }: Received) =>
  String(headers['x-amz-target']).replace('Logs_20140328.', '')
const eventsOf = ({ body }: Received): { message: string; timestamp: number }[] =>
  JSON.parse(body).logEvents

const line = (text: string, time: number) => ({ text, time })
const LINES = [line('{"seq":1}', NOON), line('{"seq":2}', NOON + 5)]

interface Options {
  readonly credentials?: () => Promise<typeof KEYS>
  readonly timeoutMs?: number
}

/** A stream of a CloudWatch Logs that answers as `script` says. */
async function openReceiver(
  script: (request: Received, before: number) => Answer | 'hang',
  { credentials = async () => KEYS, ...options }: Options = {},
) {
  await using stack = new AsyncDisposableStack()
  let before = 0
  const server = stack.use(await openScriptedServer((request) => script(request, before++)))
  stack.use(openHome({}, { AWS_ENDPOINT_URL_CLOUDWATCH_LOGS: server.url }))
  const { transport } = stack.use(openRoom())
  const receiver = new CloudWatchReceiver({
    target: TARGET,
    transport,
    region: 'eu-central-1',
    profile: 'default',
    credentials,
    ...options,
  })
  const opened = stack.move()
  return { receiver, server, [Symbol.asyncDispose]: () => opened.disposeAsync() }
}

suite('CloudWatchReceiver', () => {
  test('puts the lines as they are, with the times of their records', async () => {
    await using world = await openReceiver(() => answering({}))
    assert.equal(await world.receiver.send(LINES, signal), undefined)
    const [request = assert.fail('nothing came'), ...more] = world.server.received
    assert.deepEqual(more, [])
    assert.equal(operationOf(request), 'PutLogEvents')
    assert.match(String(request.headers.authorization), /ASIACORP\/\d+\/eu-central-1\/logs/)
    assert.deepEqual(JSON.parse(request.body), {
      logGroupName: '/sentinel/log',
      logStreamName: 'laptop',
      logEvents: [
        { message: '{"seq":1}', timestamp: NOON },
        { message: '{"seq":2}', timestamp: NOON + 5 },
      ],
    })
  })

  test('puts them in the order of their times, and those of one time in that of the log', async () => {
    await using world = await openReceiver(() => answering({}))
    const lines = [line('c', NOON + 9), line('a', NOON), line('d', NOON + 9), line('b', NOON)]
    await world.receiver.send(lines, signal)
    const [request = assert.fail('nothing came')] = world.server.received
    assert.equal(
      eventsOf(request)
        .map(({ message }) => message)
        .join(''),
      'abcd',
    )
  })

  test('puts no more than a day into one call', async () => {
    await using world = await openReceiver(() => answering({}))
    const lines = [0, 23, 24, 47, 48, 200].map((hours) => line(`${hours}`, NOON + hours * HOUR))
    await world.receiver.send(lines, signal)
    const calls = world.server.received.map((request) =>
      eventsOf(request).map(({ message }) => message),
    )
    assert.deepEqual(calls, [['0', '23'], ['24', '47'], ['48'], ['200']])
  })

  test('makes the stream when it is not there, once', async () => {
    await using world = await openReceiver((_, before) =>
      before === 0 ? failing('ResourceNotFoundException') : answering({}),
    )
    await world.receiver.send(LINES, signal)
    assert.deepEqual(world.server.received.map(operationOf), [
      'PutLogEvents',
      'CreateLogStream',
      'PutLogEvents',
    ])
  })

  test('is content with a stream that another has made', async () => {
    const answers = [
      failing('ResourceNotFoundException'),
      failing('ResourceAlreadyExistsException'),
      answering({}),
    ]
    await using world = await openReceiver((_, before) => answers[before] ?? answering({}))
    await world.receiver.send(LINES, signal)
    assert.equal(world.server.received.length, 3)
  })

  const REJECTED: [info: object, count: number, why: RegExp][] = [
    [{ tooOldLogEventEndIndex: 1 }, 1, /^older than 14 days, or than the log group keeps$/],
    [{ expiredLogEventEndIndex: 2, tooOldLogEventEndIndex: 1 }, 2, /^older/],
    [{ tooNewLogEventStartIndex: 1 }, 1, /^more than 2 hours ahead/],
    [{ tooOldLogEventEndIndex: 1, tooNewLogEventStartIndex: 1 }, 2, /^older.*; more than 2 hours/],
  ]
  for (const [rejectedLogEventsInfo, count, why] of REJECTED) {
    test(`tells that it let go ${JSON.stringify(rejectedLogEventsInfo)}`, async () => {
      await using world = await openReceiver(() => answering({ rejectedLogEventsInfo }))
      const dropped = await world.receiver.send(LINES, signal)
      assert.equal(dropped?.count, count)
      assert.match(dropped?.why ?? '', why)
    })
  }

  test('tells of nothing where nothing was let go', async () => {
    await using world = await openReceiver(() => answering({ rejectedLogEventsInfo: {} }))
    assert.equal(await world.receiver.send(LINES, signal), undefined)
  })

  const FAILURES: [what: string, answer: Answer, code: string, hint: RegExp][] = [
    [
      'a group that is not there',
      failing('ResourceNotFoundException'),
      'SHIPPING_REFUSED',
      /make the log group \/sentinel\/log/,
    ],
    [
      'a permission that is missing',
      failing('AccessDeniedException'),
      'SHIPPING_REFUSED',
      /logs:PutLogEvents and logs:CreateLogStream/,
    ],
    ['a wrong name', failing('InvalidParameterException'), 'SHIPPING_REFUSED', /log_ship/],
    ['ended credentials', failing('ExpiredTokenException'), 'SHIPPING_FAILED', /log in again/],
    ['throttling', failing('ThrottlingException'), 'SHIPPING_FAILED', /waits meanwhile/],
    ['a fault', failing('ServiceUnavailableException', 500), 'SHIPPING_FAILED', /waits meanwhile/],
    ['no JSON', { status: 502, body: 'It works!' }, 'SHIPPING_FAILED', /waits meanwhile/],
  ]
  for (const [what, answer, code, hint] of FAILURES) {
    test(`makes ${code} of ${what}`, async () => {
      await using world = await openReceiver(() => answer)
      const error = await world.receiver.send(LINES, signal).catch((caught: unknown) => caught)
      assert.ok(error instanceof SentinelError)
      assert.equal(error.code, code)
      assert.match(error.message, /^cloudwatch:\/sentinel\/log\/laptop did not take the log: /)
      assert.match(error.hint ?? '', hint)
      assert.doesNotMatch(JSON.stringify([error, error.message, error.cause]), /s3cr3t|t0k3n/)
    })
  }

  test('says why there are no credentials', async () => {
    const gone = new SentinelError('BASE_CREDENTIALS_EXPIRED', 'they ended', { hint: 'log in' })
    const credentials = () => Promise.reject(gone)
    await using world = await openReceiver(() => answering({}), { credentials })
    await assert.rejects(world.receiver.send(LINES, signal), {
      code: 'SHIPPING_FAILED',
      message: 'cloudwatch:/sentinel/log/laptop was not called: they ended',
      hint: 'log in',
    })
    assert.deepEqual(world.server.received, [])
  })

  test('gives up on who does not answer in time', async () => {
    await using world = await openReceiver(() => 'hang', { timeoutMs: 50 })
    await assert.rejects(world.receiver.send(LINES, signal), { code: 'SHIPPING_FAILED' })
  })

  test('stops when the time for it is over', async () => {
    await using world = await openReceiver(() => 'hang')
    const controller = new AbortController()
    const sending = world.receiver.send(LINES, controller.signal)
    setTimeout(() => controller.abort(), 20)
    await assert.rejects(sending, { code: 'SHIPPING_FAILED' })
  })
})
