import type { Instant } from '../time.ts'
import { matchesGlob } from './glob.ts'
import { type WallClock, wallClock } from './time-window.ts'
import type { AccessInput, Policy } from './types.ts'

/**
 * How a profile's name stands to the `profiles:` block.
 *
 * A profile is a line in its user's own file, where `role_arn` can be edited: without a binding,
 * prod could be had under dev's rule.
 */
type Binding =
  /** The policy has no such block: names count as they are written. */
  | { readonly kind: 'none' }
  /** No pattern of the block names it. */
  | { readonly kind: 'unbound' }
  | { readonly kind: 'bound' }
  /** It is bound to roles that the one really served is not among. */
  | { readonly kind: 'other_role'; readonly role: string }

/** One access under one policy, and what is worked out of it once for all rules. */
export interface Facts {
  readonly policy: Policy
  readonly input: AccessInput
  readonly binding: Binding
  /** What a clock on a wall in `timezone` shows at `input.at`. */
  readonly clockIn: (timezone: string) => WallClock
}

/** Works out what the rules of `policy` are held against. */
export function gatherFacts(policy: Policy, input: AccessInput): Facts {
  return { policy, input, binding: bindingOf(policy, input), clockIn: clocksAt(input.at) }
}

function bindingOf({ profiles }: Policy, { profile, target }: AccessInput): Binding {
  if (profiles === undefined) return { kind: 'none' }
  const bound = profiles.find((binding) => matchesGlob(binding.profile, profile))
  if (bound === undefined) return { kind: 'unbound' }
  const isRole = target.roleArn !== undefined && matchesGlob(bound.role, target.roleArn)
  return isRole ? { kind: 'bound' } : { kind: 'other_role', role: bound.role }
}

/** A zone's clock costs more than all else a rule may ask, and many rules share a zone. */
function clocksAt(at: Instant): Facts['clockIn'] {
  const clocks = new Map<string, WallClock>()
  return (timezone) => {
    const known = clocks.get(timezone)
    if (known !== undefined) return known
    const clock = wallClock(timezone, at)
    clocks.set(timezone, clock)
    return clock
  }
}
