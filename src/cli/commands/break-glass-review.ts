import { findEvent } from '../../app/find-event.ts'
import { reviewEvent } from '../../app/review-event.ts'
import { eventFields } from '../../app/shown-event.ts'
import { BREAK_GLASS_OPTIONS, readOutcome } from '../break-glass-options.ts'
import { describeReviewed } from '../break-glass-words.ts'
import { defineCommand } from '../command.ts'
import { openEventDeps } from '../open-event-deps.ts'
import { readText } from '../request-options.ts'

export default defineCommand({
  usage: 'breakglass review <id>',
  summary: 'Say of a break-glass event of somebody else whether it was justified',
  examples: [
    'breakglass review mzxw6ytboi3damrqgaya --outcome justified --comment incident-42',
    'breakglass review mzxw --outcome misuse --comment nothing-was-broken',
  ],
  options: {
    outcome: {
      type: 'string',
      value: 'justified|misuse',
      required: true,
      summary: 'What it was',
    },
    comment: {
      type: 'string',
      value: 'TEXT',
      required: true,
      summary: 'Why, for the record: at most 500 characters',
    },
    ...BREAK_GLASS_OPTIONS,
  },

  async run({ args: [id = ''], options }, deps) {
    const verdict = {
      outcome: readOutcome(options.outcome),
      comment: readText('--comment', options.comment, { least: 1, most: 500 }),
    }
    await using events = await deps.openBreakGlass(options)
    const actor = await events.operator()
    const tools = openEventDeps(events, actor, deps)

    const filed = await findEvent(events.store, id)
    const { outcome, shown } = await reviewEvent(tools, filed, { actor, ...verdict })

    deps.out.print(describeReviewed(outcome, shown), { outcome, event: eventFields(shown) })
    await events.deliver()
    tools.log.assertWritten()
    return undefined
  },
})
