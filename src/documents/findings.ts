import type * as z from 'zod'
import { nearest } from '../near-miss.ts'
import type { IssueAdvice } from './fields.ts'
import type { Finding } from './problem.ts'
import { quote, shorten } from './quote.ts'
import { keyOffsetAt, nodeAt, offsetAt, type YamlNode, type YamlPath } from './yaml-tree.ts'

type Issue = z.core.$ZodIssue
type Schema = z.core.$ZodTypes

/** Says in words what `schema` found wrong in the document, and where that stands. */
export function toFindings(
  issues: readonly Issue[],
  root: YamlNode,
  schema: z.core.$ZodType,
): Finding[] {
  const misspelt = misspeltKeys(issues)
  return issues
    .filter((issue) => !isFromMisspelling(issue, root, misspelt))
    .flatMap((issue) => describe(issue, root, schema as Schema))
}

function describe(issue: Issue, root: YamlNode, schema: Schema): Finding[] {
  const { path } = issue
  switch (issue.code) {
    case 'unrecognized_keys': {
      const known = keysOf(schemaAt(schema, path))
      return issue.keys.map((key) => ({
        at: keyOffsetAt(root, [...path, key]),
        message: `${quote(key)} is not a key of ${withoutExample(issue.message)}`,
        suggest: () => didYouMean(key, known),
      }))
    }
    case 'invalid_key':
      return issue.issues.map(({ message, ...inner }) => ({
        at: keyOffsetAt(root, path),
        message,
        ...adviceOf(inner),
      }))
    case 'custom': {
      const { key, ...advice } = adviceOf(issue)
      const at = key === undefined ? offsetAt(root, path) : keyOffsetAt(root, [...path, key])
      return [{ at, message: issue.message, ...advice }]
    }
    default:
      return [describeMismatch(issue, root, schemaAt(schema, path))]
  }
}

/** The noun phrase of the schema (`issue.message`) against what was written. */
function describeMismatch(issue: Issue, root: YamlNode, schema: Schema | undefined): Finding {
  const { message: noun, path } = issue
  const at = offsetAt(root, path)
  const values = issue.code === 'invalid_value' ? issue.values.map(String) : []
  const node = nodeAt(root, path)
  if (node === undefined) {
    const message = `the key ${quote(String(path.at(-1)))} is missing`
    return { at, message, hint: adviseWriting(noun, values) }
  }
  if (node.kind === 'scalar' && typeof node.value === 'string' && values.length > 0) {
    const word = node.value
    return {
      at,
      message: `${quote(word)} is not ${withoutExample(noun)}`,
      suggest: () => didYouMean(word, values),
    }
  }
  return {
    at,
    message: `expected ${withoutExample(noun)}, found ${nameOf(node)}`,
    suggest: () =>
      adviseQuotes(node, schema) ?? adviseList(node, schema) ?? adviseWriting(noun, values),
  }
}

function withoutExample(noun: string): string {
  return noun.split(', as ', 1).join()
}

/** Past this length nobody mistypes a known word, and to compare it would take long. */
const WORD_MAX = 48

function didYouMean(word: string, known: readonly string[]): string {
  const near = word.length > WORD_MAX ? undefined : nearest(word, known)
  return near === undefined ? `use one of: ${known.join(', ')}` : `did you mean "${near}"?`
}

function adviseWriting(noun: string, values: readonly string[]): string {
  return values.length > 1 ? `use one of: ${values.join(', ')}` : `write ${noun}`
}

/** Text that YAML took for a number: an account id, a version. */
function adviseQuotes(node: YamlNode, schema: Schema | undefined): string | undefined {
  if (node.kind !== 'scalar' || node.source === '' || schema === undefined) return undefined
  const isRightInQuotes = (schema as unknown as z.ZodType).safeParse(node.source).success
  return isRightInQuotes ? `quote it: ${quote(node.source)}` : undefined
}

/** One item where a list is due. */
function adviseList(node: YamlNode, schema: Schema | undefined): string | undefined {
  const isBare = node.kind === 'scalar' && typeof node.value === 'string'
  return isBare && schema?._zod.def.type === 'array'
    ? `write a list: [${quote(node.source)}]`
    : undefined
}

function nameOf(node: YamlNode): string {
  if (node.kind === 'list') return 'a list'
  if (node.kind === 'mapping') return 'a mapping'
  if (node.value === null) return 'nothing'
  if (typeof node.value === 'string') return `the text ${quote(node.value)}`
  return typeof node.value === 'number' ? `the number ${shorten(node.source)}` : node.source
}

function adviceOf(issue: object): IssueAdvice {
  // Only fields.ts and the schemas raise issues with parameters, and all of them are advice.
  return 'params' in issue ? (issue.params as IssueAdvice) : {}
}

/** Unknown keys by the path of their mapping. */
function misspeltKeys(issues: readonly Issue[]): ReadonlyMap<string, readonly string[]> {
  return new Map(
    issues
      .filter((issue) => issue.code === 'unrecognized_keys')
      .map(({ path, keys }) => [path.join('/'), keys]),
  )
}

/**
 * Whether a key is missing, or seems to, that is there in other letters: one mistake makes one
 * finding. Keys that do not go together are looked at again when all of them are known.
 */
function isFromMisspelling(
  { code, path }: Issue,
  root: YamlNode,
  misspelt: ReadonlyMap<string, readonly string[]>,
): boolean {
  if (code === 'custom' && misspelt.has(path.join('/'))) return true
  const found = misspelt.get(path.slice(0, -1).join('/'))
  if (found === undefined || nodeAt(root, path) !== undefined) return false
  const wanted = [String(path.at(-1))]
  return found.some((key) => nearest(key, wanted) !== undefined)
}

/** The part of `schema` that `path` leads to. */
function schemaAt(schema: Schema, path: YamlPath): Schema | undefined {
  let current: Schema | undefined = unwrap(schema)
  for (const step of path) {
    const def: Schema['_zod']['def'] | undefined = current?._zod.def
    const next: z.core.$ZodType | undefined =
      def?.type === 'object'
        ? def.shape[String(step)]
        : def?.type === 'array'
          ? def.element
          : def?.type === 'record'
            ? def.valueType
            : undefined
    if (next === undefined) return undefined
    current = unwrap(next as Schema)
  }
  return current
}

/** Without what is around the schema: whether it may be left out, and what is made of it. */
function unwrap(schema: Schema): Schema {
  const { def } = schema._zod
  if (def.type === 'optional') return unwrap(def.innerType as Schema)
  if (def.type === 'pipe' && (def.in as Schema)._zod.def.type !== 'string')
    return unwrap(def.in as Schema)
  return schema
}

function keysOf(schema: Schema | undefined): readonly string[] {
  const def = schema?._zod.def
  return def?.type === 'object' ? Object.keys(def.shape) : []
}
