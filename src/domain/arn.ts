/**
 * The ARNs that Sentinel compares: roles, and the callers that STS names. By full grammar, from the
 * first character to the last; what is not in it is not understood, and so not trusted.
 *
 * @module
 */

interface ArnFields {
  /** `aws`, `aws-cn`, `aws-us-gov`, … */
  readonly partition: string
  readonly account: string
}

export interface RoleArn extends ArnFields {
  /** `/`, or `/team/payments/`. */
  readonly path: string
  readonly name: string
}

/** A caller as GetCallerIdentity names it. */
export type CallerArn = ArnFields &
  (
    | { readonly type: 'user'; readonly path: string; readonly name: string }
    /** STS leaves the path of the role out. */
    | { readonly type: 'assumed-role'; readonly role: string; readonly session: string }
    | { readonly type: 'federated-user'; readonly name: string }
    | { readonly type: 'root' }
  )

/** IAM's and STS's own limit for an ARN. */
const MAX_LENGTH = 2048

const OWNER = '(?<partition>aws(?:-[a-z0-9]+)*):SERVICE::(?<account>[0-9]{12})'
const IN_IAM = `arn:${OWNER.replace('SERVICE', 'iam')}`
const IN_STS = `arn:${OWNER.replace('SERVICE', 'sts')}`
/** A path may hold any printable character, colons and slashes too; a name neither. */
const PATH = '(?<path>/(?:[\\x21-\\x7e]+/)?)'
const NAME = '[\\w+=,.@-]'

const ROLE = new RegExp(`^${IN_IAM}:role${PATH}(?<name>${NAME}{1,64})$`)
// AWS says `iam` of a user, always; moto, a stand-in that many test with, says `sts` of the owner
// of keys it has never seen. Nothing else in either service is called `user`.
const IN_EITHER = `arn:${OWNER.replace('SERVICE', '(?:iam|sts)')}`
const USER = new RegExp(`^${IN_EITHER}:user${PATH}(?<name>${NAME}{1,64})$`)
const ROOT = new RegExp(`^${IN_IAM}:root$`)
const ASSUMED_ROLE = new RegExp(
  `^${IN_STS}:assumed-role/(?<role>${NAME}{1,64})/(?<session>${NAME}{2,64})$`,
)
const FEDERATED_USER = new RegExp(`^${IN_STS}:federated-user/(?<name>${NAME}{2,32})$`)

/** `undefined` when `arn` is not that of an IAM role. */
export function parseRoleArn(arn: string): RoleArn | undefined {
  return read<'path' | 'name'>(ROLE, arn)
}

/** `undefined` when `arn` is in none of the forms that GetCallerIdentity answers. */
export function parseCallerArn(arn: string): CallerArn | undefined {
  const user = read<'path' | 'name'>(USER, arn)
  if (user) return { type: 'user', ...user }
  const session = read<'role' | 'session'>(ASSUMED_ROLE, arn)
  if (session) return { type: 'assumed-role', ...session }
  const federated = read<'name'>(FEDERATED_USER, arn)
  if (federated) return { type: 'federated-user', ...federated }
  const root = read<never>(ROOT, arn)
  return root && { type: 'root', ...root }
}

/**
 * The name, without its path, of the role that `arn` (of a role, or of a session of one) is for.
 */
export function roleName(arn: string): string | undefined {
  const caller = parseCallerArn(arn)
  return caller?.type === 'assumed-role' ? caller.role : parseRoleArn(arn)?.name
}

/**
 * Whether `assumedRoleArn` is the session called `sessionName` of the role `roleArn`, as far as it
 * can tell: a session's ARN leaves out the role's path.
 */
export function isAssumedRoleOf(
  assumedRoleArn: string,
  roleArn: string,
  sessionName: string,
): boolean {
  const session = parseCallerArn(assumedRoleArn)
  const role = parseRoleArn(roleArn)
  return (
    role !== undefined &&
    session?.type === 'assumed-role' &&
    session.partition === role.partition &&
    session.account === role.account &&
    session.role === role.name &&
    session.session === sessionName
  )
}

function read<Part extends string>(
  grammar: RegExp,
  arn: string,
): (ArnFields & Record<Part, string>) | undefined {
  if (arn.length > MAX_LENGTH) return undefined
  const groups = grammar.exec(arn)?.groups
  // Every group of every grammar above takes part in every match.
  return groups && ({ ...groups } as unknown as ArnFields & Record<Part, string>)
}
