import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import type { SessionCredentials } from '../../src/domain/credentials.ts'
import { Secret } from '../../src/domain/secret.ts'
import type { HttpRequest } from '../../src/server/handler.ts'
import type { Peer } from '../../src/server/peer-owner.ts'
import { serveCredentials } from '../../src/server/serve-credentials.ts'
import { credentials, NOW, SERVED } from './gateway.ts'

const requestOf = (peer: Peer): HttpRequest => ({
  method: 'GET',
  target: '/credentials',
  httpVersion: '1.1',
  headers: new Map(),
  peer: async () => peer,
})

/** A handler over one set of credentials, at a time that can be moved. */
function serving(overrides: Partial<SessionCredentials> = {}) {
  const served: SessionCredentials = { ...credentials, ...overrides }
  const clock = { now: NOW, aws: () => clock.now }
  const peers: string[] = []
  const supply = {
    serve: async (peer: string) => {
      peers.push(peer)
      return served
    },
  }
  return { handler: serveCredentials(supply, clock), clock, peers }
}

suite('serveCredentials', () => {
  test('writes the five fields, the end rounded down to seconds', async () => {
    const reply = await serving().handler(requestOf('same'))
    assert.equal(reply.status, 200)
    assert.deepEqual(JSON.parse(reply.body), SERVED)
    assert.equal(reply.expiration, Date.parse(SERVED.Expiration))
  })

  test('turns the same credentials into text once', async () => {
    const { handler } = serving({
      secretAccessKey: new (class extends Secret {
        #revealed = 0
        override reveal(): string {
          this.#revealed += 1
          assert.equal(this.#revealed, 1)
          return super.reveal()
        }
      })('secret'),
    })
    const first = await handler(requestOf('same'))
    assert.deepEqual(await handler(requestOf('same')), first)
  })

  test('never says credentials that have ended, by the second it would write', async () => {
    const { handler, clock } = serving()
    clock.now = Date.parse(SERVED.Expiration) - 1
    assert.equal((await handler(requestOf('same'))).status, 200)
    // The credentials have 999 ms left; what the body would say has not.
    clock.now += 1
    await assert.rejects(handler(requestOf('same')), /have expired/)
  })

  for (const [what, overrides] of Object.entries({
    AccessKeyId: { accessKeyId: '' },
    SecretAccessKey: { secretAccessKey: new Secret('') },
    Token: { sessionToken: new Secret('') },
    AccountId: { accountId: '' },
  } satisfies Record<string, Partial<SessionCredentials>>)) {
    test(`never says credentials without ${what}`, async () => {
      const { handler } = serving(overrides)
      await assert.rejects(handler(requestOf('same')), {
        message: `the credentials to be served have no ${what}`,
      })
    })
  }

  test('never says credentials whose end is no time', async () => {
    await assert.rejects(serving({ expiration: Number.NaN }).handler(requestOf('same')))
  })

  test('asks the supply nothing for another user, whatever stands before it', async () => {
    const { handler, peers } = serving()
    await assert.rejects(handler(requestOf('other')), { code: 'UNAUTHORIZED' })
    assert.deepEqual(peers, [])
  })
})
