import { requestAccess } from '../../app/request-access.ts'
import type { ShownRequest } from '../../app/shown-request.ts'
import type { Deps } from '../../deps.ts'
import { formatDuration } from '../../domain/duration.ts'
import { assertAccess, awaitDecision } from '../await-decision.ts'
import { defineCommand } from '../command.ts'
import { openRequestDeps } from '../open-request-deps.ts'
import { chooseProfile } from '../profile-argument.ts'
import { requestFields } from '../request-fields.ts'
import {
  REQUEST_OPTIONS,
  readAccessDuration,
  readJustification,
  requestFlags,
} from '../request-options.ts'
import { describeAccess, describeCreated } from '../request-words.ts'
import { warnOfShortGrant } from '../warn-of-short-grant.ts'

export default defineCommand({
  usage: 'request [profile]',
  summary: 'Ask for access that the policy gives after approval only',
  examples: [
    'request prod --justification rollback-of-release-42 --duration 2h',
    'request prod --justification rollback-of-release-42 --wait',
    'request --profile show --justification profile-named-like-a-command',
  ],
  options: {
    profile: {
      type: 'string',
      value: 'PROFILE',
      summary: 'The profile, instead of as an argument',
    },
    justification: {
      type: 'string',
      value: 'TEXT',
      required: true,
      summary: 'Why, in 10 to 500 characters',
    },
    duration: {
      type: 'string',
      short: 'd',
      value: 'DURATION',
      summary: 'For how long: 15m to 8h (default: 1h, or what the rule gives)',
    },
    wait: { type: 'boolean', summary: 'Wait for the decision; status 3 unless it is access' },
    ...REQUEST_OPTIONS,
  },

  async run({ args: [given], options }, deps) {
    const { out, notices } = deps
    const profile = chooseProfile(given, options.profile, deps)
    const justification = readJustification(options.justification)
    const duration = readAccessDuration(options.duration)
    await using requests = await deps.openRequests(options, profile)
    const requester = await requests.requester(profile)
    const tools = openRequestDeps(requests, requester, deps)

    const asked = await requestAccess(tools, { requester, profile, justification, duration })

    if (asked.advice) notices.info(`${profile} is allowed already, in another way: ${asked.advice}`)
    if (asked.outcome === 'allowed') {
      const text = `${profile} is allowed already: no request was made`
      out.print(text, { outcome: 'allowed', request: null })
      return undefined
    }
    const { shown, automaticLimit, rule } = asked
    if (automaticLimit !== undefined) {
      const limit = formatDuration(automaticLimit)
      notices.info(`rule "${rule.name}" approves by itself what is asked for ${limit} at most`)
    }
    warnOfShortGrant(shown.filed.request.duration, notices)
    const waits = options.wait ?? false
    const created = describeCreated(asked, requestFlags(options))
    // A program gets one document, with the decision if it waits for that.
    if (!waits || out.form.value === 'text') out.print(created, documentOf(shown))
    await requests.deliver()
    if (waits) {
      const decided = await awaitDecision(tools, shown, deps)
      tellDecision(decided, shown, out)
      assertAccess(decided)
    }
    tools.log.assertWritten()
    return undefined
  },
})

function tellDecision(decided: ShownRequest, asked: ShownRequest, out: Deps['out']): void {
  const isNews = decided !== asked && decided.state.status === 'approved'
  if (isNews || out.form.value === 'json') out.print(describeAccess(decided), documentOf(decided))
}

function documentOf(shown: ShownRequest) {
  return { outcome: 'created', request: requestFields(shown) }
}
