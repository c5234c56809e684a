import { hypotheticalPrincipal } from '../../app/hypothetical.ts'
import { adviceOf } from '../../app/refusal.ts'
import type { Deps } from '../../deps.ts'
import { formatDuration } from '../../domain/duration.ts'
import { explain } from '../../domain/policy/evaluate.ts'
import {
  type Explanation,
  MODES,
  type Mode,
  type Policy,
  type Target,
} from '../../domain/policy/types.ts'
import type { Principal } from '../../domain/principal.ts'
import { toSeconds } from '../../domain/time.ts'
import { hasCode, SentinelError } from '../../errors.ts'
import { nearest } from '../../near-miss.ts'
import { defineCommand } from '../command.ts'
import { POLICY_OPTIONS } from '../issue-options.ts'
import { chooseProfile } from '../profile-argument.ts'

export default defineCommand({
  usage: 'policy explain [profile]',
  summary: 'Show how the policy decides, rule by rule, for you or for somebody else',
  examples: [
    'policy explain prod --policy policy.yaml --mode server',
    'policy explain prod --policy policy.yaml --user iam:bob --role arn:aws:iam::444455556666:role/Prod',
  ],
  options: {
    profile: {
      type: 'string',
      value: 'PROFILE',
      summary: 'The profile, instead of as an argument',
    },
    user: {
      type: 'string',
      value: 'USER',
      summary: 'Somebody else, as in a policy: iam:bob, sso:Admin/carol@corp.example',
    },
    mode: { type: 'string', value: MODES.join('|'), summary: 'How it is asked for (default: cli)' },
    at: {
      type: 'string',
      value: 'TIME',
      summary: 'When: 2026-01-14T23:00:00+01:00 (default: now)',
    },
    role: { type: 'string', value: 'ARN', summary: 'The role (default: that of the profile)' },
    ...POLICY_OPTIONS,
  },

  async run({ args: [given], options }, deps) {
    const profile = chooseProfile(given, options.profile, deps)
    const mode = readMode(options.mode ?? 'cli')
    const at = options.at === undefined ? deps.clock.aws() : readInstant(options.at)
    const { policy, reference } = await readPolicy(options, profile, deps)
    const { principal, target } = await whoAndWhat(profile, options, policy, deps)
    const explanation = explain(policy, { principal, profile, target, mode, at, grants: [] })
    const question = { principal: principal.arn, profile, role: target.roleArn, mode, at }
    deps.out.print(
      render(explanation, `${principal.arn} asks for ${profile} (${mode}) at ${toSeconds(at)}`),
      { policy: reference, asked: { ...question, at: toSeconds(at) }, ...explanation },
    )
    return undefined
  },
})

async function readPolicy(
  options: Parameters<Deps['checkPolicy']>[0],
  profile: string,
  deps: Deps,
): Promise<{ policy: Policy; reference: string }> {
  const { policy, problems, reference } = await deps.checkPolicy(options, profile)
  const [first] = problems
  if (policy) return { policy, reference }
  throw new SentinelError(
    'POLICY_INVALID',
    `${reference}:${first?.line}:${first?.column}: ${first?.message}`,
    { hint: first?.hint ?? 'see all of them with: sentinel policy validate' },
  )
}

interface Question {
  readonly user?: string | undefined
  readonly role?: string | undefined
}

/** The real caller and profile, as far as neither is replaced by a hypothetical one. */
async function whoAndWhat(
  profile: string,
  { user, role }: Question,
  policy: Policy,
  deps: Deps,
): Promise<{ principal: Principal; target: Target }> {
  if (user === undefined) {
    const { principal, target } = await deps.identify(profile)
    return { principal, target: role === undefined ? target : targetOf(role) }
  }
  const principal = hypotheticalPrincipal(user, policy.principalAccounts?.[0])
  const roleArn = role ?? (await roleOf(profile, deps))
  return {
    principal,
    target:
      roleArn === undefined ? { account: principal.account, stamped: false } : targetOf(roleArn),
  }
}

async function roleOf(profile: string, { loadProfile }: Deps): Promise<string | undefined> {
  try {
    return (await loadProfile(profile)).roleArn
  } catch (error) {
    if (!hasCode(error, 'PROFILE_NOT_FOUND')) throw error
    throw new SentinelError('USAGE', `no profile ${profile} here tells which role it stands for`, {
      hint: 'add --role ARN',
    })
  }
}

function targetOf(roleArn: string): Target {
  return { roleArn, account: roleArn.split(':')[4] ?? '', stamped: true }
}

function readMode(text: string): Mode {
  const mode = MODES.find((known) => known === text)
  if (mode) return mode
  const near = nearest(text, MODES)
  throw new SentinelError('USAGE', `unknown mode "${text}"`, {
    hint: near ? `did you mean ${near}?` : `modes are ${MODES.join(', ')}`,
  })
}

function readInstant(text: string): number {
  try {
    return Temporal.Instant.from(text).epochMilliseconds
  } catch {
    throw new SentinelError('USAGE', `--at is not a time with a zone: "${text}"`, {
      hint: 'write it as 2026-01-14T23:00:00+01:00 or with Z',
    })
  }
}

function render({ decision, rules }: Explanation, question: string): string {
  const lines = [question, '']
  for (const rule of rules) {
    const decides = decision.rule?.index === rule.index ? '  ← decides' : ''
    lines.push(`${mark(rule.matched)} ${rule.index + 1}. ${rule.name} (${rule.effect})${decides}`)
    for (const { matched, condition, expected, actual } of rule.conditions) {
      lines.push(`    ${mark(matched)} ${condition}: ${actual}, wanted ${expected.join(' or ')}`)
    }
  }
  const cap = decision.maxDuration
  lines.push('', `${decision.outcome}: ${decision.reason}`)
  if (cap !== undefined) lines.push(`at most ${formatDuration(cap)}`)
  for (const remedy of decision.remedies) lines.push(`to change it: ${adviceOf(remedy)}`)
  return lines.join('\n')
}

function mark(matched: boolean): string {
  return matched ? '✓' : '✗'
}
