/**
 * The shapes of an AWS API model and its constraints, with the words in which AWS refuses a value
 * that breaks one: `Value 'a b' at 'roleSessionName' failed to satisfy constraint: …`.
 *
 * @module
 */

import { AWSError, invalid } from './aws-error.ts'

interface TextShape {
  readonly kind: 'text'
  readonly min?: number
  readonly max?: number
  /** As the API model writes it: shown in the refusal, and matched against the whole value. */
  readonly pattern?: string
  /** For a pattern of the model that is no JavaScript. */
  readonly regExp?: RegExp
  readonly oneOf?: readonly string[]
  /** Kept out of the journal, like everything the model marks so. */
  readonly isSensitive?: boolean
}

interface IntegerShape {
  readonly kind: 'integer'
  readonly min: number
  readonly max: number
}

interface FlagShape {
  readonly kind: 'flag'
}

interface ListShape {
  readonly kind: 'list'
  readonly of: Shape
  readonly min?: number
  readonly max?: number
}

/** The members of a request, or of a member of one. */
export interface StructureShape {
  readonly kind: 'structure'
  readonly required: readonly string[]
  readonly members: Readonly<Record<string, Shape>>
}

export type Shape = TextShape | IntegerShape | FlagShape | ListShape | StructureShape

/** What a request of shape `S` is once {@link conform} has seen it. */
export type Value<S> = S extends { kind: 'text' }
  ? string
  : S extends { kind: 'integer' }
    ? number
    : S extends { kind: 'flag' }
      ? boolean
      : S extends { kind: 'list'; of: infer Element }
        ? readonly Value<Element>[]
        : S extends {
              kind: 'structure'
              required: readonly (infer Names)[]
              members: infer Members
            }
          ? { readonly [K in keyof Members & Names]: Value<Members[K]> } & {
              readonly [K in Exclude<keyof Members, Names>]?: Value<Members[K]>
            }
          : never

/**
 * Throws AWS's ValidationError unless `value` has the types and meets the constraints of `shape`.
 */
export function conform<const S extends StructureShape>(shape: S, value: unknown): Value<S> {
  const problems = [...violations(shape, value, '')]
  if (problems.length === 0) return value as Value<S>
  const noun = problems.length === 1 ? 'error' : 'errors'
  throw invalid(`${problems.length} validation ${noun} detected: ${problems.join('; ')}`)
}

/** `value` as a journal may keep it: without the members that `shape` marks as sensitive. */
export function withoutSecrets(shape: Shape | undefined, value: unknown): unknown {
  if (shape?.kind === 'list' && Array.isArray(value)) {
    return value.map((element) => withoutSecrets(shape.of, element))
  }
  if (shape?.kind !== 'structure' || !isRecord(value)) return value
  const kept = Object.entries(shape.members).filter(
    ([name, member]) =>
      value[name] !== undefined && !(member.kind === 'text' && member.isSensitive),
  )
  return Object.fromEntries(
    kept.map(([name, member]) => [name, withoutSecrets(member, value[name])]),
  )
}

function* violations(shape: Shape, value: unknown, path: string): Generator<string> {
  switch (shape.kind) {
    case 'text':
      yield* textViolations(shape, expect(typeof value === 'string', value as string), path)
      return
    case 'integer':
      yield* rangeViolations(shape, expect(Number.isInteger(value), value as number), path)
      return
    case 'flag':
      expect(typeof value === 'boolean', value)
      return
    case 'list':
      yield* listViolations(shape, expect(Array.isArray(value), value as unknown[]), path)
      return
    case 'structure':
      yield* memberViolations(shape, expectRecord(value), path)
      return
  }
}

function* textViolations(shape: TextShape, value: string, path: string): Generator<string> {
  const { min = 0, max = Infinity, pattern, oneOf, isSensitive } = shape
  const refused = `Value '${isSensitive ? '***' : value}' at '${path}' failed to satisfy constraint:`
  // STS counts characters, not UTF-16 units.
  const length = [...value].length
  if (length < min) yield `${refused} Member must have length greater than or equal to ${min}`
  if (length > max) yield `${refused} Member must have length less than or equal to ${max}`
  if (pattern !== undefined && !wholeMatch(shape, pattern).test(value)) {
    yield `${refused} Member must satisfy regular expression pattern: ${pattern}`
  }
  if (oneOf && !oneOf.includes(value)) {
    yield `${refused} Member must satisfy enum value set: [${oneOf.join(', ')}]`
  }
}

function wholeMatch({ regExp }: TextShape, pattern: string): RegExp {
  return regExp ?? new RegExp(`^(?:${pattern})$`, 'u')
}

function* rangeViolations(shape: IntegerShape, value: number, path: string): Generator<string> {
  const refused = `Value '${value}' at '${path}' failed to satisfy constraint:`
  if (value < shape.min) {
    yield `${refused} Member must have value greater than or equal to ${shape.min}`
  }
  if (value > shape.max)
    yield `${refused} Member must have value less than or equal to ${shape.max}`
}

function* listViolations(shape: ListShape, value: unknown[], path: string): Generator<string> {
  const { min = 0, max = Infinity } = shape
  const refused = `Value '[${value.join(', ')}]' at '${path}' failed to satisfy constraint:`
  if (value.length < min) yield `${refused} Member must have length greater than or equal to ${min}`
  if (value.length > max) yield `${refused} Member must have length less than or equal to ${max}`
  for (const [index, element] of value.entries()) {
    yield* violations(shape.of, element, `${path}.${index + 1}.member`)
  }
}

function* memberViolations(
  { required, members }: StructureShape,
  value: Readonly<Record<string, unknown>>,
  path: string,
): Generator<string> {
  for (const [name, member] of Object.entries(members)) {
    const place = `${path === '' ? '' : `${path}.`}${lowerFirst(name)}`
    if (value[name] !== undefined) yield* violations(member, value[name], place)
    else if (required.includes(name)) {
      yield `Value null at '${place}' failed to satisfy constraint: Member must not be null`
    }
  }
}

/** How CloudTrail and the refusals write a member's name: `RoleArn` is `roleArn`. */
export function lowerFirst(name: string): string {
  return name.slice(0, 1).toLowerCase() + name.slice(1)
}

function expect<T>(isOfType: boolean, value: T): T {
  if (!isOfType) throw new AWSError('SerializationException', 'A member has an unexpected type')
  return value
}

function expectRecord(value: unknown): Readonly<Record<string, unknown>> {
  return expect(isRecord(value), value as Readonly<Record<string, unknown>>)
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
