import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { readRotatedName, rotatedName } from '../../src/audit/rotated-name.ts'

const AT = Date.parse('2026-01-14T09:00:00.123Z')

suite('the name of a rotated file', () => {
  test('is that of the log, with the time in UTC to the millisecond', () => {
    assert.equal(rotatedName('decisions.jsonl', AT), 'decisions.jsonl.20260114T090000123Z')
    assert.equal(rotatedName('/a/b.c', AT), '/a/b.c.20260114T090000123Z')
  })

  test('is read back, compressed or not', () => {
    const name = rotatedName('a.jsonl', AT)
    assert.deepEqual(readRotatedName(name, 'a.jsonl'), { at: AT, isCompressed: false })
    assert.deepEqual(readRotatedName(`${name}.gz`, 'a.jsonl'), { at: AT, isCompressed: true })
  })

  test('sorts by time', () => {
    const times = [AT, AT + 1, AT + 1000, AT + 86_400_000, AT + 400 * 86_400_000]
    const names = times.map((at) => rotatedName('a', at))
    assert.deepEqual(names.toSorted(), names)
  })

  for (const name of [
    'a',
    'a.lock',
    'a.ship.json',
    'b.20260114T090000123Z',
    'aa.20260114T090000123Z',
    'a20260114T090000123Z',
    'a.20260114T090000123',
    'a.20260114T090000Z',
    'a.20260230T090000123Z',
    'a.20261314T090000123Z',
    'a.20260114T240000123Z',
    'a.20260114T090000123Z.gz.x.tmp',
    'a.20260114T090000123Z.GZ',
    'a.20260114T090000123Z\n',
  ]) {
    test(`is not ${JSON.stringify(name)}`, () => {
      assert.equal(readRotatedName(name, 'a'), undefined)
    })
  }
})
