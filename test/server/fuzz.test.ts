/**
 * HTTP-1: hostile bytes, by seed. Two kinds: a request with a wrong token, mutilated at will; and a
 * request with the right token but another shape, mutilated where that cannot mend it.
 *
 * @module
 */
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { pick, random, scaled } from '../fixtures/random.ts'
import { CANARY, exchange, goodHeaders, openGateway, requestText, TOKEN } from './gateway.ts'

const SEED = 20_260_114
const AT_ONCE = 32

type Random = () => number

const NASTY = [
  '\r\n',
  '\r',
  '\n',
  '\0',
  ' ',
  '\t',
  ':',
  '\r\n\r\n',
  '\x7f',
  '\xff\xfe',
  'HTTP/1.1',
  'Transfer-Encoding: chunked\r\n',
  'Content-Length: 999\r\n',
  'Content-Length: -1\r\n',
  'ffffffffffffffff\r\n',
  'Expect: 100-continue\r\n',
  'Host: x\r\n',
  '\x16\x03\x01\x02\x00\x01\x00',
  'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
  'GET /credentials HTTP/1.1\r\n\r\n',
  '__proto__: x\r\n',
  'x'.repeat(9000),
]

const FAULTS: ((port: number, next: Random) => string)[] = [
  (port, next) => requestText(port, { line: `${pick(next, METHODS)} /credentials HTTP/1.1` }),
  (port, next) => requestText(port, { line: `GET /credentials${mess(next)} HTTP/1.1` }),
  (port, next) => requestText(port, { line: `GET /credentials HTTP/${pick(next, VERSIONS)}` }),
  (port, next) =>
    requestText(port, { headers: [...goodHeaders(port), `${pick(next, HEADERS)}: ${mess(next)}`] }),
  (port, next) =>
    requestText(port, {
      headers: [...goodHeaders(port), 'Transfer-Encoding: chunked'],
      body: mess(next),
    }),
  (port) => requestText(port, { headers: goodHeaders(port + 1) }),
]
const METHODS = ['HEAD', 'POST', 'PUT', 'OPTIONS', 'CONNECT', 'TRACE', 'get', 'M-SEARCH', 'FOO']
const VERSIONS = ['0.9', '1.0', '1.2', '2.0', '9.9', '1', 'x']
const HEADERS = ['Origin', 'Cookie', 'Sec-Fetch-Site', 'Via', 'Upgrade', 'Expect', 'Host']

/** Up to 40 printable characters, at least one. */
function mess(next: Random): string {
  const length = 1 + Math.floor(next() * 40)
  return Array.from({ length }, () => String.fromCharCode(33 + Math.floor(next() * 94))).join('')
}

function mutate(text: string, next: Random): string {
  let mutated = text
  for (let count = 1 + Math.floor(next() * 4); count > 0; count -= 1) {
    const at = Math.floor(next() * mutated.length)
    const end = at + Math.floor(next() * 12)
    const middle = pick(next, [
      () => pick(next, NASTY),
      () => String.fromCharCode(Math.floor(next() * 256)),
      () => mutated.slice(at, end).repeat(Math.floor(next() * 20)),
      () => '',
    ])()
    mutated = mutated.slice(0, at) + middle + mutated.slice(end)
  }
  return mutated
}

function noise(next: Random): string {
  const length = 1 + Math.floor(next() * 400)
  return Array.from({ length }, () => String.fromCharCode(Math.floor(next() * 256))).join('')
}

function hostile(port: number, next: Random): string {
  const stranger = requestText(port).replace(TOKEN, TOKEN.toLowerCase())
  return pick(next, [
    () => mutate(stranger, next),
    () => mutate(stranger.repeat(1 + Math.floor(next() * 30)), next),
    () => noise(next),
    () => pick(next, FAULTS)(port, next),
    () => pick(next, FAULTS)(port, next).slice(0, -1 - Math.floor(next() * 60)),
  ])()
}

suite('hostile bytes', () => {
  test('never get a credential, never reach the supply, never hurt a good client', async () => {
    await using gateway = await openGateway()
    const total = scaled(5000)
    let sent = 0
    let served = 0

    const attack = async () => {
      while (sent < total) {
        const number = sent
        sent += 1
        // A seed of its own, so that a request can be made again whatever went on beside it.
        const bytes = hostile(gateway.port, random(SEED + number))
        const received = await exchange(gateway.port, bytes, { halfClose: true })
        const what = `seed ${SEED + number}: ${JSON.stringify(bytes.slice(0, 300))}`
        assert.ok(!received.includes(CANARY) && !received.includes(' 200 '), what)
        assert.ok(received === '' || received.startsWith('HTTP/1.1 401 '), what)
      }
    }
    const askAlong = async () => {
      while (sent < total) {
        const text = requestText(gateway.port)
        const received = await exchange(gateway.port, text, { answers: 1 })
        assert.match(received, /^HTTP\/1\.1 200 /)
        served += 1
        await sleep(5)
      }
    }
    await Promise.all([askAlong(), ...Array.from({ length: AT_ONCE }, attack)])

    assert.ok(served > 0)
    assert.equal(gateway.peers.length, served)
    assert.deepEqual(gateway.bugs, [])
  })
})
