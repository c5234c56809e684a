import { once } from 'node:events'
import { openSync } from 'node:fs'
import { ReadStream } from 'node:tty'
import { SentinelError } from '../errors.ts'

/**
 * Waits for Enter, on the terminal itself. Rejects with `INTERACTION_REQUIRED` without one, and
 * when `signal` aborts.
 */
export async function pressEnter(signal: AbortSignal): Promise<void> {
  const terminal = openTerminal()
  const input = new ReadStream(terminal)
  try {
    await once(input, 'data', { signal })
  } finally {
    input.destroy()
  }
}

function openTerminal(): number {
  try {
    return openSync('/dev/tty', 'r')
  } catch (error) {
    throw new SentinelError('INTERACTION_REQUIRED', 'there is no terminal to wait at', {
      hint: 'leave --pause out',
      cause: error,
    })
  }
}
