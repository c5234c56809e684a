import { openSync } from 'node:fs'
import { ReadStream, WriteStream } from 'node:tty'
import { SentinelError } from '../errors.ts'

/**
 * Asks whoever sits at the terminal a question that is answered with yes or no, no being the
 * default: on the terminal itself, so that stdin and stdout stay what the command's user made them.
 * Rejects with `INTERACTION_REQUIRED` without a terminal, naming `flag`, which answers yes, and
 * with `INTERRUPTED` on Ctrl-C.
 */
export function confirm(question: string, flag: string): Promise<boolean> {
  return onTerminal(flag, async (streams) => {
    const { default: ask } = await import('@inquirer/confirm')
    return ask({ message: question, default: false }, streams)
  })
}

/**
 * Has whoever sits at the terminal type `name`, which takes a thought where a yes takes none; again
 * until that is what was typed. Rejects as {@link confirm}.
 */
export async function typeName(question: string, name: string, flag: string): Promise<void> {
  await onTerminal(flag, async (streams) => {
    const { default: ask } = await import('@inquirer/input')
    const validate = (typed: string) => typed.trim() === name || `type ${name}, or press Ctrl-C`
    return ask({ message: question, validate }, streams)
  })
}

async function onTerminal<Answer>(
  flag: string,
  ask: (streams: { input: ReadStream; output: WriteStream }) => Promise<Answer>,
): Promise<Answer> {
  const descriptor = openTerminal(flag)
  const terminal = new ReadStream(descriptor)
  const screen = new WriteStream(descriptor)
  try {
    return await ask({ input: terminal, output: screen })
  } catch (error) {
    if (error instanceof Error && error.name === 'ExitPromptError') {
      throw new SentinelError('INTERRUPTED', 'the question was not answered', { cause: error })
    }
    throw error
  } finally {
    terminal.destroy()
    screen.destroy()
  }
}

/** Says that a question stands in the way, and which flag answers it. */
export function unanswerable(flag: string, cause?: unknown): SentinelError {
  return new SentinelError('INTERACTION_REQUIRED', 'this needs a yes, and nobody can be asked', {
    hint: `run it in a terminal, or give ${flag}`,
    cause,
  })
}

function openTerminal(flag: string): number {
  try {
    return openSync('/dev/tty', 'r+')
  } catch (error) {
    throw unanswerable(flag, error)
  }
}
