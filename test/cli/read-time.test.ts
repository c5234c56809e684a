import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { readTime } from '../../src/cli/read-time.ts'
import { HOUR } from '../../src/domain/time.ts'
import { NOON } from '../fixtures/policies.ts'

suite('readTime', () => {
  test('counts a duration from now, back or forward', () => {
    assert.equal(readTime('--since', '2h', NOON, 'ago'), NOON - 2 * HOUR)
    assert.equal(readTime('--until', '1h30m', NOON, 'ahead'), NOON + 1.5 * HOUR)
  })

  test('takes a time with its zone as it is', () => {
    assert.equal(readTime('--since', '2026-01-14T13:00:00+01:00', 0, 'ago'), NOON)
    assert.equal(readTime('--until', '2026-01-14T12:00Z', 0, 'ahead'), NOON)
  })

  for (const text of ['', 'noon', '2026-01-14', '2026-01-14T12:00', '2026-02-31T12:00Z', '-2h']) {
    test(`refuses "${text}", naming the flag`, () => {
      assert.throws(() => readTime('--since', text, NOON, 'ago'), {
        code: 'USAGE',
        message: `--since is neither a duration nor a time: "${text}"`,
      })
    })
  }
})
