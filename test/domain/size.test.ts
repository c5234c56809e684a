import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { formatSize, parseSize } from '../../src/domain/size.ts'

suite('a size', () => {
  const sizes: [text: string, bytes: number][] = [
    ['1KiB', 1024],
    ['512KiB', 524_288],
    ['64MiB', 67_108_864],
    ['1GiB', 1_073_741_824],
  ]
  for (const [text, bytes] of sizes) {
    test(`is read and written as ${text}`, () => {
      assert.equal(parseSize(text), bytes)
      assert.equal(formatSize(bytes), text)
    })
  }

  test('is written in the largest unit that fits it', () => {
    assert.equal(formatSize(1024 * 1024), '1MiB')
    assert.equal(formatSize(1025), '1025 bytes')
    assert.equal(formatSize(0), '0 bytes')
  })

  for (const text of [
    '',
    '64',
    '64MB',
    '64 MiB',
    '0MiB',
    '-1MiB',
    '1.5GiB',
    '64mib',
    '1234567KiB',
  ]) {
    test(`is not read from ${JSON.stringify(text)}`, () => {
      assert.equal(parseSize(text), undefined)
    })
  }
})
