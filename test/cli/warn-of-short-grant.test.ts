import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { warnOfShortGrant } from '../../src/cli/warn-of-short-grant.ts'

suite('warnOfShortGrant', () => {
  const warningsOf = (minutes: number) => {
    const warnings: string[] = []
    warnOfShortGrant(minutes * 60, { warn: (text) => warnings.push(text) })
    return warnings
  }

  for (const minutes of [15, 16, 17]) {
    test(`warns of ${minutes}m: no credentials are as short, and none outlive it`, () => {
      assert.match(warningsOf(minutes)[0] ?? '', new RegExp(`^${minutes}m may be too short`))
    })
  }

  test('says nothing of what can be used', () => assert.deepEqual(warningsOf(30), []))
})
