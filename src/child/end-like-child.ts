import { constants } from 'node:os'
import type { ChildEnd } from '../ports/child-runner.ts'

/** The status that a shell would give for `end`: 128 + n for signal n. */
export function exitStatus(end: ChildEnd): number {
  return 'status' in end ? end.status : 128 + constants.signals[end.signal]
}

/**
 * Ends this process as its child ended. After INT, TERM and HUP by the same signal, because a shell
 * looks at more than the status: a loop goes on after a command that merely exits with 130. Nothing
 * runs after that, no `exit` listener either, so everything must be closed before. After any other
 * end it sets `process.exitCode`, and this process ends when nothing is left to do.
 */
export function endLike(end: ChildEnd): void {
  // Also what is left when the signal does nothing: for the first process of a container the kernel
  // drops those that have no handler.
  process.exitCode = exitStatus(end)
  if (!('signal' in end) || !RAISED.has(end.signal) || process.platform === 'win32') return
  process.removeAllListeners(end.signal)
  process.kill(process.pid, end.signal)
}

const RAISED: ReadonlySet<NodeJS.Signals> = new Set(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
