import { describeState } from '../../app/shown-request.ts'
import { cancelRequest } from '../../app/withdraw-request.ts'
import { defineCommand } from '../command.ts'
import { openRequestDeps } from '../open-request-deps.ts'
import { requestFields } from '../request-fields.ts'
import { REQUEST_OPTIONS } from '../request-options.ts'

export default defineCommand({
  usage: 'cancel <id>',
  summary: 'Take back an access request of your own that is not decided yet',
  examples: ['cancel mzxw6ytboi3damrqgaya'],
  options: REQUEST_OPTIONS,

  async run({ args: [id = ''], options }, deps) {
    await using requests = await deps.openRequests(options)
    const actor = await requests.operator()
    const tools = openRequestDeps(requests, actor, deps)

    const { outcome, shown } = await cancelRequest(tools, { request: id, actor })

    const { request } = shown.filed
    const isNew = outcome === 'written'
    deps.out.print(
      isNew
        ? `cancelled request ${request.id} for ${request.profile}`
        : `request ${request.id} ${describeState(shown)} already`,
      { outcome: isNew ? 'cancelled' : 'already cancelled', request: requestFields(shown) },
    )
    await requests.deliver()
    tools.log.assertWritten()
    return undefined
  },
})
