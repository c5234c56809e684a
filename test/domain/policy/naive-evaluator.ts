/**
 * A second evaluator, written from the text of design § 4 and from nothing of `src`: slow and plain,
 * on regular expressions, Intl and the texts of patterns.
 *
 * @module
 */
import type {
  AccessInput,
  Decision,
  Grant,
  Policy,
  Remedy,
  Rule,
} from '../../../src/domain/policy/types.ts'
import type { Principal } from '../../../src/domain/principal.ts'
import { isWithinByCalendar, readWall } from './wall-reference.ts'

type Answer = Pick<Decision, 'outcome' | 'effect' | 'basis'> & {
  readonly rule: number | undefined
  readonly grant: string | undefined
  readonly grantEndsAt: number | undefined
  readonly maxDuration: number | undefined
  readonly unstamped: boolean
}

/** What the policy answers, without reasons and remedies. */
export function answer(policy: Policy, input: AccessInput): Answer {
  const refusal = {
    outcome: 'refuse',
    basis: 'policy',
    grant: undefined,
    grantEndsAt: undefined,
    maxDuration: undefined,
    unstamped: false,
  } as const
  const binding = policy.profiles?.filter(({ profile }) => glob(profile, input.profile))[0]
  if (binding && !(input.target.roleArn && glob(binding.role, input.target.roleArn))) {
    return { ...refusal, effect: 'deny', rule: undefined }
  }

  const matching = policy.rules.map((rule) => ruleMatches(policy, rule, input))
  const index = matching.indexOf(true)
  const rule = policy.rules[index]
  const base = { ...refusal, effect: rule?.effect ?? 'deny', rule: rule && index } as const
  const caps = [rule?.maxDuration, input.mode === 'server' ? rule?.maxServerDuration : undefined]

  if (rule && effectAllows(policy, rule, input)) {
    if (!input.target.stamped && !rule.unstamped) return { ...base, unstamped: true }
    return { ...base, outcome: 'allow', maxDuration: smallest(caps) }
  }
  const grants = input.grants
    .map((grant) => ({ grant, end: endOfLift(policy, rule, input, grant) }))
    .filter(({ grant, end }) => grant.startsAt <= input.at && end > input.at)
  if (grants.length === 0) return base
  if (!input.target.stamped) return { ...base, unstamped: true }
  const latest = Math.max(...grants.map(({ end }) => end))
  const { grant } = grants.find(({ end }) => end === latest)!
  return {
    ...base,
    outcome: 'allow',
    basis: grant.basis,
    grant: grant.id,
    grantEndsAt: latest,
    maxDuration: smallest([...caps, coveringRule(policy, grant.basis, input)?.maxDuration]),
  }
}

/** The remedies that can be told without looking into the future. */
export function remediesNow(policy: Policy, input: AccessInput): Remedy[] {
  const isMisbound = policy.profiles
    ?.filter(({ profile }) => glob(profile, input.profile))
    .slice(0, 1)
    .some(({ role }) => !(input.target.roleArn && glob(role, input.target.roleArn)))
  if (isMisbound || answer(policy, input).outcome === 'allow') return []

  const remedies: Remedy[] = []
  const server = { ...input, mode: 'server' } as const
  const store = policy.stores.sessions
  if (answer(policy, server).outcome === 'allow') remedies.push({ kind: 'server' })
  else if (answer(policy, { ...server, sessionStore: store ?? 'dynamodb:x' }).outcome === 'allow') {
    remedies.push(store ? { kind: 'server_session', store } : { kind: 'server_session' })
  }
  // A grant would help if one, made up for this, changes the answer.
  const helps = (basis: Grant['basis']) => {
    const { principal, profile, target, at } = input
    const grant = {
      id: 'x',
      basis,
      person: person(principal),
      profile,
      roleArn: target.roleArn ?? '',
    }
    const grants = [{ ...grant, startsAt: at, endsAt: at + 1 }]
    return answer(policy, { ...input, grants }).outcome === 'allow'
  }
  if (helps('approval')) {
    const covering = policy.approvals.find((rule) => grantRuleCovers(policy, rule, input))
    const { principal } = input
    const approvers = (covering?.approvers ?? [])
      .map(({ text }) => text)
      .filter((text) => text.includes('*') || !isUser(text, principal, policy.principalAccounts))
    if (approvers.length > 0) {
      remedies.push({ kind: 'request', profile: input.profile, approvers })
    }
  }
  if (helps('break_glass')) remedies.push({ kind: 'break_glass', profile: input.profile })
  return remedies
}

