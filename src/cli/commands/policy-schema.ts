import { defineCommand } from '../command.ts'

export default defineCommand({
  usage: 'policy schema',
  summary: 'Print the JSON Schema of a policy, for editors',
  examples: ['policy schema'],
  options: {},

  async run(_, deps) {
    deps.out.printRaw(`${JSON.stringify(await deps.policySchema(), null, 2)}\n`)
    return undefined
  },
})
