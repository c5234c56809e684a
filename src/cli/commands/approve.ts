import { defineCommand } from '../command.ts'
import { REQUEST_OPTIONS } from '../request-options.ts'
import { review } from '../review.ts'

export default defineCommand({
  usage: 'approve <id>',
  summary: 'Approve an access request of somebody else',
  examples: ['approve mzxw6ytboi3damrqgaya', 'approve mzxw --duration 30m --comment until-lunch'],
  options: {
    comment: { type: 'string', value: 'TEXT', summary: 'What to say about it, for the record' },
    duration: {
      type: 'string',
      short: 'd',
      value: 'DURATION',
      summary: 'For a shorter time than was asked for',
    },
    yes: { type: 'boolean', summary: 'Ask nothing' },
    ...REQUEST_OPTIONS,
  },

  async run({ args: [id = ''], options }, deps) {
    const { comment, duration, yes: isSure = false } = options
    await review({ id, verdict: 'approve', comment, duration, isSure }, options, deps)
    return undefined
  },
})
