import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { SentinelError } from '../../src/errors.ts'
import {
  type CredentialServerOptions,
  credentialHandler,
} from '../../src/server/credential-server.ts'
import type { Middleware } from '../../src/server/handler.ts'
import {
  CHAINS,
  exchange,
  gatewayOptions,
  openGateway,
  requestText,
  SERVED,
  splitAnswers,
  TOKEN,
} from './gateway.ts'

interface Answer {
  readonly status: number
  readonly body: unknown
}

interface Client extends AsyncDisposable {
  readonly peers: string[]
  readonly bugs: unknown[]
  get(token?: string): Promise<Answer>
}

type Overrides = Partial<CredentialServerOptions>

/** The same requests, once straight into the handler and once over a real socket. */
const transports: Record<string, (overrides?: Overrides) => Promise<Client>> = {
  async 'in process'(overrides) {
    const { options, peers, bugs } = gatewayOptions()
    const handler = credentialHandler('127.0.0.1:1', { ...options, ...overrides })
    return {
      peers,
      bugs,
      async get(token) {
        const { status, body } = await handler({
          method: 'GET',
          target: '/credentials',
          httpVersion: '1.1',
          headers: new Map([
            ['host', ['127.0.0.1:1']],
            ...(token === undefined ? [] : [['authorization', [token]] as const]),
          ]),
          peer: async () => 'unknown',
        })
        return { status, body: JSON.parse(body) }
      },
      async [Symbol.asyncDispose]() {},
    }
  },
  async 'over a socket'(overrides) {
    const gateway = await openGateway(overrides)
    return {
      peers: gateway.peers,
      bugs: gateway.bugs,
      async get(token) {
        const headers = [`Host: ${gateway.address}`]
        if (token !== undefined) headers.push(`Authorization: ${token}`)
        const text = requestText(gateway.port, { headers })
        const [answer] = splitAnswers(await exchange(gateway.port, text, { answers: 1 }))
        assert.ok(answer)
        return { status: answer.status, body: JSON.parse(answer.body) }
      },
      [Symbol.asyncDispose]: () => gateway[Symbol.asyncDispose](),
    }
  },
}

const refusing = (error: unknown): Overrides => ({
  supply: {
    serve: async () => {
      throw error
    },
  },
})

const ways = Object.entries(transports).flatMap(([transport, open]) =>
  Object.entries(CHAINS).map(([kind, layers]) => ({
    name: `${kind}, ${transport}`,
    connect: (overrides: Overrides = {}) =>
      open({ ...overrides, layers: [...layers, ...(overrides.layers ?? [])] }),
  })),
)

for (const { name, connect } of ways) {
  suite(`credential server, ${name}`, () => {
    test('serves the request with the token, and tells the supply of the peer', async () => {
      await using client = await connect()
      assert.deepEqual(await client.get(TOKEN), { status: 200, body: SERVED })
      assert.deepEqual(client.peers, ['unknown'])
    })

    for (const [what, token] of [
      ['without a token', undefined],
      ['with an empty token', ''],
      ['with another token', TOKEN.replace('d', 'e')],
      ['with a scheme before the token', `Bearer ${TOKEN}`],
      ['with more behind the token', `${TOKEN}x`],
    ] as const) {
      test(`refuses a request ${what}, before the supply`, async () => {
        await using client = await connect()
        assert.equal((await client.get(token)).status, 401)
        assert.deepEqual(client.peers, [])
      })
    }

    test('answers a refusal of the policy with its reason', async () => {
      const denied = new SentinelError('POLICY_DENIED', 'arn:aws:iam::1:role/x is refused', {
        reply: 'outside of office hours',
      })
      await using client = await connect(refusing(denied))
      assert.deepEqual(await client.get(TOKEN), {
        status: 403,
        body: {
          Code: 'PolicyDenied',
          Message: 'outside of office hours',
          code: 'PolicyDenied',
          message: 'outside of office hours',
        },
      })
      assert.deepEqual(client.bugs, [])
    })

    test('keeps a message that is not meant for clients to itself', async () => {
      const failed = new SentinelError('LOG_UNAVAILABLE', 'cannot write /home/alice/decisions')
      await using client = await connect(refusing(failed))
      assert.partialDeepStrictEqual(await client.get(TOKEN), {
        status: 503,
        body: { Code: 'LogUnavailable', Message: 'the decision log cannot be written' },
      })
    })

    test('says of a bug only that there is one', async () => {
      const bug = new TypeError('x is not a function')
      await using client = await connect(refusing(bug))
      assert.partialDeepStrictEqual(await client.get(TOKEN), {
        status: 500,
        body: { Code: 'InternalError', Message: 'internal error' },
      })
      assert.deepEqual(client.bugs, [bug])
    })

    test('lets added layers see a request between the guard and the supply', async () => {
      const seen: string[] = []
      const layer =
        (name: string): Middleware =>
        (next) =>
        async (request) => {
          seen.push(name)
          const reply = await next(request)
          seen.push(`${name} ${reply.status}`)
          return reply
        }
      await using client = await connect({ layers: [layer('outer'), layer('inner')] })

      await client.get('wrong')
      assert.deepEqual(seen, [])
      await client.get(TOKEN)
      assert.deepEqual(seen, ['outer', 'inner', 'inner 200', 'outer 200'])
      assert.equal(client.peers.length, 1)
    })
  })
}
