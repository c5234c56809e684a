import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { Secret } from '../../src/domain/secret.ts'
import { SentinelError } from '../../src/errors.ts'
import { createLogPost } from '../../src/notify/log-post.ts'
import { createPost } from '../../src/notify/post.ts'
import { type Answer, openScriptedServer } from '../fixtures/aws/scripted-server.ts'
import { WAITING } from './receivers.ts'

const PATH = '/in/s3cr3t-path'
const LINES = [
  { text: '{"seq":1,"reason":"\\u00e9"}', time: 1 },
  { text: '{"seq":2}', time: 2 },
]

function receiverAt(url: string, token?: string) {
  const post = createPost({ version: '1.2.3', timeoutMs: 200 })
  const target = { kind: 'url', url } as const
  return createLogPost({ post, target, token: token === undefined ? undefined : new Secret(token) })
}

async function sendTo(answer: Answer | 'hang', token?: string) {
  await using server = await openScriptedServer(() => answer)
  await receiverAt(`${server.url}${PATH}`, token).send(LINES, WAITING)
  return server.received
}

suite('a receiver by https', () => {
  test('is posted the lines as they are, with the token that it knows', async () => {
    const [{ method, path, headers, body } = assert.fail('nothing came')] = await sendTo(
      { status: 204 },
      't0k3n',
    )
    assert.deepEqual({ method, path }, { method: 'POST', path: PATH })
    assert.equal(body, `${LINES.map(({ text }) => text).join('\n')}\n`)
    assert.equal(headers['content-type'], 'application/x-ndjson')
    assert.equal(headers.authorization, 'Bearer t0k3n')
  })

  test('is shown no token where none is set', async () => {
    const [{ headers } = assert.fail('nothing came')] = await sendTo({})
    assert.equal(headers.authorization, undefined)
  })

  const ANSWERS: [status: number, code: string, hint: RegExp][] = [
    [301, 'SHIPPING_FAILED', /redirects are not followed/],
    [400, 'SHIPPING_REFUSED', /log_ship/],
    [401, 'SHIPPING_FAILED', /SENTINEL_LOG_SHIP_TOKEN/],
    [403, 'SHIPPING_FAILED', /SENTINEL_LOG_SHIP_TOKEN/],
    [404, 'SHIPPING_REFUSED', /log_ship/],
    [408, 'SHIPPING_FAILED', /./],
    [413, 'SHIPPING_REFUSED', /512 KiB/],
    [429, 'SHIPPING_FAILED', /./],
    [500, 'SHIPPING_FAILED', /the log waits/],
    [503, 'SHIPPING_FAILED', /the log waits/],
  ]
  for (const [status, code, hint] of ANSWERS) {
    test(`that answers ${status} makes ${code}, naming only the host`, async () => {
      const location = { location: 'http://127.0.0.1:1/s3cr3t' }
      const error = await sendTo({ status, headers: location }, 't0k3n').catch((caught) => caught)
      assert.ok(error instanceof SentinelError)
      assert.equal(error.code, code)
      assert.match(
        error.message,
        new RegExp(`^127\\.0\\.0\\.1:\\d+ answered ${status} to the log$`),
      )
      assert.match(error.hint ?? '', hint)
      assert.doesNotMatch(JSON.stringify([error, error.stack, error.cause]), /s3cr3t|t0k3n/)
    })
  }

  test('that does not answer in time may be tried again', async () => {
    await assert.rejects(sendTo('hang'), {
      code: 'SHIPPING_FAILED',
      message: /^127\.0\.0\.1:\d+ did not answer in time$/,
    })
  })

  test('keeps a token out of errors that cannot be a header', async () => {
    await using server = await openScriptedServer(() => ({}))
    const sending = receiverAt(`${server.url}${PATH}`, 't0k3n\n').send(LINES, WAITING)
    const error = await sending.catch((caught: unknown) => caught)
    assert.ok(error instanceof SentinelError)
    assert.equal(error.code, 'SHIPPING_FAILED')
    assert.doesNotMatch(JSON.stringify([error, error.stack, error.cause]), /s3cr3t|t0k3n/)
    assert.deepEqual(server.received, [])
  })

  test('is not plain http elsewhere', async () => {
    await assert.rejects(receiverAt('http://logs.example/in').send(LINES, WAITING), {
      code: 'SHIPPING_REFUSED',
      hint: /^correct log_ship/,
    })
  })
})
