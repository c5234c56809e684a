/**
 * JSON of one line whose every byte is determined by what it says: so that a signature over it, or
 * a comparison, means the same to everybody.
 *
 * @module
 */
import { SentinelError } from '../errors.ts'
import { asciiJSON } from './ascii-json.ts'

export type Fields = Readonly<Record<string, unknown>>

/** What a field must look like, by its name. */
export type Forms = Readonly<Record<string, (value: unknown) => boolean>>

/** JSON of one line in 0x20–0x7e; members stand in the order in which they were put there. */
export function toCanonical(fields: Fields): string {
  return asciiJSON(fields)
}

/** Reads an object of JSON, a newline behind it or not. Throws `STATEMENT_INVALID`. */
export function parseFields(text: string, what: string): Fields {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw invalid(`${what} is not JSON`, `give the one line that made ${what}, as it was printed`)
  }
  if (isFields(value)) return value
  throw invalid(`${what} is no JSON object`, `give the one line that made ${what}`)
}

export function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/**
 * Throws `STATEMENT_INVALID` unless `fields` are of version 1 and of `type`, and besides that have
 * exactly those that `forms` names, each in its form.
 */
export function assertForms(fields: Fields, what: string, type: string, forms: Forms): void {
  if (fields.type !== type) throw invalid(`${what} is not of type ${type}`, `give ${what} itself`)
  if (fields.v !== 1) throw invalid(`${what} is not of version 1`, 'use a newer Sentinel')
  const unknown = Object.keys(fields).find(
    (name) => name !== 'v' && name !== 'type' && !Object.hasOwn(forms, name),
  )
  if (unknown !== undefined) {
    throw invalid(`${what} has a field that nobody knows: "${unknown}"`, 'use a newer Sentinel')
  }
  for (const [name, hasForm] of Object.entries(forms)) {
    if (Object.hasOwn(fields, name) && hasForm(fields[name])) continue
    throw invalid(`${what} has no ${name}, or none in its form`, ASK_AGAIN)
  }
}

/** Throws `STATEMENT_INVALID` unless `text`, but for a newline behind it, is `canonical`. */
export function assertCanonical(text: string, canonical: string, what: string): void {
  if (text === canonical || text === `${canonical}\n`) return
  throw invalid(`${what} is not written as Sentinel writes one`, ASK_AGAIN)
}

const ASK_AGAIN = 'it was changed on its way: ask for it again'

function invalid(message: string, hint: string): SentinelError {
  return new SentinelError('STATEMENT_INVALID', message, { hint })
}

/** Whether `value` is 32 bytes in hex. */
export function isHash(value: unknown): value is string {
  return typeof value === 'string' && /^[0-9a-f]{64}$/.test(value)
}

/** Whether `value` is a whole number of at least `least`. */
export function isCount(value: unknown, least: number): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= least
}
