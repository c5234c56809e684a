/**
 * What exists in the stand-in's AWS: accounts with users, roles and identity providers. Permissions
 * are those of trust policies alone: every principal's own policy is taken to allow everything.
 *
 * @module
 */

import { createHash } from 'node:crypto'

export interface World {
  /** Where requests may be signed for; the first is home to parameters put without a region. */
  readonly regions: readonly string[]
  /** The first is home to parameters put without an account. */
  readonly accounts: readonly Account[]
}

interface Account {
  readonly id: string
  readonly rootKeys?: readonly KeyPair[]
  readonly users?: readonly User[]
  readonly roles?: readonly Role[]
  readonly oidcProviders?: readonly OIDCProvider[]
}

/** An access key. The id must contain `DEMO`, so that no real key can get in here. */
export interface KeyPair {
  readonly accessKeyId: string
  readonly secretAccessKey: string
}

export interface User {
  readonly name: string
  /** `/`, unless given. */
  readonly path?: string
  readonly keys: readonly KeyPair[]
  /** The secret that the user's virtual MFA device shares with AWS. */
  readonly mfaSeed?: string
}

export interface Role {
  readonly name: string
  /** `/`, unless given. */
  readonly path?: string
  /** `MaxSessionDuration`, in seconds: 3600 to 43200. */
  readonly maxSessionSeconds: number
  readonly trust: Trust
  /** Sessions that live already when the world begins, such as those of Identity Center. */
  readonly sessions?: readonly RoleSession[]
}

/** A role's trust policy. */
interface Trust {
  /** Account ids, and ARNs of accounts' roots, users, roles and role sessions. */
  readonly principals: readonly string[]
  /** Whether it allows them `sts:SetSourceIdentity`. */
  readonly maySetSourceIdentity: boolean
  /** Whether it allows them `sts:TagSession`. Absent: no. */
  readonly mayTagSession?: boolean
  /** Condition `sts:ExternalId`. */
  readonly externalId?: string
  /** Condition `aws:MultiFactorAuthPresent`. */
  readonly requiresMFA?: boolean
  /** Who may come by AssumeRoleWithWebIdentity. */
  readonly webIdentity?: { readonly issuer: string; readonly subjects: readonly string[] }
}

interface RoleSession {
  readonly name: string
  readonly key: KeyPair & { readonly sessionToken: string }
  /** Seconds, from the opening of the stand-in. */
  readonly lifetime: number
}

export interface OIDCProvider {
  /** `https://token.ci.example`. */
  readonly issuer: string
  /** The client ids registered with the provider. */
  readonly audiences: readonly string[]
  /** The tokens that pass for signed by it. */
  readonly tokens: readonly OIDCToken[]
}

export interface OIDCToken {
  readonly value: string
  readonly subject: string
  readonly audience: string
}

/** A role with what AWS makes of it. */
export interface KnownRole extends Role {
  readonly account: string
  readonly arn: string
  /** `AROA…`. */
  readonly uniqueId: string
}

/** Who signs a request. */
export type Identity = {
  readonly account: string
  /** As GetCallerIdentity gives it. */
  readonly arn: string
  /** GetCallerIdentity's UserId. */
  readonly userId: string
} & (
  | { readonly kind: 'root' }
  | { readonly kind: 'user'; readonly name: string }
  | {
      readonly kind: 'role'
      readonly role: KnownRole
      readonly sourceIdentity?: string | undefined
      readonly web?: { readonly issuer: string; readonly subject: string }
    }
)

/** The identity of account `id`'s root user. */
export function rootIdentity(id: string): Identity {
  return { kind: 'root', account: id, arn: `arn:aws:iam::${id}:root`, userId: id }
}

export function userIdentity(account: string, { name, path = '/' }: User): Identity {
  const arn = `arn:aws:iam::${account}:user${path}${name}`
  return { kind: 'user', account, arn, userId: uniqueId('AIDA', arn), name }
}

/** `sourceIdentity` and `web` as the session was begun with them. */
export function sessionIdentity(
  role: KnownRole,
  sessionName: string,
  origin: { sourceIdentity?: string | undefined; web?: { issuer: string; subject: string } } = {},
): Identity {
  return {
    kind: 'role',
    account: role.account,
    // Without the role's path: so AWS writes it.
    arn: `arn:aws:sts::${role.account}:assumed-role/${role.name}/${sessionName}`,
    userId: `${role.uniqueId}:${sessionName}`,
    role,
    ...origin,
  }
}

export function knownRole(account: string, role: Role): KnownRole {
  const arn = `arn:aws:iam::${account}:role${role.path ?? '/'}${role.name}`
  return { ...role, account, arn, uniqueId: uniqueId('AROA', arn) }
}

/** The ARN of a user's virtual MFA device: AWS's default name for it is the user's. */
export function mfaSerial(account: string, userName: string): string {
  return `arn:aws:iam::${account}:mfa/${userName}`
}

function uniqueId(prefix: string, arn: string): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'
  const digest = createHash('sha256').update(arn).digest().subarray(0, 17)
  return prefix + Array.from(digest, (byte) => alphabet[byte % alphabet.length]).join('')
}
