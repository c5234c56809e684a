import { accessSync, constants, statSync } from 'node:fs'
import { SentinelError } from '../errors.ts'

/** A command that was there, and executable, when it was looked for. */
export interface FoundCommand {
  /** As it was typed: what the command sees as its own name. */
  readonly name: string
  readonly path: string
}

/**
 * Finds `name` as a shell would: as a path when it has a slash, else along `env.PATH`. Throws
 * `COMMAND_NOT_FOUND` or `COMMAND_NOT_EXECUTABLE`. On Windows, where the rules are spawn's own,
 * nothing is looked up and a missing command shows when it is run.
 */
export function resolveCommand(
  name: string,
  env: Readonly<Record<string, string | undefined>>,
): FoundCommand {
  if (process.platform === 'win32') return { name, path: name }
  const path = name.includes('/') ? name : findAlong(env.PATH ?? DEFAULT_PATH, name)
  if (path === undefined) throw notFound(name)

  switch (examine(path)) {
    case 'executable':
      return { name, path }
    case 'missing':
      throw notFound(name)
    case 'directory':
      throw new SentinelError('COMMAND_NOT_EXECUTABLE', `${path} is a directory`)
    case 'out of reach':
      throw new SentinelError('COMMAND_NOT_EXECUTABLE', `${path} is not accessible`)
    case 'not executable':
      throw new SentinelError('COMMAND_NOT_EXECUTABLE', `${path} is not executable`, {
        hint: `make it so with chmod +x ${path}`,
      })
  }
}

/** What shells and execvp fall back to, as far as they agree. */
const DEFAULT_PATH = '/usr/bin:/bin'

/** The first executable, else the first that only lacks the permission. */
function findAlong(path: string, name: string): string | undefined {
  if (name === '') return undefined
  const candidates = path.split(':').map((part) => `${part || '.'}/${name}`)
  return (
    candidates.find((candidate) => examine(candidate) === 'executable') ??
    candidates.find((candidate) => examine(candidate) === 'not executable')
  )
}

function examine(path: string) {
  try {
    if (statSync(path).isDirectory()) return 'directory'
  } catch (error) {
    return isDenied(error) ? 'out of reach' : 'missing'
  }
  try {
    accessSync(path, constants.X_OK)
    return 'executable'
  } catch {
    return 'not executable'
  }
}

function isDenied(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'EACCES'
}

function notFound(name: string): SentinelError {
  return new SentinelError('COMMAND_NOT_FOUND', `no such command: "${name}"`, {
    hint: hintFor(name),
  })
}

function hintFor(name: string): string | undefined {
  if (/^[A-Za-z_]\w*=/.test(name)) return 'put env before a variable that is meant for the command'
  if (/\s/.test(name)) return 'write the command and its arguments as separate words'
  return undefined
}
