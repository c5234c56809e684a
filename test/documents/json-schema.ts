import { isDeepStrictEqual } from 'node:util'

/** The words of JSON Schema that a policy's schema uses. An unknown one is an error. */
interface Schema {
  readonly type?: string
  readonly properties?: Readonly<Record<string, Schema>>
  readonly required?: readonly string[]
  readonly additionalProperties?: boolean | Schema
  readonly propertyNames?: Schema
  readonly minProperties?: number
  readonly items?: Schema
  readonly minItems?: number
  readonly enum?: readonly unknown[]
  readonly const?: unknown
  readonly pattern?: string
  readonly minimum?: number
  readonly maximum?: number
  readonly [annotation: string]: unknown
}

const ANNOTATIONS = new Set(['$schema', 'title', 'description', 'default'])

const WORDS: Readonly<Record<string, (schema: Schema, value: unknown) => boolean>> = {
  type: ({ type }, value) => typeOf(value).includes(type!),
  const: (schema, value) => schema.const === value,
  enum: (schema, value) => schema.enum!.some((known) => isDeepStrictEqual(known, value)),
  pattern: ({ pattern }, value) =>
    typeof value !== 'string' || new RegExp(pattern!, 'u').test(value),
  minimum: ({ minimum }, value) => typeof value !== 'number' || value >= minimum!,
  maximum: ({ maximum }, value) => typeof value !== 'number' || value <= maximum!,
  minItems: ({ minItems }, value) => !Array.isArray(value) || value.length >= minItems!,
  items: ({ items }, value) =>
    !Array.isArray(value) || value.every((item) => accepts(items!, item)),
  minProperties: ({ minProperties }, value) => keysOf(value).length >= minProperties!,
  required: ({ required }, value) => required!.every((key) => keysOf(value).includes(key)),
  propertyNames: ({ propertyNames }, value) =>
    keysOf(value).every((key) => accepts(propertyNames!, key)),
  properties: ({ properties }, value) =>
    keysOf(value).every((key) => accepts(properties![key] ?? {}, fieldOf(value, key))),
  additionalProperties: ({ properties = {}, additionalProperties }, value) =>
    keysOf(value)
      .filter((key) => !Object.hasOwn(properties, key))
      .every((key) =>
        typeof additionalProperties === 'object'
          ? accepts(additionalProperties, fieldOf(value, key))
          : additionalProperties,
      ),
}

/** Whether `value` is valid under `schema`, as an editor would say. */
export function accepts(schema: Schema, value: unknown): boolean {
  return Object.keys(schema).every((word) => {
    if (ANNOTATIONS.has(word)) return true
    const check = WORDS[word]
    if (check === undefined) throw new Error(`the schema uses "${word}"`)
    return check(schema, value)
  })
}

function typeOf(value: unknown): string[] {
  if (value === null) return ['null']
  if (Array.isArray(value)) return ['array']
  return typeof value === 'number' && Number.isInteger(value)
    ? ['number', 'integer']
    : [typeof value]
}

function keysOf(value: unknown): string[] {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? Object.keys(value)
    : []
}

function fieldOf(value: unknown, key: string): unknown {
  return (value as Record<string, unknown>)[key]
}
