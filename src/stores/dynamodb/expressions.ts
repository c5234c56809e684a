import type { AttributeValue } from '@aws-sdk/client-dynamodb'
import type { Item } from './attributes.ts'

/** The names of all `#name` in expressions: spelled so, no attribute is a reserved word. */
export function namesIn(...expressions: readonly string[]): Record<string, string> {
  const names = expressions.join(' ').matchAll(/#(\w+)/g)
  return Object.fromEntries(Array.from(names, ([placeholder, name = '']) => [placeholder, name]))
}

/** The values of all `:name` in expressions. */
export function valuesOf(item: Item): Record<string, AttributeValue> {
  return Object.fromEntries(Object.entries(item).map(([name, value]) => [`:${name}`, value]))
}

/** An update expression that sets each of `names` to its value, and removes others. */
export function setting(names: readonly string[], removed: readonly string[] = []): string {
  const set = names.map((name) => `#${name} = :${name}`).join(', ')
  const remove = removed.map((name) => `#${name}`).join(', ')
  return [set && `SET ${set}`, remove && `REMOVE ${remove}`].filter(Boolean).join(' ')
}
