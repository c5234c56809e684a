import { openSync } from 'node:fs'
import { ReadStream, WriteStream } from 'node:tty'
import { SentinelError } from '../errors.ts'

/**
 * Asks whoever sits at the terminal for the code of `serial`: on the terminal itself, so that
 * stdin and stdout stay what the command's user made them. Rejects with `INTERACTION_REQUIRED`
 * without a terminal, and with `INTERRUPTED` on Ctrl-C.
 */
export async function promptMFACode(serial: string): Promise<string> {
  const descriptor = openTerminal()
  const terminal = new ReadStream(descriptor)
  const screen = new WriteStream(descriptor)
  try {
    const { default: input } = await import('@inquirer/input')
    // A code is good for once; what stays on the screen need not show it all the same.
    const transformer = (code: string, { isFinal }: { isFinal: boolean }) =>
      isFinal ? '*'.repeat(code.length) : code
    const question = { message: `MFA code of ${serial}:`, transformer }
    return await input(question, { input: terminal, output: screen })
  } catch (error) {
    if (error instanceof Error && error.name === 'ExitPromptError') {
      throw new SentinelError('INTERRUPTED', 'no MFA code was given', { cause: error })
    }
    throw error
  } finally {
    terminal.destroy()
    screen.destroy()
  }
}

function openTerminal(): number {
  try {
    return openSync('/dev/tty', 'r+')
  } catch (error) {
    throw new SentinelError(
      'INTERACTION_REQUIRED',
      'an MFA code is needed, and there is no terminal',
      {
        hint: 'run it in a terminal, or set mfa_process in the profile',
        cause: error,
      },
    )
  }
}
