/**
 * Who asks, as STS says it.
 *
 * @module
 */
import { SentinelError } from '../errors.ts'
import { type CallerArn, parseCallerArn } from './arn.ts'
import { isStampedSessionName } from './stamp.ts'
import { escapeProvider, providerName, type WebIdentity } from './web-identity.ts'

/** What STS's GetCallerIdentity answers. */
export interface CallerIdentity {
  readonly arn: string
  readonly userId: string
  readonly account: string
}

interface PrincipalFields {
  /** `aws`, `aws-cn`, `aws-us-gov`, … */
  readonly partition: string
  readonly account: string
  /** The caller's name within its kind: user name, session name, subject; `root` for root. */
  readonly name: string
  /** GetCallerIdentity's UserId: `AIDA…`, `AROA…:session`. Never reused by AWS. */
  readonly uniqueId: string
  readonly arn: string
}

export type Principal = PrincipalFields &
  (
    | { readonly kind: 'iam'; readonly path: string }
    /** An Identity Center session: role `AWSReservedSSO_<permissionSet>_<hash>`. */
    | { readonly kind: 'sso'; readonly role: string; readonly permissionSet: string }
    | { readonly kind: 'role'; readonly role: string }
    | { readonly kind: 'federated' }
    /** A role session made by AssumeRoleWithWebIdentity; `name` is the token's subject. */
    | { readonly kind: 'web'; readonly role: string; readonly provider: string }
    | { readonly kind: 'root' }
  )

/**
 * Identity Center's roles. IAM lets nobody but AWS create a role whose name begins with
 * `AWSReservedSSO_`, so the session name behind one is the person that Identity Center signed in,
 * and not the caller's choice. A permission set's name may hold underscores; the hash may not.
 */
const SSO_ROLE = /^AWSReservedSSO_(?<permissionSet>[\w+=,.@-]+)_[0-9a-f]{16}$/

const UNIQUE_ID = /^[\w+=,.@:-]{1,256}$/

/**
 * The principal that STS named. `webIdentity` is what AssumeRoleWithWebIdentity answered, when that
 * call made the credentials. Throws `PRINCIPAL_UNKNOWN` for anything outside the grammar.
 */
export function parsePrincipal(identity: CallerIdentity, webIdentity?: WebIdentity): Principal {
  const caller = parseCallerArn(identity.arn)
  if (caller === undefined) throw unknown(identity, 'its ARN is in no known form')
  if (caller.account !== identity.account)
    throw unknown(identity, 'its account is not that of its ARN')
  if (!hasUniqueId(identity, caller)) throw unknown(identity, 'its UserId is in no known form')

  const { partition, account } = caller
  const fields = { partition, account, uniqueId: identity.userId, arn: identity.arn }
  if (webIdentity) return parseWebPrincipal(identity, caller, webIdentity, fields)
  switch (caller.type) {
    case 'user':
      return { ...fields, kind: 'iam', name: caller.name, path: caller.path }
    case 'assumed-role':
      return parseSession(caller, fields)
    case 'federated-user':
      return { ...fields, kind: 'federated', name: caller.name }
    case 'root':
      return { ...fields, kind: 'root', name: 'root' }
  }
}

/** Whether `a` and `b` are one caller: a run never goes on as another. */
export function isSamePrincipal(a: Principal, b: Principal): boolean {
  if (a.partition !== b.partition || a.account !== b.account || a.kind !== b.kind) return false
  // The session name in a web identity's UserId is made up anew for every token. What stays is the
  // role's own id, before the colon, and whom the token names.
  if (a.kind === 'web' && b.kind === 'web') {
    return (
      roleId(a) === roleId(b) && a.role === b.role && a.provider === b.provider && a.name === b.name
    )
  }
  return a.uniqueId === b.uniqueId
}

/**
 * The human side of `principal`: what grants are given to, and what must differ between requester
 * and approver. An Identity Center session is its user, whatever the permission set or account; a
 * principal that stands for nobody is itself. Two different principals of the latter kind never
 * have the same text.
 */
