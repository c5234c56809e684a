import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { formatHead, parseHead } from '../../src/domain/log-head.ts'

suite('a head', () => {
  const hash = '0123456789abcdef'.repeat(4)

  test('is read as it is written', () => {
    for (const seq of [1, 12, 9_007_199_254_740_991]) {
      assert.deepEqual(parseHead(formatHead({ seq, hash })), { seq, hash })
    }
  })

  for (const text of [
    '',
    hash,
    `0:${hash}`,
    `01:${hash}`,
    `-1:${hash}`,
    `1:${hash}0`,
    `1:${hash.toUpperCase()}`,
    `1:${hash}\n`,
  ]) {
    test(`is not read from ${JSON.stringify(text.slice(0, 20))}`, () => {
      assert.equal(parseHead(text), undefined)
    })
  }
})
