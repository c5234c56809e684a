import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import type { Notification } from '../../src/domain/notification.ts'
import { NOTIFY_EVENTS } from '../../src/domain/policy/types.ts'
import { Secret } from '../../src/domain/secret.ts'
import { createNotifier, type NotifierOptions } from '../../src/notify/notifier.ts'
import type { TopicMessage } from '../../src/ports/topic-publisher.ts'
import { type Answer, openScriptedServer } from '../fixtures/aws/scripted-server.ts'
import { NOON } from '../fixtures/policies.ts'
import { aNotification, isSigned, WAITING } from './receivers.ts'

const TOPIC = 'arn:aws:sns:eu-central-1:111122223333:sentinel'

function aNotifier(options: Partial<NotifierOptions> = {}) {
  const topics = { publish: () => assert.fail('no topic is in this') }
  return createNotifier({ version: '1.2.3', now: () => NOON + 999, topics, ...options })
}

/** Sends `notification` to a receiver of `kind` that answers as `script` says. */
async function sendTo(
  kind: 'webhook' | 'slack',
  script: Answer[],
  options: Partial<NotifierOptions & Notification> = {},
) {
  const answers = [...script]
  await using server = await openScriptedServer(() => answers.shift() ?? { status: 200 })
  const target = { kind, address: `${server.url}/hooks/s3cr3t-path` }
  const notification = aNotification({ ...options, target })
  const error = await aNotifier(options)
    .send(notification, WAITING)
    .then(
      () => undefined,
      (caught: unknown) => caught,
    )
  const [received] = server.received
  return { error, received: received ?? assert.fail('nothing came'), port: server.port }
}

function assertFailed(error: unknown, expected: { code: string; message?: string }): void {
  const rethrow = () => {
    throw error
  }
  assert.throws(rethrow, expected)
}

suite('a webhook', () => {
  test('gets what happened as JSON, under the id that tells repeats', async () => {
    const { received } = await sendTo('webhook', [])
    const { headers, body } = received
    assert.deepEqual(JSON.parse(body), {
      version: '1',
      id: 'mzxw6ytboi3damrqgaya',
      event: 'request.created',
      time: '2026-01-14T12:00:00.000Z',
      text: 'Sentinel: access was requested\nrequester: alice\nprofile: prod\nrequired: 2',
      data: { requester: 'alice', profile: 'prod', required: 2 },
    })
    assert.equal(headers['content-type'], 'application/json')
    assert.equal(headers['sentinel-notification-id'], 'mzxw6ytboi3damrqgaya')
    assert.equal(headers['sentinel-event'], 'request.created')
    assert.equal(headers['sentinel-signature'], undefined)
  })

  test('can check who sent it, when, and that nothing was changed', async () => {
    const fields = { justification: 'Überfällig — ☃ \u0000 "quoted"' }
    const { received } = await sendTo('webhook', [], { secret: new Secret('k3y'), fields })
    const signature = String(received.headers['sentinel-signature'])
    assert.match(signature, /^t=1768392000,v1=[0-9a-f]{64}$/)
    assert.ok(isSigned(received.body, signature, 'k3y'))
    assert.ok(!isSigned(received.body, signature, 'another'))
    assert.ok(!isSigned(received.body.replace('created', 'denied'), signature, 'k3y'))
    assert.ok(!isSigned(received.body, signature.replace('1768392000', '1768392001'), 'k3y'))
  })

  for (const status of [200, 201, 202, 204, 299]) {
    test(`has taken it with a ${status}`, async () => {
      const { error } = await sendTo('webhook', [{ status }])
      assert.equal(error, undefined)
    })
  }

  // Who sends decides about 401 and 403: see docs/notifications.md.
  for (const status of [301, 307, 401, 403, 408, 429, 500, 502, 503, 599]) {
    test(`is tried again after a ${status}`, async () => {
      const { error, port } = await sendTo('webhook', [{ status }])
      assertFailed(error, {
        code: 'NOTIFICATION_FAILED',
        message: `webhook 127.0.0.1:${port} answered ${status}`,
      })
    })
  }

  for (const status of [400, 404, 405, 409, 410, 413, 422]) {
    test(`is not tried again after a ${status}`, async () => {
      const { error } = await sendTo('webhook', [{ status, body: 's3cr3t-answer' }])
      assertFailed(error, { code: 'NOTIFICATION_REFUSED' })
    })
  }

  test('gets it, the very same, after it was out of order', async () => {
    const answers = [{ status: 500 }, { status: 200 }]
    await using server = await openScriptedServer(() => answers.shift() ?? assert.fail('too often'))
    const target = { kind: 'webhook', address: `${server.url}/x` } as const
    const notifier = aNotifier()
    await assert.rejects(notifier.send(aNotification({ target }), WAITING), /answered 500/)
    await notifier.send(aNotification({ target }), WAITING)
    const [first, second] = server.received
    assert.deepEqual(second, first)
  })

  test('leaves no secret in an error', async () => {
    const secret = new Secret('s3cr3t-key')
    for (const kind of ['webhook', 'slack'] as const) {
      for (const status of [302, 403, 404, 500]) {
        const answer = { status, body: 's3cr3t-answer', headers: { location: '/s3cr3t-place' } }
        const { error } = await sendTo(kind, [answer], { secret })
        assert.ok(error instanceof Error && 'hint' in error)
        const { message, hint, stack, cause } = error
        assert.doesNotMatch(JSON.stringify([error, message, hint, stack, cause]), /s3cr3t/)
      }
    }
  })
})