/** Whether all conditions of `rule` hold. */
export function ruleMatches(policy: Policy, rule: Rule, input: AccessInput): boolean {
  const { profiles, users, roles, accounts, mode, time } = rule.conditions
  const { roleArn, account } = input.target
  const isNameUsable = isBound(policy, input) || rule.effect === 'deny'
  const failures = [
    profiles && !(isNameUsable && profiles.some((pattern) => glob(pattern, input.profile))),
    users && !users.some(({ text }) => isUser(text, input.principal, policy.principalAccounts)),
    roles && !roles.some((pattern) => roleArn !== undefined && glob(pattern, roleArn)),
    accounts && !accounts.some((pattern) => glob(pattern, account)),
    mode && !mode.some((one) => one === input.mode),
    time && !isWithinByCalendar(time, readWall(time.timezone, input.at)),
  ]
  return !failures.some(Boolean)
}

function isBound({ profiles }: Policy, input: AccessInput): boolean {
  return profiles === undefined || profiles.some(({ profile }) => glob(profile, input.profile))
}

function effectAllows(
  policy: Policy,
  { effect }: Rule,
  { mode, sessionStore }: AccessInput,
): boolean {
  if (effect === 'allow') return true
  if (effect === 'require_server') return mode === 'server'
  if (effect !== 'require_server_session' || mode !== 'server' || !sessionStore) return false
  const named = policy.stores.sessions
  return named ? sessionStore === named : sessionStore.startsWith('dynamodb:')
}

function endOfLift(
  policy: Policy,
  rule: Rule | undefined,
  input: AccessInput,
  grant: Grant,
): number {
  const covering = coveringRule(policy, grant.basis, input)
  const isLiftable =
    rule === undefined ||
    rule.effect === 'require_approval' ||
    (rule.effect === 'deny' &&
      grant.basis === 'break_glass' &&
      covering !== undefined &&
      'overridesDeny' in covering &&
      covering.overridesDeny)
  const isTheirs =
    grant.person === person(input.principal) &&
    grant.profile === input.profile &&
    grant.roleArn === input.target.roleArn
  if (!covering || !isLiftable || !isTheirs) return 0
  return Math.min(grant.endsAt, grant.startsAt + (covering.maxDuration ?? Infinity) * 1000)
}

function coveringRule(policy: Policy, basis: Grant['basis'], input: AccessInput) {
  const rules = basis === 'approval' ? policy.approvals : policy.breakGlass
  return rules.find((rule) => grantRuleCovers(policy, rule, input))
}

function grantRuleCovers(
  policy: Policy,
  { profiles, users }: Policy['approvals'][0] | Policy['breakGlass'][0],
  input: AccessInput,
): boolean {
  return (
    isBound(policy, input) &&
    profiles.some((pattern) => glob(pattern, input.profile)) &&
    users.some(({ text }) => isUser(text, input.principal, policy.principalAccounts))
  )
}

function isUser(text: string, principal: Principal, accounts?: readonly string[]): boolean {
  const { kind, account, name } = principal
  if (text === '*') return true
  if (text === 'root') return kind === 'root'
  const colon = text.indexOf(':')
  if (colon < 0) {
    const isPerson = kind === 'iam' || kind === 'sso'
    return isPerson && glob(text, name) && (!accounts || accounts.includes(account))
  }
  if (text.slice(0, colon) !== kind) return false
  const names: Record<string, string[][]> = {
    iam: [[name], [account, name]],
    sso: [[name], ['permissionSet' in principal ? principal.permissionSet : '', name]],
    role: [['role' in principal ? principal.role : '', name]],
    federated: [[name]],
    web: [['provider' in principal ? principal.provider : '', name]],
  }
  names.role!.push([account, ...names.role![0]!])
  const rest = text.slice(colon + 1)
  const [provider = ''] = rest.split('/')
  const parts =
    kind === 'web'
      ? [decodeURIComponent(provider), rest.slice(provider.length + 1)]
      : rest.split('/')
  return (names[kind] ?? []).some(
    (own) => own.length === parts.length && own.every((part, index) => glob(parts[index]!, part)),
  )
}

function person({ kind, account, name, ...rest }: Principal): string {
  if (kind === 'sso') return `sso:${name}`
  if (kind === 'iam') return `iam:${account}/${name}`
  const parts = [
    rest.partition,
    account,
    'role' in rest ? rest.role : [],
    'provider' in rest ? rest.provider.replace(/\//g, '%2F') : [],
    kind === 'root' ? [] : name,
  ]
  return `${kind}:${parts.flat().join('/')}`
}

const globs = new Map<string, RegExp>()

function glob(pattern: string, text: string): boolean {
  const known =
    globs.get(pattern) ?? new RegExp(`^${pattern.split('*').map(RegExp.escape).join('.*')}$`, 's')
  globs.set(pattern, known)
  return known.test(text)
}

function smallest(caps: readonly (number | undefined)[]): number | undefined {
  return caps.filter((cap) => cap !== undefined).sort((a, b) => a - b)[0]
}
