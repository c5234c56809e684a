import { LONGEST_ASK } from '../domain/access-request.ts'
import { LONGEST_EVENT } from '../domain/break-glass.ts'
import { formatDuration } from '../domain/duration.ts'
import { type BreakGlassWay, type Explanation, explain } from '../domain/policy/explain.ts'
import type { AccessInput, Policy } from '../domain/policy/types.ts'
import { quoted } from './refusal.ts'

/** An explanation, with the commands that lead to access where they would. */
export interface ExplainedAccess extends Explanation {
  /** As a shell takes them, but for the justification. */
  readonly commands: { readonly request?: string; readonly breakGlass?: string }
}

/** Seconds: what is asked for if nobody says how long. */
const USUAL = 3600

/** Words that `sentinel request` and `sentinel breakglass` would take for one of their commands. */
const SUBCOMMANDS = {
  request: ['show', 'revoke'],
  breakglass: ['list', 'show', 'close', 'review'],
} as const

/** Explains what `policy` decides. `flags`, each after a blank, lead commands to that policy. */
export function explainAccess(policy: Policy, input: AccessInput, flags = ''): ExplainedAccess {
  const explanation = explain(policy, input)
  const { approval, breakGlass } = explanation
  const request = approval && [
    commandFor('request', input.profile),
    durationFlag(approval.maxDuration, LONGEST_ASK),
    `--justification "…"${flags}`,
  ]
  const broken = breakGlass && [
    commandFor('breakglass', input.profile),
    `--reason-code ${reasonCodeOf(breakGlass)}`,
    durationFlag(breakGlass.maxDuration, LONGEST_EVENT),
    `--justification "…"${flags}`,
  ]
  return {
    ...explanation,
    commands: {
      ...(request && { request: request.join(' ') }),
      ...(broken && { breakGlass: broken.join(' ') }),
    },
  }
}

function commandFor(command: keyof typeof SUBCOMMANDS, profile: string): string {
  const isWord = SUBCOMMANDS[command].some((word) => word === profile) || profile.startsWith('-')
  return `sentinel ${command} ${isWord ? `--profile=${quoted(profile)}` : quoted(profile)}`
}

function durationFlag(maxDuration: number | undefined, longest: number): string {
  return `--duration ${formatDuration(Math.min(USUAL, maxDuration ?? longest))}`
}

function reasonCodeOf({ reasonCodes }: BreakGlassWay): string {
  const [first = 'incident'] = reasonCodes
  return reasonCodes.includes('incident') ? 'incident' : first
}
