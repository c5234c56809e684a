import { findRequest } from '../../app/find-request.ts'
import { type ShownRequest, showRequest } from '../../app/shown-request.ts'
import type { Deps } from '../../deps.ts'
import { assertAccess, awaitDecision } from '../await-decision.ts'
import { defineCommand } from '../command.ts'
import { requestFields } from '../request-fields.ts'
import { REQUEST_OPTIONS } from '../request-options.ts'
import { describeRequest } from '../request-words.ts'

export default defineCommand({
  usage: 'request show <id>',
  summary: 'Show everything about one access request',
  examples: ['request show mzxw6ytboi3damrqgaya', 'request show mzxw --wait'],
  options: {
    wait: { type: 'boolean', summary: 'Wait for the decision; status 3 unless it is access' },
    ...REQUEST_OPTIONS,
  },

  async run({ args: [id = ''], options }, deps) {
    await using requests = await deps.openRequests(options)
    const { store } = requests
    const { clock, digest, out } = deps
    const filed = await findRequest(store, id)
    let shown = showRequest(filed, digest, clock.aws())
    if (options.wait) shown = await awaitDecision({ store, clock, digest }, shown, deps)
    print(shown, out)
    if (options.wait) assertAccess(shown)
    return undefined
  },
})

function print(shown: ShownRequest, out: Deps['out']): void {
  out.print(describeRequest(shown), requestFields(shown))
}
