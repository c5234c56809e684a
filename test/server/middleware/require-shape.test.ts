import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import type { HttpRequest } from '../../../src/server/handler.ts'
import { requireShape } from '../../../src/server/middleware/require-shape.ts'

const served = { status: 200, body: '{}' } as const
const handler = requireShape('127.0.0.1:8080')(async () => served)

const good: HttpRequest = {
  method: 'GET',
  target: '/credentials',
  httpVersion: '1.1',
  headers: new Map([
    ['host', ['127.0.0.1:8080']],
    ['authorization', ['x']],
    ['accept', ['*/*']],
  ]),
  peer: async () => 'same',
}

/** The good request with headers added or, when there are no values, left out. */
function withHeader(name: string, ...values: string[]): HttpRequest {
  const headers = new Map([...good.headers, [name, values] as const])
  if (values.length === 0) headers.delete(name)
  return { ...good, headers }
}

// What a parser stricter than ours would never let through is refused here all the same.
suite('requireShape', () => {
  test('lets the one shape pass', async () => {
    assert.equal(await handler(good), served)
    assert.equal(await handler(withHeader('content-length', '0')), served)
  })

  const faults: Record<string, HttpRequest> = {
    'another method': { ...good, method: 'HEAD' },
    'a method in lower case': { ...good, method: 'get' },
    'another target': { ...good, target: '/credentials?' },
    'another version': { ...good, httpVersion: '1.0' },
    'no Host': withHeader('host'),
    'two Hosts': withHeader('host', '127.0.0.1:8080', '127.0.0.1:8080'),
    'another Host': withHeader('host', 'localhost:8080'),
    'no Authorization': withHeader('authorization'),
    'two Authorizations': withHeader('authorization', 'x', 'x'),
    'a body': withHeader('content-length', '1'),
    'a length of 00': withHeader('content-length', '00'),
    'two lengths': withHeader('content-length', '0', '0'),
    'a coding': withHeader('transfer-encoding', 'identity'),
    'an origin': withHeader('origin', 'null'),
    'fetch metadata not known yet': withHeader('sec-fetch-anything', 'x'),
    'a forwarding header not known yet': withHeader('x-forwarded-anything', 'x'),
  }
  for (const [what, request] of Object.entries(faults)) {
    test(`refuses ${what}`, async () => {
      await assert.rejects(handler(request), { code: 'UNAUTHORIZED' })
    })
  }
})
