import { findEvent } from '../../app/find-event.ts'
import { eventFields, showEvent } from '../../app/shown-event.ts'
import { BREAK_GLASS_OPTIONS, breakGlassFlags } from '../break-glass-options.ts'
import { describeEvent, describeNext } from '../break-glass-words.ts'
import { defineCommand } from '../command.ts'

export default defineCommand({
  usage: 'breakglass show <id>',
  summary: 'Show everything about one break-glass event',
  examples: ['breakglass show mzxw6ytboi3damrqgaya', 'breakglass show mzxw --output json'],
  options: BREAK_GLASS_OPTIONS,

  async run({ args: [id = ''], options }, { openBreakGlass, clock, digest, out, notices }) {
    await using events = await openBreakGlass(options)
    const shown = showEvent(await findEvent(events.store, id), digest, clock.aws())
    out.print(describeEvent(shown), eventFields(shown))
    const { policy } = events.policy
    const next = describeNext(shown, { policy, flags: breakGlassFlags(options) })
    if (next !== undefined) notices.info(next)
    return undefined
  },
})
