import { describeState } from '../../app/shown-request.ts'
import { revokeRequest } from '../../app/withdraw-request.ts'
import { parseReason } from '../../domain/session.ts'
import { defineCommand } from '../command.ts'
import { openRequestDeps } from '../open-request-deps.ts'
import { requestFields } from '../request-fields.ts'
import { REQUEST_OPTIONS } from '../request-options.ts'
import { describeRevokedRequest } from '../request-words.ts'

export default defineCommand({
  usage: 'request revoke <id>',
  summary: 'End the access that an approved request gives',
  examples: ['request revoke mzxw6ytboi3damrqgaya --reason done'],
  options: {
    reason: { type: 'string', value: 'REASON', required: true, summary: 'Why, for the record' },
    ...REQUEST_OPTIONS,
  },

  async run({ args: [id = ''], options }, deps) {
    const reason = parseReason(options.reason)
    await using requests = await deps.openRequests(options)
    const actor = await requests.operator()
    const tools = openRequestDeps(requests, actor, deps)

    const { outcome, shown } = await revokeRequest(tools, { request: id, actor, reason })

    const isNew = outcome === 'written'
    deps.out.print(
      isNew
        ? describeRevokedRequest(shown)
        : `request ${shown.filed.request.id} ${describeState(shown)}: nothing is changed`,
      { outcome: isNew ? 'revoked' : 'already revoked', request: requestFields(shown) },
    )
    await requests.deliver()
    tools.log.assertWritten()
    return undefined
  },
})
