import { readYaml } from '../../src/documents/strict-yaml.ts'
import { toValue } from '../../src/documents/yaml-tree.ts'

/** A document that differs from a valid one in one place. */
export interface Mutation {
  readonly what: string
  readonly value: unknown
  /** Its YAML, one key or item a line. */
  readonly text: string
  /** The lines of the text that differ, the first and the last. */
  readonly lines: readonly [first: number, last: number]
}

type Path = readonly (string | number)[]

/** The places where `{}` is as valid as anything. */
const MAY_BE_EMPTY = new Set([
  'rules/0/conditions',
  'rules/1/conditions',
  'rules/2/conditions',
  'stores',
])

const WRONG_VALUES: readonly unknown[] = [null, 3.5, [], {}, [[1]], { constructor: 1 }, '', ' ']

/** Every key of `text` misspelt and every value replaced by wrong ones. */
export function mutationsOf(text: string): Mutation[] {
  const original = structuredClone(toValue(readYaml(text).root!))
  return pathsOf(original).flatMap((path) => [
    ...misspellings(original, path),
    ...WRONG_VALUES.filter((wrong) => !isValidAt(path, wrong)).map((wrong) =>
      mutation(`${path.join('.')} as ${JSON.stringify(wrong)}`, original, path, () => wrong),
    ),
  ])
}

function isValidAt(path: Path, value: unknown): boolean {
  return JSON.stringify(value) === '{}' && MAY_BE_EMPTY.has(path.join('/'))
}

function misspellings(original: unknown, path: Path): Mutation[] {
  const key = path.at(-1)
  // The names of profiles are the author's own.
  if (typeof key !== 'string' || path[0] === 'profiles') return []
  const value = at(original, path)
  const renamed = structuredClone(original)
  const parent = at(renamed, path.slice(0, -1)) as Record<string, unknown>
  delete parent[key]
  parent[`${key}x`] = value
  return [written(`${path.join('.')} misspelt`, renamed, [...path.slice(0, -1), `${key}x`])]
}

function mutation(what: string, original: unknown, path: Path, change: () => unknown): Mutation {
  const value = structuredClone(original)
  const parent = at(value, path.slice(0, -1)) as Record<string | number, unknown>
  parent[path.at(-1)!] = change()
  return written(what, value, path)
}

/** JSON is YAML. The place is found by writing a mark there that nothing else is. */
function written(what: string, value: unknown, path: Path): Mutation {
  const marked = structuredClone(value)
  const parent = at(marked, path.slice(0, -1)) as Record<string | number, unknown>
  parent[path.at(-1)!] = 'THE PLACE'
  const lines = JSON.stringify(marked, null, 1).split('\n')
  const first = lines.findIndex((line) => line.includes('THE PLACE')) + 1
  const text = JSON.stringify(value, null, 1)
  return { what, value, text, lines: [first, first + text.split('\n').length - lines.length] }
}

function pathsOf(value: unknown, path: Path = []): Path[] {
  if (typeof value !== 'object' || value === null) return [path]
  const keys = Array.isArray(value) ? value.keys() : Object.keys(value)
  const inner = [...keys].flatMap((key) => pathsOf(at(value, [key]), [...path, key]))
  return path.length === 0 ? inner : [path, ...inner]
}

function at(value: unknown, path: Path): unknown {
  return path.reduce<unknown>(
    (inner, key) => (inner as Record<string | number, unknown>)[key],
    value,
  )
}