export function personOf(principal: Principal): string {
  const { partition, account, name } = principal
  switch (principal.kind) {
    case 'sso':
      return `sso:${name}`
    case 'iam':
      return `iam:${account}/${name}`
    case 'role':
      return `role:${partition}/${account}/${principal.role}/${name}`
    case 'federated':
      return `federated:${partition}/${account}/${name}`
    case 'web':
      return `web:${partition}/${account}/${principal.role}/${escapeProvider(principal.provider)}/${name}`
    case 'root':
      return `root:${partition}/${account}`
  }
}

/**
 * The user patterns a policy could name `principal` by, most specific first. The one without a kind
 * holds only in an account of the policy's `principal_accounts`.
 */
export function describePrincipal(principal: Principal): readonly string[] {
  const { account, name } = principal
  switch (principal.kind) {
    case 'iam': {
      const kinded = [`iam:${account}/${name}`, `iam:${name}`]
      // `root` alone is the account's root user, never an IAM user of that name.
      return name === 'root' ? [...kinded, '*'] : [...kinded, name, '*']
    }
    case 'sso': {
      const kinded = [`sso:${principal.permissionSet}/${name}`, `sso:${name}`]
      return name === 'root' ? [...kinded, '*'] : [...kinded, name, '*']
    }
    case 'role': {
      const full = `role:${account}/${principal.role}/${name}`
      // A role that is named like an account would be read as one.
      return /^\d{12}$/.test(principal.role)
        ? [full, '*']
        : [full, `role:${principal.role}/${name}`, '*']
    }
    case 'federated':
      return [`federated:${name}`, '*']
    case 'web':
      return [`web:${escapeProvider(principal.provider)}/${name}`, '*']
    case 'root':
      return ['root', '*']
  }
}

/**
 * Whether Sentinel itself issued the credentials: they can be stamped no second time, and never
 * approve, break glass, review or revoke. Told by the session name, which whoever makes a session
 * of another role may choose: one that looks like ours is taken for ours.
 */
export function isIssuedBySentinel(principal: Principal): boolean {
  return principal.kind === 'role' && isStampedSessionName(principal.name)
}

type CommonFields = Omit<PrincipalFields, 'name'>

/**
 * A session's UserId is the role's own id and the session's name; a user's and root's is one id. In
 * a store, where anybody may have written the ARN, this keeps a session from passing for a user.
 */
function hasUniqueId({ userId }: CallerIdentity, caller: CallerArn): boolean {
  if (!UNIQUE_ID.test(userId)) return false
  const [owner, ...names] = userId.split(':')
  const name = names.join(':')
  switch (caller.type) {
    case 'assumed-role':
      return owner !== '' && name === caller.session
    case 'federated-user':
      return owner !== '' && name === caller.name
    case 'user':
    case 'root':
      return names.length === 0
  }
}

function parseSession(
  { role, session }: CallerArn & { type: 'assumed-role' },
  fields: CommonFields,
): Principal {
  const permissionSet = SSO_ROLE.exec(role)?.groups?.permissionSet
  return permissionSet === undefined
    ? { ...fields, kind: 'role', name: session, role }
    : { ...fields, kind: 'sso', name: session, role, permissionSet }
}

function parseWebPrincipal(
  identity: CallerIdentity,
  caller: CallerArn,
  { provider, subject }: WebIdentity,
  fields: CommonFields,
): Principal {
  if (caller.type !== 'assumed-role') throw unknown(identity, 'a web identity assumes a role')
  const name = providerName(provider)
  if (name === '' || subject === '') throw unknown(identity, 'its token names nobody')
  return { ...fields, kind: 'web', name: subject, role: caller.role, provider: name }
}

function roleId({ uniqueId }: Principal): string {
  return uniqueId.slice(0, uniqueId.indexOf(':'))
}

function unknown({ arn }: CallerIdentity, problem: string): SentinelError {
  return new SentinelError('PRINCIPAL_UNKNOWN', `STS named a caller ("${arn}"), but ${problem}`, {
    hint: 'use the credentials of an IAM user, a role, Identity Center or a web identity',
  })
}
