/**
 * The building blocks of the documents' schemas. A schema's `error` is the noun phrase for what is
 * expected (`a quota`, or `a quota, as EXAMPLE`), from which `findings.ts` makes the sentences; its
 * metadata is what JSON Schema can say, which knows nothing of the functions here.
 *
 * @module
 */
import * as z from 'zod'
import { parseDuration } from '../domain/duration.ts'
import { parseSize } from '../domain/size.ts'
import { SentinelError } from '../errors.ts'
import { quote } from './quote.ts'

/** What an issue of our own carries besides its message. */
export interface IssueAdvice {
  readonly hint?: string | undefined
  /** Asked when the problem is shown. */
  readonly suggest?: (() => string | undefined) | undefined
  /** The key to show, of the mapping whose keys do not go together. */
  readonly key?: string | undefined
}

interface TextField<T> extends IssueAdvice {
  readonly noun: string
  readonly description: string
  /** For editors; `parse` decides. */
  readonly pattern?: RegExp
  /** Answers `undefined`, or throws a `SentinelError`, when `text` is none. */
  readonly parse: (text: string) => T | undefined
  readonly advise?: (text: string) => string | undefined
  /** Keeps the text out of messages: an address may hold a password. */
  readonly isSecret?: boolean
}

/** Longer than any name, ARN or URL that AWS knows. */
const TEXT_MAX = 1024

/** Text that `parse` understands. */
export function text<T>(field: TextField<T>) {
  const { noun, description, pattern, parse, advise, hint, isSecret = false } = field
  return z
    .string({ error: noun })
    .transform((text, context): T => {
      const refuse = (message: string, advice: IssueAdvice) => {
        context.addIssue({ code: 'custom', message, params: advice })
        return z.NEVER
      }
      try {
        const value = text.length <= TEXT_MAX ? parse(text) : undefined
        if (value !== undefined) return value
      } catch (error) {
        if (!(error instanceof SentinelError)) throw error
        return refuse(error.message, { hint: error.hint })
      }
      const shown = isSecret ? 'this' : quote(text)
      return refuse(`${shown} is not ${noun}`, { hint, suggest: () => advise?.(text) })
    })
    .meta({ description, ...(pattern !== undefined && { pattern: pattern.source }) })
}

/** Text of the form `pattern`, as it is. */
export function formed(field: Omit<TextField<string>, 'parse'> & { readonly pattern: RegExp }) {
  return text({ ...field, parse: (text) => (field.pattern.test(text) ? text : undefined) })
}

/** One line without blanks around it, which nobody would see. */
export function line(noun: string, description: string) {
  return formed({
    noun,
    description,
    pattern: /^\S(?:[^\n\r]*\S)?$/,
    hint: 'write one line, without blanks before or after it',
  })
}

/** A list with something in it: an empty one could mean nothing or everything. */
export function list<Item extends z.ZodType>(item: Item, noun: string, hint?: string) {
  return z
    .array(item, { error: noun })
    .refine((items) => items.length > 0, {
      message: 'the list is empty',
      params: { hint: hint ?? 'name what you mean, or leave the key out' } satisfies IssueAdvice,
    })
    .meta({ minItems: 1 })
}

/** A mapping that knows no keys but those of `shape`. */
export function mapping<Shape extends z.core.$ZodShape>(noun: string, shape: Shape) {
  return z.strictObject(shape, { error: noun })
}

export function choice<const Values extends readonly [string, ...string[]]>(
  noun: string,
  description: string,
  values: Values,
) {
  return z.enum(values, { error: noun }).meta({ description })
}

export function flag(description: string) {
  return z.boolean({ error: 'true or false' }).meta({ description })
}

/** A whole number from `minimum` to `maximum`. */
export function count(
  description: string,
  { minimum, maximum }: { minimum: number; maximum: number },
) {
  const noun = `a whole number from ${minimum} to ${maximum}`
  return z
    .number({ error: noun })
    .refine((value) => Number.isInteger(value) && minimum <= value && value <= maximum, {
      error: ({ input }) => `${String(input)} is not ${noun}`,
    })
    .meta({ description, type: 'integer', minimum, maximum })
}

/** A size of a file between two others (`1MiB` and `1GiB`, say), as bytes. */
export function size(description: string, { from, to }: { from: string; to: string }) {
  const [minimum = 0, maximum = 0] = [parseSize(from), parseSize(to)]
  return text({
    noun: `a size from ${from} to ${to}`,
    description,
    pattern: /^[1-9]\d{0,5}(?:KiB|MiB|GiB)$/,
    parse: (text) => {
      const bytes = parseSize(text)
      return bytes !== undefined && minimum <= bytes && bytes <= maximum ? bytes : undefined
    },
    hint: 'write a size as 512KiB, 64MiB or 1GiB',
  })
}

/** A duration between two others (`15m` and `12h`, say), as seconds. */
export function duration(description: string, { from, to }: { from: string; to: string }) {
  const [minimum = 0, maximum = 0] = [parseDuration(from), parseDuration(to)]
  return text({
    noun: `a duration from ${from} to ${to}`,
    description: `${description} From ${from} to ${to}, as 90s, 15m, 1h30m or 7d.`,
    pattern: /^(?=.)(?:\d{1,6}d)?(?:\d{1,6}h)?(?:\d{1,6}m)?(?:\d{1,6}s)?$/,
    parse(text) {
      const seconds = parseDuration(text)
      return seconds !== undefined && minimum <= seconds && seconds <= maximum ? seconds : undefined
    },
    advise(text) {
      const seconds = parseDuration(text)
      if (seconds === undefined) return 'write it as 90s, 15m, 1h30m or 7d'
      return seconds < minimum ? `write at least ${from}` : `write at most ${to}`
    },
  })
}

type Camel<Key> = Key extends `${infer Head}_${infer Tail}`
  ? `${Head}${Capitalize<Camel<Tail>>}`
  : Key

type CamelKeys<Fields> = { [Key in keyof Fields as Camel<Key>]: Fields[Key] }

/** `max_duration` of a file as the `maxDuration` of the program, for each key of `fields`. */
export function camelKeys<Fields extends object>(fields: Fields): CamelKeys<Fields> {
  const entries = Object.entries(fields).map(([key, value]) => [camelCase(key), value])
  return Object.fromEntries(entries) as CamelKeys<Fields>
}

function camelCase(key: string): string {
  return key.replaceAll(/_([a-z])/g, (_, letter: string) => letter.toUpperCase())
}
