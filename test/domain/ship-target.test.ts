import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { parseShipTarget } from '../../src/domain/ship-target.ts'

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
