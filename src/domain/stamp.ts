/**
 * The grammar of what Sentinel writes on the sessions it makes (design § 5): names short enough to
 * stand as they are, or ten of their characters, a comma and a hash. The comma is in no short name,
 * so none can pass for a hashed one.
 *
 * @module
 */

/** A regular expression for the user part of a stamp; the same in every basis. */
export const USER_PART = '(?:[A-Za-z0-9._@+-]{1,21}|[A-Za-z0-9._@+-]{0,10},[a-z2-7]{10})'

/** A regular expression for a request id. */
export const REQUEST_ID = '[a-z2-7]{20}'

const SESSION_NAME = new RegExp(`^${USER_PART}-${REQUEST_ID}$`)

/** Whether `name` is a role session name as Sentinel makes them: `alice-<request id>`. */
export function isStampedSessionName(name: string): boolean {
  return SESSION_NAME.test(name)
}
