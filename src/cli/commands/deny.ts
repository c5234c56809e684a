import { defineCommand } from '../command.ts'
import { REQUEST_OPTIONS } from '../request-options.ts'
import { review } from '../review.ts'

export default defineCommand({
  usage: 'deny <id>',
  summary: 'Deny an access request of somebody else: that ends it',
  examples: ['deny mzxw6ytboi3damrqgaya --comment not-today'],
  options: {
    comment: {
      type: 'string',
      value: 'TEXT',
      required: true,
      summary: 'Why, for the requester and the record',
    },
    yes: { type: 'boolean', summary: 'Ask nothing' },
    ...REQUEST_OPTIONS,
  },

  async run({ args: [id = ''], options }, deps) {
    const { comment, yes: isSure = false } = options
    const given = { id, verdict: 'deny', comment, duration: undefined, isSure } as const
    await review(given, options, deps)
    return undefined
  },
})
