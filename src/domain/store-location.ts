/**
 * Where a store is, as flags, settings and policies write it: `memory:`, `local`, `sqlite:PATH`,
 * `dynamodb:[REGION:]TABLE`, or a table's ARN.
 *
 * @module
 */

export type StoreLocation =
  | { readonly kind: 'memory' }
  /** SQLite in the state directory. */
  | { readonly kind: 'local' }
  | { readonly kind: 'sqlite'; readonly path: string }
  | {
      readonly kind: 'dynamodb'
      readonly table: string
      readonly region?: string
      /** Given as an ARN: the table may be another account's. */
      readonly arn?: string
    }

const REGION = '[a-z]{2,5}(?:-[a-z]+)+-\\d{1,2}'
const TABLE = '[\\w.-]{3,255}'
const ARN = `arn:aws[a-z-]*:dynamodb:${REGION}:\\d{12}:table/${TABLE}`

/** The forms there are, for hints and schemas. */
export const STORE_FORMS =
  'memory:, sqlite:PATH, local, dynamodb:[REGION:]TABLE or the ARN of a table'

/** What every location matches, for schemas: without named groups, which JSON Schema has not. */
export const STORE_LOCATION = new RegExp(
  `^(?:memory:|local|sqlite:\\S(?:.*\\S)?|dynamodb:(?:${REGION}:)?${TABLE}|${ARN})$`,
)

/** Reads a location; `undefined` when it is none. */
export function parseStoreLocation(text: string): StoreLocation | undefined {
  if (!STORE_LOCATION.test(text)) return undefined
  const [scheme = '', ...parts] = text.split(':')
  switch (scheme) {
    case 'memory':
    case 'local':
      return { kind: scheme }
    case 'sqlite':
      return { kind: 'sqlite', path: parts.join(':') }
    case 'dynamodb': {
      const [table = '', region] = parts.toReversed()
      return { kind: 'dynamodb', table, ...(region !== undefined && { region }) }
    }
    default: {
      const [, , , region = '', , resource = ''] = text.split(':')
      return { kind: 'dynamodb', table: resource.replace('table/', ''), region, arn: text }
    }
  }
}

/**
 * Whether `named`, as a policy writes it, is the place `location`: by what they say, which is all
 * there is to go by where nobody may look. A table without a region is in the one of whoever runs.
 */
export function isSamePlace(named: string, location: string): boolean {
  if (named === location) return true
  const [one, other] = [parseStoreLocation(named), parseStoreLocation(location)]
  if (one?.kind !== 'dynamodb' || other?.kind !== 'dynamodb') return false
  if (one.arn !== undefined || other.arn !== undefined || one.table !== other.table) return false
  return one.region === undefined || one.region === other.region
}

/** Whether what is kept at `location`, in its full form, can be read from other machines. */
export function isShared(location: string): boolean {
  return /^(?:dynamodb|arn:[^:]+:dynamodb):/.test(location)
}
