/**
 * The stamp on every session that Sentinel makes: who, on what basis, under which request id.
 *
 *     SourceIdentity    sentinel=alice=policy=mzxw6ytboi3damrqgaya     at most 63 characters
 *     RoleSessionName   alice-mzxw6ytboi3damrqgaya                     at most 42
 *
 * STS allows `[\w+=,.@-]`, 2 to 64 of them: no colon, ever.
 *
 * @module
 */
import type { Basis } from './policy/types.ts'
import { type Principal, personOf } from './principal.ts'
import { isStampedSessionName, REQUEST_ID, USER_PART } from './stamp.ts'

/** What a SourceIdentity of Sentinel's says. */
export interface Stamp {
  readonly user: string
  readonly basis: Basis
  readonly requestId: string
}

const SOURCE_IDENTITY = new RegExp(
  `^sentinel=(?<user>${USER_PART})=(?<basis>policy|approval|break_glass)=(?<requestId>${REQUEST_ID})$`,
)
const SHORT_NAME = /^[A-Za-z0-9._@+-]{1,21}$/
const BASE32 = 'abcdefghijklmnopqrstuvwxyz234567'
const REQUEST_ID_BYTES = 12

/**
 * Who `principal` is in stamps and records: an IAM user's or Identity Center user's name as it is,
 * when it is short and plain; otherwise ten characters of the name, a comma, and 50 bits of the
 * hash of {@link personOf}, so that a user has one user part under every permission set.
 */
export function userPart(principal: Principal, sha256: (text: string) => Uint8Array): string {
  const { kind, name } = principal
  if ((kind === 'iam' || kind === 'sso') && SHORT_NAME.test(name)) return name
  const plain = name.replace(/[^A-Za-z0-9._@+-]/g, '').slice(0, 10)
  return `${plain},${base32(sha256(personOf(principal))).slice(0, 10)}`
}

/** The SourceIdentity of an issuance. `user` is a {@link userPart}, `requestId` a request id. */
export function sourceIdentity(user: string, basis: Basis, requestId: string): string {
  const text = `sentinel=${user}=${basis}=${requestId}`
  if (parseSourceIdentity(text) === undefined) throw new TypeError(`not a stamp: ${text}`)
  return text
}

/** The RoleSessionName of an issuance; `isIssuedBySentinel` knows it again. */
export function roleSessionName(user: string, requestId: string): string {
  const text = `${user}-${requestId}`
  if (!isStampedSessionName(text)) throw new TypeError(`not a session name: ${text}`)
  return text
}

/** What every SourceIdentity of `user` matches, for `sts:SourceIdentity` in IAM's StringLike. */
export function sourceIdentityPattern(user: string): string {
  return `sentinel=${user}=*`
}

/** Reads a SourceIdentity back; `undefined` when Sentinel did not write it. */
export function parseSourceIdentity(text: string): Stamp | undefined {
  const groups = SOURCE_IDENTITY.exec(text)?.groups
  // The grammar has exactly these three groups, and `basis` is one of the three words.
  return groups && ({ ...groups } as unknown as Stamp)
}

/** Writes 12 random bytes as a request id: 20 characters. */
export function toRequestId(bytes: Uint8Array): string {
  if (bytes.length !== REQUEST_ID_BYTES) throw new RangeError(`${bytes.length} bytes, not 12`)
  return base32(bytes)
}

/** RFC 4648, lower case, without padding. */
export function base32(bytes: Uint8Array): string {
  let text = ''
  let pending = 0
  let bits = 0
  for (const byte of bytes) {
    pending = (pending << 8) | byte
    bits += 8
    while (bits >= 5) {
      bits -= 5
      text += BASE32[pending >> bits]
      pending &= (1 << bits) - 1
    }
  }
  return bits > 0 ? text + BASE32[pending << (5 - bits)] : text
}
