import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { policyJsonSchema } from '../../src/documents/policy-schema.ts'
import { readYaml } from '../../src/documents/strict-yaml.ts'
import { toValue } from '../../src/documents/yaml-tree.ts'
import { EFFECTS, MODES, WEEKDAYS } from '../../src/domain/policy/types.ts'
import { COMPLETE, policyOf, SAMPLE } from './documents.ts'
import { accepts } from './json-schema.ts'
import { mutationsOf } from './mutations.ts'

const schema = JSON.parse(JSON.stringify(policyJsonSchema()))

/** Every schema within `part`, with its path. */
function* within(part: unknown, path = '#'): Generator<[string, Record<string, unknown>]> {
  if (typeof part !== 'object' || part === null) return
  if ('type' in part && typeof part.type === 'string') yield [path, part as Record<string, unknown>]
  for (const [key, value] of Object.entries(part)) yield* within(value, `${path}/${key}`)
}

suite('policyJsonSchema', () => {
  test('is of draft 2020-12', () => {
    assert.equal(schema.$schema, 'https://json-schema.org/draft/2020-12/schema')
  })

  for (const [name, text] of Object.entries({ SAMPLE, COMPLETE, generated: policyOf(2000) })) {
    test(`accepts what is valid: ${name}`, () => {
      assert.ok(accepts(schema, toValue(readYaml(text).root!)))
    })
  }

  test('refuses misspelt keys, and values of a wrong type', () => {
    const simple = mutationsOf(COMPLETE).filter(({ what }) => /misspelt|null|3\.5|\[\]$/.test(what))
    assert.ok(simple.length > 300, `${simple.length}`)
    for (const { what, value } of simple) assert.ok(!accepts(schema, value), what)
  })

  test('lets no mapping have keys that it does not know', () => {
    for (const [path, part] of within(schema)) {
      if (part.type !== 'object') continue
      assert.ok(part.additionalProperties === false || part.propertyNames !== undefined, path)
    }
  })

  test('describes every key', () => {
    for (const [path, part] of within(schema)) {
      const isKey =
        /\/properties\/[^/]+$/.test(path) && !path.endsWith('/tests/items/properties/at')
      if (isKey) assert.equal(typeof part.description, 'string', path)
    }
  })

  test('names what is required', () => {
    const { rules, approvals } = schema.properties
    assert.deepEqual(schema.required, ['version', 'rules'])
    assert.deepEqual(rules.items.required, ['name', 'effect', 'conditions'])
    assert.deepEqual(approvals.items.required, ['name', 'profiles', 'users', 'approvers'])
  })

  test('names the words that may be used', () => {
    const { properties } = schema.properties.rules.items
    assert.deepEqual(properties.effect.enum, EFFECTS)
    assert.deepEqual(properties.conditions.properties.mode.items.enum, MODES)
    const window = properties.conditions.properties.time.properties
    assert.deepEqual(window.days.items.enum, WEEKDAYS)
  })

  test('has patterns where text has a form', () => {
    const { properties } = schema.properties.rules.items
    const matches = (part: { pattern: string }, text: string) => new RegExp(part.pattern).test(text)
    assert.ok(matches(properties.max_duration, '1h30m'))
    for (const text of ['', '1', '1h ', '30m1h']) assert.ok(!matches(properties.max_duration, text))
    const { accounts, roles } = properties.conditions.properties
    assert.ok(matches(accounts.items, '012345678901'))
    assert.ok(!matches(accounts.items, '12345678901'))
    assert.ok(matches(roles.items, 'arn:aws:iam::*:role/*'))
    assert.ok(!matches(roles.items, '*'))
  })
})
