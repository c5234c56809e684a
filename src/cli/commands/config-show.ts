import type { Deps } from '../../deps.ts'
import { formatDuration } from '../../domain/duration.ts'
import { maskTarget } from '../../domain/ship-target.ts'
import { formatSize } from '../../domain/size.ts'
import { defineCommand } from '../command.ts'
import { columns } from '../output.ts'

export default defineCommand({
  usage: 'config show',
  summary: 'Show every setting, its value and where it was found',
  examples: ['config show', 'config show --output json'],
  options: {},

  async run(_, deps) {
    const settings = deps.listSettings().map((setting) => ({ ...setting, found: shown(setting) }))
    const rows = settings.map(({ name, kind, found }) =>
      found ? [name, format(found.value, kind), found.origin] : [name, '-', 'not set'],
    )
    const data = Object.fromEntries(
      settings.map(({ name, found }) => [name, found ?? { value: null, origin: null }]),
    )
    deps.out.print(columns([['setting', 'value', 'from'], ...rows]), data)
    return undefined
  },
})

/** The value as it may be shown. */
function shown({ kind, found }: ReturnType<Deps['listSettings']>[number]) {
  return found && kind === 'receiver' ? { ...found, value: maskTarget(String(found.value)) } : found
}

function format(value: unknown, kind: string): string {
  if (kind === 'duration') return formatDuration(Number(value))
  if (kind === 'size') return formatSize(Number(value))
  return typeof value === 'object' ? JSON.stringify(value) : String(value)
}
