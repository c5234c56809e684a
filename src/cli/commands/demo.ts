import { defineCommand } from '../command.ts'

export default defineCommand({
  usage: 'demo',
  summary: 'Play the whole story on embedded parts, without an AWS account',
  examples: ['demo', 'demo --pause'],
  options: {
    pause: { type: 'boolean', summary: 'Wait for Enter between the steps' },
  },

  async run({ options }, deps) {
    await deps.runDemo({ pause: options.pause ?? false })
    return undefined
  },
})
