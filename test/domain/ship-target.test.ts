import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { maskTarget, parseShipTarget } from '../../src/domain/ship-target.ts'

suite('parseShipTarget', () => {
  test('takes what follows the last slash for the stream', () => {
    assert.deepEqual(parseShipTarget('cloudwatch:/sentinel/decisions/laptop'), {
      kind: 'cloudwatch',
      group: '/sentinel/decisions',
      stream: 'laptop',
    })
    assert.deepEqual(parseShipTarget('cloudwatch:g/s'), {
      kind: 'cloudwatch',
      group: 'g',
      stream: 's',
    })
  })

  test('takes an address as it is', () => {
    const url = 'https://logs.example/in?team=a'
    assert.deepEqual(parseShipTarget(url), { kind: 'url', url })
  })

  for (const text of [
    '',
    'cloudwatch:group',
    'cloudwatch:/stream',
    'cloudwatch:group/',
    'cloudwatch:a b/stream',
    'cloudwatch:group/st:ream',
    'ftp://logs.example/',
    'https://user@logs.example/',
    'logs.example',
  ]) {
    test(`knows no target in ${JSON.stringify(text)}`, () => {
      assert.equal(parseShipTarget(text), undefined)
    })
  }
})

suite('maskTarget', () => {
  const targets: [text: string, shown: string][] = [
    ['cloudwatch:/sentinel/decisions/laptop', 'cloudwatch:/sentinel/decisions/laptop'],
    ['https://logs.example', 'https://logs.example'],
    ['https://logs.example/', 'https://logs.example'],
    ['https://logs.example:8443/in/s3cret', 'https://logs.example:8443/…'],
    ['https://logs.example?token=s3cret', 'https://logs.example/…'],
    ['http://127.0.0.1:8080/s3cret', 'http://127.0.0.1:8080/…'],
  ]
  for (const [text, shown] of targets) {
    test(`shows ${text} as ${shown}`, () => {
      assert.equal(maskTarget(text), shown)
    })
  }
})
