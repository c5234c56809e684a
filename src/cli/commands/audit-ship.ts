import type { ShippedLog } from '../../audit-deps.ts'
import { defineCommand } from '../command.ts'

export default defineCommand({
  usage: 'audit ship',
  summary: 'Ship what is new in the decision log to where a setting says',
  examples: ['audit ship', 'audit ship --output json'],
  options: {
    'log-file': { type: 'string', value: 'PATH', summary: 'Ship the decision log at PATH' },
  },

  async run({ options }, deps) {
    const { out } = deps
    const shipped = await deps.interruptibly((signal) =>
      deps.shipLog(options, {
        signal,
        onProgress: (lines) => out.progress(`${lines} lines shipped`),
      }),
    )
    const { path, receiver, lines, dropped, isElsewhere } = shipped
    if (shipped.why !== undefined) {
      deps.notices.warn(`${receiver} did not keep ${count(dropped)}: ${shipped.why}`)
    }
    out.print(describe(shipped), { log: path, receiver, lines, dropped, busy: isElsewhere })
    return undefined
  },
})

function describe({ path, receiver, lines, isElsewhere }: ShippedLog): string {
  if (isElsewhere) return `another process ships ${path} to ${receiver}: nothing is left to do here`
  return lines === 0
    ? `nothing in ${path} is new to ${receiver}`
    : `shipped ${count(lines)} of ${path} to ${receiver}`
}

function count(lines: number): string {
  return lines === 1 ? '1 line' : `${lines} lines`
}
