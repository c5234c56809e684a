import assert from 'node:assert/strict'
import { beforeEach, suite, test } from 'node:test'
import { SentinelError } from '../../../src/errors.ts'
import { credentialHandler } from '../../../src/server/credential-server.ts'
import type { HttpRequest } from '../../../src/server/handler.ts'
import { trackSession } from '../../../src/server/middleware/track-session.ts'
import { gatewayOptions, SERVED, TOKEN } from '../gateway.ts'

const END = Date.parse(SERVED.Expiration)
const revoked = new SentinelError('SESSION_REVOKED', 'bob revoked 00000000000a11ce', {
  reply: 'the session was revoked: laptop stolen',
})

/** A session that can be revoked, and whatever was asked of it. */
class FakeSession {
  readonly calls: string[] = []
  readonly touches: number[] = []
  error: SentinelError | undefined

  assertLive(): void {
    this.calls.push('assertLive')
    if (this.error) throw this.error
  }

  touch(expiration: number): void {
    this.calls.push('touch')
    this.touches.push(expiration)
  }
}

const request = (token = TOKEN): HttpRequest => ({
  method: 'GET',
  target: '/credentials',
  httpVersion: '1.1',
  headers: new Map([
    ['host', ['127.0.0.1:1']],
    ['authorization', [token]],
  ]),
  peer: async () => 'same',
})

let session: FakeSession

/** The whole way of a request, with the session on it, and `serve` at its end. */
function gateway(serve?: () => Promise<never>) {
  const { options, peers } = gatewayOptions()
  const handler = credentialHandler('127.0.0.1:1', {
    ...options,
    ...(serve && { supply: { serve } }),
    layers: [trackSession(session)],
  })
  return { handler, peers }
}

suite('trackSession', () => {
  beforeEach(() => {
    session = new FakeSession()
  })

  test('counts a credential that is handed out, until when its body says it lives', async () => {
    const reply = await gateway().handler(request())
    assert.equal(reply.status, 200)
    assert.deepEqual(session.touches, [END])
    assert.deepEqual(session.calls, ['assertLive', 'assertLive', 'touch'])
  })

  test('counts each of them once', async () => {
    const { handler } = gateway()
    await Promise.all([handler(request()), handler(request()), handler(request())])
    assert.deepEqual(session.touches, [END, END, END])
  })

  for (const [what, error, status] of [
    ['a refusal of the policy', new SentinelError('POLICY_DENIED', 'x'), 403],
    ['credentials that could not be had', new SentinelError('STS_UNAVAILABLE', 'x'), 503],
    ['a bug', new TypeError('x is not a function'), 500],
  ] as const) {
    test(`does not count ${what}`, async () => {
      const { handler } = gateway(async () => {
        throw error
      })
      assert.equal((await handler(request())).status, status)
      assert.deepEqual(session.touches, [])
    })
  }

  test('hears nothing of a request with a wrong token', async () => {
    const reply = await gateway().handler(request(TOKEN.toUpperCase()))
    assert.equal(reply.status, 401)
    assert.deepEqual(session.calls, [])
  })

  test('hears nothing of another user’s request', async () => {
    const reply = await gateway().handler({ ...request(), peer: async () => 'other' })
    assert.equal(reply.status, 401)
    assert.deepEqual(session.calls, [])
  })

  test('stops at a session that was revoked, before the supply, and says why', async () => {
    session.error = revoked
    const { handler, peers } = gateway()
    const reply = await handler(request())
    assert.equal(reply.status, 403)
    assert.match(reply.body, /"the session was revoked: laptop stolen"/)
    assert.deepEqual(peers, [])
    assert.deepEqual(session.touches, [])
  })

  test('holds back what was made while the session was revoked, and does not count it', async () => {
    const { options } = gatewayOptions()
    const { serve } = options.supply
    const handler = credentialHandler('127.0.0.1:1', {
      ...options,
      supply: {
        async serve(peer) {
          session.error = revoked
          return serve(peer)
        },
      },
      layers: [trackSession(session)],
    })
    const reply = await handler(request())
    assert.equal(reply.status, 403)
    assert.doesNotMatch(reply.body, /CANARY/)
    assert.deepEqual(session.touches, [])
  })

  test('has a name in stack traces', () => {
    assert.equal(
      trackSession(session)(async () => ({ status: 200, body: '' })).name,
      'trackSession',
    )
  })
})
