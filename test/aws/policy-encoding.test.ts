import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { decodePolicy } from '../../src/aws/policy-encoding.ts'

const REFERENCE = 'ssm:eu-central-1:/sentinel/policy'
const MARKER = '#sentinel:gzip+base64'
const compress = (text: string) => gzipSync(text).toString('base64')

suite('decodePolicy', () => {
  test('gives plain text back as it stands', () => {
    assert.equal(decodePolicy('version: "1"\n', REFERENCE), 'version: "1"\n')
  })

  test('inflates what follows the marker, in lines as base64 prints them', () => {
    const policy = `version: "1"\n# ${'ä'.repeat(5000)}\n`
    const lines = compress(policy).replace(/(.{76})/g, '$1\r\n')
    assert.equal(decodePolicy(`${MARKER}\n${lines}\n`, REFERENCE), policy)
  })

  test('inflates up to 64 KiB and not a byte more', () => {
    const largest = 'a'.repeat(64 * 1024)
    assert.equal(decodePolicy(`${MARKER}\n${compress(largest)}`, REFERENCE), largest)
    assert.throws(() => decodePolicy(`${MARKER}\n${compress(`${largest}a`)}`, REFERENCE), {
      code: 'POLICY_INVALID',
      message: /larger than 64 KiB/,
    })
  })

  test('stops a bomb before it has grown', () => {
    const bomb = compress('\0'.repeat(20_000_000))
    assert.throws(() => decodePolicy(`${MARKER}\n${bomb}`, REFERENCE), { code: 'POLICY_INVALID' })
  })

  test('refuses plain text beyond 64 KiB', () => {
    assert.throws(() => decodePolicy('ä'.repeat(32 * 1024 + 1), REFERENCE), {
      code: 'POLICY_INVALID',
    })
  })

  const broken: [what: string, body: string][] = [
    ['nothing', ''],
    ['no base64', '%%%%'],
    ['base64 of no gzip', Buffer.from('version').toString('base64')],
    ['a gzip cut short', compress('version: "1"').slice(0, 20)],
    ['text that is no UTF-8', gzipSync(Buffer.from([0xff, 0xfe])).toString('base64')],
  ]
  for (const [what, body] of broken) {
    test(`refuses ${what} after the marker`, () => {
      assert.throws(() => decodePolicy(`${MARKER}\n${body}`, REFERENCE), {
        code: 'POLICY_INVALID',
        message: /cannot be decoded/,
      })
    })
  }
})
