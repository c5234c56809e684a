import { closeEvent } from '../../app/close-event.ts'
import { findEvent } from '../../app/find-event.ts'
import { eventFields } from '../../app/shown-event.ts'
import { parseReason } from '../../domain/session.ts'
import { BREAK_GLASS_OPTIONS, breakGlassFlags } from '../break-glass-options.ts'
import { describeClosed } from '../break-glass-words.ts'
import { defineCommand } from '../command.ts'
import { openEventDeps } from '../open-event-deps.ts'

export default defineCommand({
  usage: 'breakglass close <id>',
  summary: 'End a break-glass event before its time, for good',
  examples: ['breakglass close mzxw6ytboi3damrqgaya', 'breakglass close mzxw --reason mended'],
  options: {
    reason: { type: 'string', value: 'REASON', summary: 'Why, for the record' },
    ...BREAK_GLASS_OPTIONS,
  },

  async run({ args: [id = ''], options }, deps) {
    const reason = options.reason === undefined ? {} : { reason: parseReason(options.reason) }
    await using events = await deps.openBreakGlass(options)
    const actor = await events.operator()
    const tools = openEventDeps(events, actor, deps)

    const filed = await findEvent(events.store, id)
    const shown = await closeEvent(tools, filed, { actor, ...reason })

    const { policy } = tools
    deps.out.print(describeClosed(shown, { policy, flags: breakGlassFlags(options) }), {
      outcome: 'closed',
      event: eventFields(shown),
    })
    await events.deliver()
    tools.log.assertWritten()
    return undefined
  },
})
