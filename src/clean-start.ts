import { SentinelError } from './errors.ts'

/**
 * Variables that make Node write down what passes through it: NODE_DEBUG prints the Authorization
 * header. Node reads them before any of our code runs, so deleting them here would be too late.
 */
const TRACES = ['NODE_DEBUG', 'NODE_DEBUG_NATIVE', 'NODE_V8_COVERAGE', 'NODE_COMPILE_CACHE']
const KEPT = 'SENTINEL_KEPT_'

type Environment = Record<string, string | undefined>

/**
 * Replaces this process by itself without those variables, if there are any; what they held is
 * kept for the child. `self` is the command line that runs this program. Throws
 * `CONFIG_INVALID` on Windows, where a process cannot be replaced.
 */
export function restartWithoutTraces(process: NodeJS.Process, self: readonly string[]): void {
  const found = TRACES.filter((name) => process.env[name])
  if (found.length === 0) return
  if (!process.execve || process.platform === 'win32') {
    throw new SentinelError('CONFIG_INVALID', `${found.join(' and ')} would print secrets`, {
      hint: `unset ${found.join(' and ')}`,
    })
  }
  const env: Environment = { ...process.env }
  for (const name of found) {
    env[`${KEPT}${name}`] = env[name]
    delete env[name]
  }
  const [program = ''] = self
  process.execve(program, [...self, ...process.argv.slice(2)], env as Record<string, string>)
}

/** The environment as the user gave it, for the child. */
export function restoreTraces(env: Readonly<Environment>): Environment {
  const restored: Environment = { ...env }
  for (const name of TRACES) {
    const kept = restored[`${KEPT}${name}`]
    if (kept === undefined) continue
    restored[name] = kept
    delete restored[`${KEPT}${name}`]
  }
  return restored
}
