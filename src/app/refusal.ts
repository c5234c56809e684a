import type { Decision, Remedy } from '../domain/policy/types.ts'
import { toSeconds } from '../domain/time.ts'
import { SentinelError } from '../errors.ts'

/**
 * The error that tells a user of a decision against them, and what would change it. `ended`: what
 * became of the grant that lifted it before.
 */
export function refusalOf(decision: Decision, profile: string, ended?: string): SentinelError {
  const { remedies } = decision
  const reason = ended === undefined ? decision.reason : `${decision.reason}; ${ended}`
  if (decision.unstamped) return unstamped(profile, reason)
  return new SentinelError('POLICY_DENIED', `profile ${profile} is refused: ${reason}`, {
    hint:
      remedies.map(adviceOf).join('; or ') ||
      'see each rule, and what would change it: sentinel why',
    reply: replyOf(`refused: ${reason}`),
  })
}

/** What a client may be told: not which roles there are. */
function replyOf(text: string): string | undefined {
  return text.includes('arn:') ? undefined : text
}

/** One imperative sentence that makes `remedy` happen. */
export function adviceOf(remedy: Remedy): string {
  switch (remedy.kind) {
    case 'server':
      return 'run it through the credential server: sentinel exec --server'
    case 'server_session':
      return remedy.store === undefined
        ? 'have it tracked in DynamoDB: sentinel exec --server --session-table TABLE'
        : `run it as a server, which is tracked in ${remedy.store}: sentinel exec --server`
    case 'window':
      return `try again from ${toSeconds(remedy.opensAt)}, when rule "${remedy.rule}" applies`
    case 'request':
      return `ask ${askedOf(remedy.approvers)}: sentinel request ${quoted(remedy.profile)} --justification WHY`
    case 'break_glass':
      return `in an emergency: sentinel breakglass ${quoted(remedy.profile)} --reason-code ${remedy.reasonCode ?? 'incident'} --justification WHY`
    default:
      return remedy satisfies never
  }
}

/** The rule itself may be all that approves. */
function askedOf(approvers: readonly string[]): string {
  return approvers.length === 0 ? 'for it' : `${approvers.join(' or ')} for approval`
}

/** `word` as one word of a shell. */
export function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`
}

function unstamped(profile: string, reason: string): SentinelError {
  return new SentinelError(
    'PROFILE_UNSTAMPED',
    `profile ${profile} has no role for Sentinel to assume: ${reason}`,
    {
      hint:
        `make it a gated profile: move its keys to [profile ${profile}-base] and write ` +
        `role_arn = arn:aws:iam::ACCOUNT:role/ROLE and source_profile = ${profile}-base`,
      reply: replyOf(`the profile has no role to assume: ${reason}`),
    },
  )
}
