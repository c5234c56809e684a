import { beginBreakGlass } from '../../app/begin-break-glass.ts'
import { type BreakGlassWish, planBreakGlass } from '../../app/plan-break-glass.ts'
import { eventFields } from '../../app/shown-event.ts'
import {
  BREAK_GLASS_OPTIONS,
  breakGlassFlags,
  readEventDuration,
  readReasonCode,
} from '../break-glass-options.ts'
import {
  describeBegun,
  describeIntent,
  describeWay,
  listenersOf,
  reviewerNames,
} from '../break-glass-words.ts'
import { defineCommand, type Input } from '../command.ts'
import { openEventDeps } from '../open-event-deps.ts'
import { chooseProfile } from '../profile-argument.ts'
import { readText } from '../request-options.ts'
import { warnOfOverdue } from '../warn-of-overdue.ts'
import { warnOfShortGrant } from '../warn-of-short-grant.ts'

const OPTIONS = {
  profile: {
    type: 'string',
    value: 'PROFILE',
    summary: 'The profile, instead of as an argument',
  },
  'reason-code': {
    type: 'string',
    value: 'CODE',
    required: true,
    summary: 'incident, maintenance, security, recovery or other, as the rule takes them',
  },
  justification: {
    type: 'string',
    value: 'TEXT',
    required: true,
    summary: 'Why, for whoever reviews it: 20 to 1000 characters',
  },
  duration: {
    type: 'string',
    short: 'd',
    value: 'DURATION',
    summary: 'For how long: 15m to 4h (default: 1h, or what the rule gives)',
  },
  yes: { type: 'boolean', summary: "Do not ask for the profile's name" },
  ...BREAK_GLASS_OPTIONS,
} as const

export default defineCommand({
  usage: 'breakglass [profile]',
  summary: 'Get access at once, in an emergency: announced, limited and reviewed afterwards',
  examples: [
    'breakglass prod --reason-code incident --justification orders-are-lost-since-noon',
    'breakglass --profile list --reason-code other --justification profile-named-like-a-command',
  ],
  options: OPTIONS,

  async run({ args: [given], options }, deps) {
    const { out, notices, clock } = deps
    const profile = chooseProfile(given, options.profile, deps)
    const wish = readWish(profile, options)
    await using events = await deps.openBreakGlass(options, profile)
    const { store, policy: found } = events
    const { policy } = found
    const invoker = await events.requester(profile)
    const flags = breakGlassFlags(options)
    await warnOfOverdue(invoker, { store, flags }, deps)

    const { allowed, plan } = planBreakGlass(policy, invoker, wish, clock.aws())
    const way = describeWay(profile, allowed)
    if (!plan) {
      const text = `${profile} is allowed already, no glass was broken: ${way}`
      out.print(text, { outcome: 'allowed', event: null })
      return undefined
    }
    if (allowed.length > 0) notices.info(`${profile} is allowed already, in another way: ${way}`)
    warnOfShortGrant(plan.duration, notices)
    const { user } = invoker.party
    const intent = describeIntent(plan, { user, profile, policy })
    if (!options.yes) await deps.typeName(intent, profile, '--yes')

    const tools = openEventDeps(events, invoker, deps)
    const shown = await beginBreakGlass(tools, { invoker, wish, plan })

    out.print(describeBegun(shown, policy, flags), {
      outcome: 'started',
      event: eventFields(shown),
      announced_to: listenersOf(policy),
      reviewers: reviewerNames(policy, plan.rule.name, profile),
    })
    await events.deliver()
    return undefined
  },
})

function readWish(profile: string, options: Input<typeof OPTIONS>['options']): BreakGlassWish {
  const { duration } = options
  const limits = { least: 20, most: 1000 }
  return {
    profile,
    reasonCode: readReasonCode(options['reason-code']),
    justification: readText('--justification', options.justification, limits),
    ...(duration !== undefined && { duration: readEventDuration(duration) }),
  }
}