suite('a Slack webhook', () => {
  const textOf = async (fields: Notification['fields']): Promise<string> => {
    const { received } = await sendTo('slack', [], { fields, secret: new Secret('k3y') })
    assert.equal(received.headers['sentinel-signature'], undefined)
    const { text, ...rest } = JSON.parse(received.body)
    assert.deepEqual(rest, {})
    return text
  }

  test('gets one message, with a line for each thing that is known', async () => {
    assert.equal(
      await textOf({ request_id: 'mzxw6ytboi3damrqgaya', profile: 'prod' }),
      '*Sentinel: access was requested*\nrequest id: mzxw6ytboi3damrqgaya\nprofile: prod',
    )
  })

  test('mentions nobody and links nowhere by what people wrote', async () => {
    const text = await textOf({ justification: '<!channel> <https://evil|ok> & <@U1>' })
    assert.match(text, /&lt;!channel&gt; &lt;https:\/\/evil\|ok&gt; &amp; &lt;@U1&gt;$/)
  })

  test('gets no line and no character that people made up', async () => {
    const text = await textOf({ justification: 'fine\nprofile: dev\r\u001b[2J\u202Exyz\u2028z' })
    assert.equal(text.split('\n')[1], 'justification: fine profile: dev [2J xyz z')
    assert.equal(text.split('\n').length, 2)
  })

  for (const [status, code] of [
    [403, 'NOTIFICATION_REFUSED'],
    [404, 'NOTIFICATION_REFUSED'],
    [408, 'NOTIFICATION_FAILED'],
    [429, 'NOTIFICATION_FAILED'],
    [503, 'NOTIFICATION_FAILED'],
  ] as const) {
    test(`answering ${status} is ${code}`, async () => {
      const { error } = await sendTo('slack', [{ status }])
      assertFailed(error, { code })
    })
  }
})

suite('a topic', () => {
  test('gets the same JSON, under a subject that e-mail takes', async () => {
    const published: TopicMessage[] = []
    const topics = { publish: async (message: TopicMessage) => void published.push(message) }
    const target = { kind: 'sns', address: TOPIC } as const
    for (const event of NOTIFY_EVENTS) {
      await aNotifier({ topics }).send(aNotification({ target, event }), WAITING)
    }
    assert.equal(published.length, NOTIFY_EVENTS.length)
    for (const [index, { topicArn, subject, event, id, body }] of published.entries()) {
      assert.match(subject, /^[\x20-\x7e]{1,100}$/)
      assert.equal(topicArn, TOPIC)
      assert.equal(event, NOTIFY_EVENTS[index])
      assert.equal(JSON.parse(body).id, id)
    }
  })

  test('fails as its publisher does', async () => {
    const gone = new Error('gone')
    const notifier = aNotifier({ topics: { publish: () => Promise.reject(gone) } })
    const target = { kind: 'sns', address: TOPIC } as const
    await assert.rejects(notifier.send(aNotification({ target }), WAITING), gone)
  })
})
