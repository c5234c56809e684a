import { defineCommand } from '../command.ts'

export default defineCommand({
  usage: 'demo-client',
  summary: 'Call GetCallerIdentity as any AWS SDK would (used by demo)',
  examples: [],
  options: {},
  isHidden: true,

  async run(_, deps) {
    return { status: await deps.runDemoClient() }
  },
})
