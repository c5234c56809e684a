import type { UserPattern } from '../domain/policy/types.ts'
import { parseUserPattern } from '../domain/policy/user-pattern.ts'
import type { Principal } from '../domain/principal.ts'
import { SentinelError } from '../errors.ts'

/** AWS's own documentation account: for a principal whose account nobody named. */
const SOME_ACCOUNT = '123456789012'

/**
 * The principal that `text` names as a policy would: `iam:bob`, `sso:Admin/carol@corp.example`,
 * `role:CI/build-7`. Throws `USAGE` when it names more than one, by a `*` or by having no kind.
 */
export function hypotheticalPrincipal(text: string, account = SOME_ACCOUNT): Principal {
  const pattern = read(text)
  if (text.includes('*') || pattern.kind === 'any' || pattern.kind === 'person') {
    throw new SentinelError('USAGE', `--user ${text} does not name one principal`, {
      hint: `give its kind and no *: iam:${text.replaceAll('*', '') || 'bob'}`,
    })
  }
  return principalOf(pattern, account)
}

function read(text: string): UserPattern {
  try {
    return parseUserPattern(text)
  } catch (error) {
    if (!(error instanceof SentinelError)) throw error
    throw new SentinelError('USAGE', `--user: ${error.message}`, { hint: error.hint })
  }
}

function principalOf(
  pattern: Exclude<UserPattern, { kind: 'any' | 'person' }>,
  defaultAccount: string,
): Principal {
  const account = ('account' in pattern && pattern.account) || defaultAccount
  const common = { partition: 'aws', account }
  const session = (role: string, name: string) => ({
    ...common,
    role,
    name,
    uniqueId: `AROAHYPOTHETICAL:${name}`,
    arn: `arn:aws:sts::${account}:assumed-role/${role}/${name}`,
  })
  switch (pattern.kind) {
    case 'iam':
      return {
        ...common,
        kind: 'iam',
        name: pattern.name,
        path: '/',
        uniqueId: 'AIDAHYPOTHETICAL',
        arn: `arn:aws:iam::${account}:user/${pattern.name}`,
      }
    case 'sso': {
      const permissionSet = pattern.permissionSet ?? 'Hypothetical'
      const role = `AWSReservedSSO_${permissionSet}_0123456789abcdef`
      return { ...session(role, pattern.name), kind: 'sso', permissionSet }
    }
    case 'role':
      return { ...session(pattern.role, pattern.session), kind: 'role' }
    case 'web': {
      const { provider, subject } = pattern
      return { ...session('Hypothetical', subject), kind: 'web', provider }
    }
    case 'federated':
      return {
        ...common,
        kind: 'federated',
        name: pattern.name,
        uniqueId: `${account}:${pattern.name}`,
        arn: `arn:aws:sts::${account}:federated-user/${pattern.name}`,
      }
    case 'root':
      return {
        ...common,
        kind: 'root',
        name: 'root',
        uniqueId: account,
        arn: `arn:aws:iam::${account}:root`,
      }
    default:
      return pattern satisfies never
  }
}
