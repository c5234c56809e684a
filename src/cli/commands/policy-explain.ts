import { explainAccess } from '../../app/explain-access.ts'
import { hypotheticalPrincipal } from '../../app/hypothetical.ts'
import type { Deps } from '../../deps.ts'
import { type AccessInput, MODES, type Policy, type Target } from '../../domain/policy/types.ts'
import type { Principal } from '../../domain/principal.ts'
import { toSeconds } from '../../domain/time.ts'
import { hasCode, SentinelError } from '../../errors.ts'
import { readChoice } from '../audit-options.ts'
import { defineCommand } from '../command.ts'
import { explanationFields, renderExplanation } from '../explanation.ts'
import { POLICY_OPTIONS } from '../issue-options.ts'
import { chooseProfile } from '../profile-argument.ts'
import { requestFlags } from '../request-options.ts'
import { describeSuppositions, GRANT_WORDS, supposeGrant, supposeSession } from '../suppositions.ts'
import { readValidPolicy } from '../valid-policy.ts'

export default defineCommand({
  usage: 'policy explain [profile]',
  summary: 'Show how the policy decides, rule by rule, for you or for somebody else',
  examples: [
    'policy explain prod --policy policy.yaml --mode server',
    'policy explain prod --policy policy.yaml --user iam:bob --role arn:aws:iam::444455556666:role/Prod',
    'policy explain prod --policy policy.yaml --grant approval',
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
    grant: {
      type: 'string',
      value: GRANT_WORDS.join('|'),
      summary: 'As if one were live: for whoever asks, and this profile and role',
    },
    'session-store': {
      type: 'string',
      value: 'LOCATION',
      summary: 'As if a server asked whose session is tracked there',
    },
    ...POLICY_OPTIONS,
  },

  async run({ args: [given], options }, deps) {
    const profile = chooseProfile(given, options.profile, deps)
    const mode = readChoice('mode', options.mode ?? 'cli', MODES)
    const at = options.at === undefined ? deps.clock.aws() : readInstant(options.at)
    const { policy, reference } = await readValidPolicy(options, profile, deps)
    const { principal, target } = await whoAndWhat(profile, options, policy, deps)
    const input = supposeGrant(options.grant, policy, {
      principal,
      profile,
      target,
      mode,
      at,
      grants: [],
      ...supposeSession(options['session-store'], policy, mode),
    })
    const explained = explainAccess(policy, input, requestFlags(options))
    const question = `${principal.arn} asks for ${profile} (${mode}) at ${toSeconds(at)}`
    deps.out.print(
      [question, ...describeSuppositions(input), '', renderExplanation(explained)].join('\n'),
      { policy: reference, asked: askedFields(input), ...explanationFields(explained) },
    )
    return undefined
  },
})

function askedFields({ principal, profile, target, mode, at, grants, sessionStore }: AccessInput) {
  return {
    principal: principal.arn,
    profile,
    role: target.roleArn,
    mode,
    at: toSeconds(at),
    grant: grants[0]?.basis ?? null,
    session_store: sessionStore ?? null,
  }
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

function readInstant(text: string): number {
  try {
    return Temporal.Instant.from(text).epochMilliseconds
  } catch {
    throw new SentinelError('USAGE', `--at is not a time with a zone: "${text}"`, {
      hint: 'write it as 2026-01-14T23:00:00+01:00 or with Z',
    })
  }
}
