import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { Secret } from '../../../src/domain/secret.ts'
import { requireToken } from '../../../src/server/middleware/require-token.ts'
import { TOKEN } from '../gateway.ts'

const served = { status: 200, body: '{}' } as const
const handler = requireToken(new Secret(TOKEN))(async () => served)

const withTokens = (...values: string[]) => ({
  method: 'GET',
  target: '/credentials',
  httpVersion: '1.1',
  headers: new Map(values.length > 0 ? [['authorization', values]] : []),
  peer: async () => 'same' as const,
})

suite('requireToken', () => {
  test('lets the token pass, again and again', async () => {
    for (const _turn of [1, 2, 3]) assert.equal(await handler(withTokens(TOKEN)), served)
  })

  for (const [what, values] of Object.entries({
    'no token': [],
    'an empty one': [''],
    'the token twice': [TOKEN, TOKEN],
    'the token after another': ['x', TOKEN],
    'all but the last character': [TOKEN.slice(0, -1)],
    'one character more': [`${TOKEN}A`],
    'the token with the last character changed': [`${TOKEN.slice(0, -1)}A`],
    'a very long one': [TOKEN.repeat(1000)],
    'one that is not ASCII': ['\u{1f600}'],
  })) {
    test(`refuses ${what}, also after the right one`, async () => {
      await handler(withTokens(TOKEN))
      await assert.rejects(handler(withTokens(...values)), { code: 'UNAUTHORIZED' })
    })
  }

  test('is not made of anything but 32 bytes in base64url', () => {
    for (const text of ['', 'short', `${TOKEN}=`, `${TOKEN.slice(1)}+`, `${TOKEN}\n`]) {
      assert.throws(() => requireToken(new Secret(text)), /32 random bytes/)
    }
  })
})
