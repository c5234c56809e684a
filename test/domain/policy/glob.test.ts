import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { matchesGlob } from '../../../src/domain/policy/glob.ts'
import { pick, random, scaled } from '../../fixtures/random.ts'

suite('matchesGlob', () => {
  const cases: [pattern: string, text: string, expected: boolean][] = [
    ['prod', 'prod', true],
    ['prod', 'prod2', false],
    ['prod', 'Prod', false],
    ['', '', true],
    ['', 'a', false],
    ['*', '', true],
    ['*', 'a/b:c', true],
    ['**', '', true],
    ['dev*', 'dev', true],
    ['dev*', 'development', true],
    ['dev*', 'a-dev', false],
    ['*-dev', 'a-dev', true],
    ['*-dev', 'a-devs', false],
    ['a*a', 'a', false],
    ['a*a', 'aa', true],
    ['ab*ba', 'aba', false],
    ['a*b*c', 'a1b2c', true],
    ['a*b*c', 'acb', false],
    ['*b*b*', 'ab', false],
    ['*b*b*', 'abb', true],
    ['*ab*b', 'aab', false],
    ['*ab*b', 'aabb', true],
    ['a?c', 'abc', false],
    ['a?c', 'a?c', true],
    ['a.c', 'abc', false],
    ['[ab]', 'a', false],
    ['(a|b)', 'a', false],
    ['arn:aws:iam::*:role/*', 'arn:aws:iam::444455556666:role/team/Prod', true],
  ]
  for (const [pattern, text, expected] of cases) {
    test(`"${pattern}" ${expected ? 'matches' : 'does not match'} "${text}"`, () => {
      assert.equal(matchesGlob(pattern, text), expected)
    })
  }

  test('agrees with a table of every prefix (POL-5)', () => {
    const seed = 5
    const next = random(seed)
    const word = (letters: string) =>
      Array.from({ length: Math.floor(next() * 9) }, () => pick(next, [...letters])).join('')
    for (let i = 0; i < scaled(50_000); i++) {
      const [pattern, text] = [word('ab**'), word('ab')]
      const expected = matchesByTable(pattern, text)
      assert.equal(matchesGlob(pattern, text), expected, `seed ${seed}: "${pattern}" "${text}"`)
    }
  })

  test('answers at once what backtracking would not answer in a lifetime', () => {
    const pattern = `${'*a'.repeat(128)}*b`
    const text = 'a'.repeat(4096)

    const started = performance.now()
    assert.equal(matchesGlob(pattern, text), false)
    assert.ok(performance.now() - started < 1000)
  })
})

/** The textbook's dynamic programming: `row[j]` says whether the pattern so far matches text[0..j). */
function matchesByTable(pattern: string, text: string): boolean {
  let row = Array.from({ length: text.length + 1 }, (_, j) => j === 0)
  for (const character of pattern) {
    const above = row
    row = []
    for (let j = 0; j <= text.length; j++) {
      row.push(
        character === '*'
          ? above[j]! || (j > 0 && row[j - 1]!)
          : j > 0 && above[j - 1]! && text[j - 1] === character,
      )
    }
  }
  return row[text.length]!
}
