import assert from 'node:assert/strict'
import { before, suite, test } from 'node:test'
import { isSigned } from '../../src/app/check-statement.ts'
import {
  encodeStatement,
  formatTree,
  parseStatement,
  parseTree,
  type SignedStatement,
  signedMessage,
} from '../../src/domain/log-statement.ts'
import { hasCode } from '../../src/errors.ts'
import { aStatement, digest, newKey, signedBy } from '../fixtures/signing.ts'

const KEY = newKey()

suite('a signed statement', () => {
  let signed: SignedStatement
  before(async () => {
    signed = await signedBy(KEY, aStatement())
  })

  test('is one line, with its fields in their order', () => {
    const text = encodeStatement(signed)
    assert.deepEqual(Object.keys(JSON.parse(text)), [
      ...['v', 'type', 'time', 'host', 'log', 'lines', 'root', 'heads'],
      ...['algorithm', 'key_id', 'signature'],
    ])
    assert.match(text, /^\{"v":1,"type":"sentinel\.log-statement",[\x20-\x7e]+\}$/)
  })

  test('is read as it was written, with a newline behind it or not', () => {
    const text = encodeStatement(signed)
    assert.deepEqual(parseStatement(text), signed)
    assert.deepEqual(parseStatement(`${text}\n`), signed)
    assert.equal(encodeStatement(parseStatement(text)), text)
  })

  test('is ASCII whatever a path or a host is called, and is read back', async () => {
    const odd = aStatement({ host: 'büro\u202e', log: '/home/\u{1f511}/\u009b/"x"\n' })
    const text = encodeStatement(await signedBy(KEY, odd))
    assert.match(text, /^[\x20-\x7e]+$/)
    assert.deepEqual(parseStatement(text).statement, odd)
  })

  test('names streams in the order of their names, however they came', async () => {
    const { heads } = aStatement()
    const one = await signedBy(KEY, aStatement({ heads }))
    const other = await signedBy(KEY, aStatement({ heads: heads.toReversed() }))
    assert.equal(encodeStatement(one), encodeStatement(other))
  })

  test('is signed over a message that is short, and like no other', () => {
    const log = `/${'x'.repeat(4000)}`
    const message = signedMessage(aStatement({ log }), digest)
    assert.match(message, /^sentinel\.log-statement\.v1\n[0-9a-f]{64}$/)
  })

  test('is found out when any of its bytes is another', () => {
    const text = encodeStatement(signed)
    assert.ok(isSigned({ verifier: KEY.verifier, digest }, parseStatement(text)))
    for (let place = 0; place < text.length; place += 1) {
      for (const byte of ['0', '1', 'f', 'A', ' ', '"', '=', '\n', '\u0000']) {
        if (text[place] === byte) continue
        const changed = text.slice(0, place) + byte + text.slice(place + 1)
        assert.ok(!isTaken(changed), `${place}: ${changed.slice(place - 20, place + 20)}`)
      }
      assert.ok(!isTaken(text.slice(0, place) + text.slice(place + 1)), `without ${place}`)
      assert.ok(!isTaken(`${text.slice(0, place)} ${text.slice(place)}`), `a space at ${place}`)
    }
  })

  test('is not taken from another key, nor for another algorithm', async () => {
    const { verifier } = KEY
    assert.ok(!isSigned({ verifier, digest }, await signedBy(newKey(), signed.statement)))
    const { statement, signature } = signed
    const claiming = { ...signature, algorithm: 'ECDSA_SHA_256' } as const
    assert.ok(!isSigned({ verifier, digest }, { statement, signature: claiming }))
  })

  const text = () => encodeStatement(signed)
  const refused: [what: string, change: () => string, expected: RegExp][] = [
    ['what is no JSON', () => 'sound', /is not JSON/],
    ['a list', () => '[]', /no JSON object/],
    ['null', () => 'null', /no JSON object/],
    ['another object', () => '{"v":1,"type":"sentinel.log-proof"}', /not of type/],
    ['a version to come', () => text().replace('"v":1', '"v":2'), /not of version 1/],
    ['an unknown field', () => text().replace('{', '{"x":1,'), /nobody knows: "x"/],
    ['__proto__', () => text().replace('{', '{"__proto__":1,'), /nobody knows: "__proto__"/],
    ['a field twice', () => text().replace('{', '{"v":1,'), /not written as Sentinel/],
    ['another order', () => text().replace('"v":1,', '').replace(/}$/, ',"v":1}'), /not written/],
    ['a space', () => text().replace(',', ', '), /not written/],
    ['two newlines', () => `${text()}\n\n`, /not written/],
    ['no lines', () => text().replace('"lines":1000', '"lines":0'), /no lines/],
    ['half a line', () => text().replace('"lines":1000', '"lines":0.5'), /no lines/],
    ['lines as text', () => text().replace('"lines":1000', '"lines":"1000"'), /no lines/],
    ['1e3 lines', () => text().replace('"lines":1000', '"lines":1e3'), /not written/],
    ['a time that is none', () => text().replace('-01-14T', '-02-31T'), /no time/],
    ['no root', () => text().replace(/"root":"\w+",/, ''), /no root/],
    ['a root in capitals', () => text().replace(/"root":"\w+"/, (r) => r.toUpperCase()), /ROOT/],
    ['heads that are a list', () => text().replace(/"heads":{[^}]*}/, '"heads":[]'), /no heads/],
    ['a head of no line', () => text().replace('"12:', '"0:'), /no heads/],
    ['an algorithm of its own', () => text().replace('Ed25519', 'none'), /no algorithm/],
    ['an empty signature', () => text().replace(/"signature":".*"/, '"signature":""'), /no sig/],
    ['what is no base64', () => text().replace(/"signature":".*"/, '"signature":"===="'), /no s/],
  ]
  for (const [what, change, message] of refused) {
    test(`refuses ${what}`, () => {
      assert.throws(() => parseStatement(change()), { code: 'STATEMENT_INVALID', message })
    })
  }

  test('refuses more heads than a statement names', async () => {
    const heads = Array.from({ length: 33 }, (_, place) => ({
      stream: `${'abcdefgh'[place % 8]}${'ijklmnop'[place >> 3]}`.padEnd(20, 'z'),
      seq: 1,
      hash: digest(String(place)),
    }))
    const many = encodeStatement(await signedBy(KEY, aStatement({ heads })))
    assert.throws(() => parseStatement(many), { code: 'STATEMENT_INVALID', message: /no heads/ })
    const fitting = aStatement({ heads: heads.slice(1) })
    assert.equal(
      parseStatement(encodeStatement(await signedBy(KEY, fitting))).statement.heads.length,
      32,
    )
  })
})

suite('a root handed on', () => {
  test('is read as it is written, and nothing else is', () => {
    const tree = { lines: 1000, root: digest('x') }
    assert.deepEqual(parseTree(formatTree(tree)), tree)
    for (const text of ['', tree.root, `0:${tree.root}`, `1000:${tree.root}0`]) {
      assert.equal(parseTree(text), undefined)
    }
  })
})

/** Whether a verifier with the right key would take `text` for a signed statement. */
function isTaken(text: string): boolean {
  try {
    return isSigned({ verifier: KEY.verifier, digest }, parseStatement(text))
  } catch (error) {
    if (!hasCode(error, 'STATEMENT_INVALID')) throw error
    return false
  }
}
