import { defineCommand } from '../command.ts'

export default defineCommand({
  usage: 'demo-client',
  summary: 'Call GetCallerIdentity as any AWS SDK would (used by demo)',
  examples: [],
  options: {
    'until-refused': { type: 'boolean', summary: 'Call again and again until that fails' },
  },
  isHidden: true,

  async run({ options }, deps) {
    return { status: await deps.runDemoClient({ isRepeated: options['until-refused'] ?? false }) }
  },
})
