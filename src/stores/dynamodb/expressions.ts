import type { AttributeValue } from '@aws-sdk/client-dynamodb'
import type { Item } from './attributes.ts'

/** What to change in one row, if `condition` holds. Expressions name attributes as `#name`. */
export interface Change {
  readonly set: Item
  /** The names in `set` of what stays as it is in a row that has it. */
  readonly once?: readonly string[]
  readonly remove?: readonly string[]
  /** May use the values of `set` and of `values`: `:name`. */
  readonly condition: string
  readonly values?: Item
}

/** The names of all `#name` in expressions: spelled so, no attribute is a reserved word. */
export function namesIn(...expressions: readonly string[]): Record<string, string> {
  const names = expressions.join(' ').matchAll(/#(\w+)/g)
  return Object.fromEntries(Array.from(names, ([placeholder, name = '']) => [placeholder, name]))
}

/** The values of all `:name` in expressions. */
export function valuesOf(item: Item): Record<string, AttributeValue> {
  return Object.fromEntries(Object.entries(item).map(([name, value]) => [`:${name}`, value]))
}

/** The update expression of a change. */
export function setting(change: Pick<Change, 'set' | 'once' | 'remove'>): string {
  const isOnce = (name: string) => change.once?.includes(name)
  const value = (name: string) => (isOnce(name) ? `if_not_exists(#${name}, :${name})` : `:${name}`)
  const names = Object.keys(change.set)
  const set = names.map((name) => `#${name} = ${value(name)}`).join(', ')
  const remove = change.remove?.map((name) => `#${name}`).join(', ')
  return [set && `SET ${set}`, remove && `REMOVE ${remove}`].filter(Boolean).join(' ')
}
