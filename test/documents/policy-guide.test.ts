import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { suite, test } from 'node:test'
import { checkPolicy } from '../../src/documents/policy.ts'
import { policyJsonSchema } from '../../src/documents/policy-schema.ts'
import { EFFECTS, MODES, NOTIFY_EVENTS, REASON_CODES } from '../../src/domain/policy/types.ts'

const guide = readFileSync(new URL('../../docs/policy.md', import.meta.url), 'utf8')
const examples = [...guide.matchAll(/^```yaml\n(.*?)^```$/gms)].map((match) => ({
  text: match[1]!,
  line: guide.slice(0, match.index).split('\n').length + 1,
}))

/** Every key that a mapping of `schema` knows, at any depth. */
function keysOf(schema: unknown): string[] {
  if (typeof schema !== 'object' || schema === null) return []
  const own = 'properties' in schema ? Object.keys(schema.properties as object) : []
  return [...own, ...Object.values(schema).flatMap(keysOf)]
}

suite('docs/policy.md', () => {
  test('has examples', () => assert.ok(examples.length >= 8, `${examples.length}`))

  for (const { text, line } of examples) {
    test(`has a valid example in line ${line}`, () => {
      const { problems, warnings } = checkPolicy(text, 'docs/policy.md')
      assert.deepEqual(problems, [])
      assert.deepEqual(warnings, [])
    })
  }

  test('names every key, effect, mode, reason code and event', () => {
    const words = [...keysOf(policyJsonSchema()), ...EFFECTS, ...MODES, ...REASON_CODES]
    for (const word of [...new Set([...words, ...NOTIFY_EVENTS])]) {
      assert.ok(guide.includes(word), `"${word}" is missing`)
    }
  })
})
