import { isInForeground } from './foreground.ts'

/**
 * Sent to this process alone: passed on, each time. Any of them would end us otherwise, and the
 * child with us.
 */
const PASSED_ON = ['SIGTERM', 'SIGHUP', 'SIGUSR1', 'SIGUSR2'] as const

/** Typed at the terminal, which sends them to its whole foreground group, the child included. */
const TYPED = ['SIGINT', 'SIGQUIT'] as const

// Not touched: SIGTSTP and SIGCONT (a terminal stops and continues the whole group, and stopping is
// what their sender asks of us), SIGWINCH (the terminal tells the child itself), SIGCHLD, SIGPIPE.

/** Signals that would end this process, held back for a child. */
export interface HeldSignals extends Disposable {
  /**
   * Gives `deliver` what was held so far, then whatever comes. INT and QUIT that come later are
   * left out while this process is in its terminal's foreground: there the child has its own.
   */
  passTo(deliver: (signal: NodeJS.Signals) => void): void
}

/**
 * Keeps signals from ending this process until it is disposed, so that it outlives its child and
 * has time to close what is open. Hold them from just before a child is started until after the
 * last thing was flushed. On Windows only Ctrl-C and the closing of the console exist.
 */
export function holdSignals(): HeldSignals {
  // Each signal counts once, as in the kernel: it is the child that is to hear of it, not a queue.
  const held = new Set<NodeJS.Signals>()
  let deliver = (signal: NodeJS.Signals): void => void held.add(signal)
  let hasChild = false

  const onTyped = (signal: NodeJS.Signals) => {
    if (!hasChild || !isInForeground()) deliver(signal)
  }
  const onPassed = (signal: NodeJS.Signals) => deliver(signal)
  for (const signal of TYPED) process.on(signal, onTyped)
  for (const signal of PASSED_ON) process.on(signal, onPassed)

  return {
    passTo(receiver) {
      deliver = receiver
      hasChild = true
      for (const signal of held) receiver(signal)
      held.clear()
    },
    [Symbol.dispose]() {
      for (const signal of TYPED) process.removeListener(signal, onTyped)
      for (const signal of PASSED_ON) process.removeListener(signal, onPassed)
    },
  }
}
