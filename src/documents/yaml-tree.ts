/**
 * A YAML document as Sentinel reads it: mappings, lists and scalars, each with its place, which is
 * an offset in the text.
 *
 * @module
 */
import { isMap, isScalar, isSeq, type ParsedNode, Scalar, type YAMLMap } from 'yaml'
import type { PositionOf } from './position.ts'
import { quote } from './quote.ts'
import { refuseHidden } from './yaml-characters.ts'
import { Refusal } from './yaml-refusal.ts'

interface YamlEntry {
  /** Where the key stands. */
  readonly at: number
  readonly value: YamlNode
}

export type YamlNode =
  | {
      readonly kind: 'mapping'
      readonly at: number
      /** In the order written. */
      readonly entries: ReadonlyMap<string, YamlEntry>
    }
  | { readonly kind: 'list'; readonly at: number; readonly items: readonly YamlNode[] }
  | {
      readonly kind: 'scalar'
      readonly at: number
      /** As YAML reads it: the unquoted `012345678901` is a number. */
      readonly value: string | number | boolean | null
      /** As written, quotes apart. */
      readonly source: string
    }

export type YamlPath = readonly PropertyKey[]

/** The tree of a composed document. Throws a `Refusal` for a key that is not plain, or twice. */
export function buildTree(node: ParsedNode | null, position: PositionOf): YamlNode {
  if (node === null) return nothingAt(0)
  const [at] = node.range
  if (isMap(node)) return { kind: 'mapping', at, entries: buildEntries(node, position) }
  if (isSeq(node)) {
    const items = node.items.map((item) => buildTree(item as ParsedNode, position))
    return { kind: 'list', at, items }
  }
  // Aliases are refused before anything is composed, so what is left is a scalar.
  return buildScalar(node as Scalar.Parsed, at)
}

/** The plain value of `node`. Mappings are objects without a prototype: no key means anything. */
export function toValue(node: YamlNode): unknown {
  switch (node.kind) {
    case 'scalar':
      return node.value
    case 'list':
      return node.items.map(toValue)
    case 'mapping': {
      const object: Record<string, unknown> = Object.create(null)
      for (const [key, { value }] of node.entries) object[key] = toValue(value)
      return object
    }
  }
}

/** The node at `path`; `undefined` when nothing was written there. */
export function nodeAt(root: YamlNode, path: YamlPath): YamlNode | undefined {
  let node: YamlNode | undefined = root
  for (const step of path) {
    if (node?.kind === 'mapping') node = node.entries.get(String(step))?.value
    else if (node?.kind === 'list') node = node.items[Number(step)]
    else return undefined
  }
  return node
}

/** Where the value at `path` stands, or the nearest mapping or list around it that was written. */
export function offsetAt(root: YamlNode, path: YamlPath): number {
  for (let length = path.length; length > 0; length -= 1) {
    const node = nodeAt(root, path.slice(0, length))
    if (node !== undefined) return node.at
  }
  return root.at
}

/** Where the key stands that ends `path`; for an item of a list, the item. */
export function keyOffsetAt(root: YamlNode, path: YamlPath): number {
  const parent = nodeAt(root, path.slice(0, -1))
  const entry = parent?.kind === 'mapping' ? parent.entries.get(String(path.at(-1))) : undefined
  return entry?.at ?? offsetAt(root, path)
}

function buildEntries(map: YAMLMap, position: PositionOf): Map<string, YamlEntry> {
  const entries = new Map<string, YamlEntry>()
  for (const { key, value } of (map as YAMLMap.Parsed).items) {
    const text = keyText(key)
    const [at] = key.range
    const earlier = entries.get(text)
    if (earlier !== undefined) {
      throw new Refusal(
        at,
        `the key ${quote(text)} stands twice in this mapping`,
        `keep one: the other is in line ${position(earlier.at).line}`,
      )
    }
    // A flow mapping may have keys without a value: `{ allow }`.
    const node: YamlNode =
      value === null ? { kind: 'scalar', at, value: null, source: '' } : buildTree(value, position)
    entries.set(text, { at, value: node })
  }
  return entries
}

function nothingAt(at: number): YamlNode {
  return { kind: 'scalar', at, value: null, source: '' }
}

function keyText(key: ParsedNode): string {
  const [offset] = key.range
  if (!isScalar(key)) throw new Refusal(offset, 'a list or mapping cannot be a key')
  const { value, source = '' } = key
  if (typeof value !== 'string') {
    const hint = source === '' ? undefined : `quote it: ${quote(source)}`
    throw new Refusal(offset, source === '' ? 'a key is missing' : 'a key must be text', hint)
  }
  refuseHidden(value, offset)
  if (key.type === Scalar.PLAIN && value === '<<') {
    throw new Refusal(offset, 'merge keys are not allowed', 'write the keys out')
  }
  // Zod passes over this key in silence, where any other that it does not know is an error.
  if (value === '__proto__') throw new Refusal(offset, 'the key "__proto__" is not allowed')
  return value
}

function buildScalar(node: Scalar.Parsed, at: number): YamlNode {
  const { value, source, range } = node
  if (typeof value === 'string') {
    refuseHidden(value, range[0])
    return { kind: 'scalar', at, value, source: value }
  }
  if (typeof value === 'number' || typeof value === 'boolean' || value === null) {
    return { kind: 'scalar', at, value, source }
  }
  // The core schema makes nothing else: dates and big integers need tags or options.
  throw new Refusal(range[0], 'a value of an unknown type', 'quote it')
}
