import { endLike } from './end-like-child.ts'
import { isInForeground } from './foreground.ts'

/** Typed at the terminal, which sends them to its whole foreground group, the child included. */
const TYPED: ReadonlySet<NodeJS.Signals> = new Set(['SIGINT', 'SIGQUIT'] as const)

/** What people and service managers end a program with. */
const ENDING: ReadonlySet<NodeJS.Signals> = new Set([...TYPED, 'SIGTERM', 'SIGHUP'] as const)

/** Any of them would end us, and the child with us. All but what is typed are passed on. */
const HELD: readonly NodeJS.Signals[] = [...ENDING, 'SIGUSR1', 'SIGUSR2']

// Not touched: SIGTSTP and SIGCONT (a terminal stops and continues the whole group, and stopping is
// what their sender asks of us), SIGWINCH (the terminal tells the child itself), SIGCHLD, SIGPIPE.

/** Milliseconds for closing: more than it may take, so that who holds Ctrl-C down cuts nothing. */
const PATIENCE = 3000

/** Signals that would end this process, held back for a child. */
export interface HeldSignals extends Disposable {
  /** Aborts with the name of the first INT, QUIT, TERM or HUP, if it comes before a child. */
  readonly ending: AbortSignal
  /**
   * Gives `deliver` what has waited, then whatever comes until the result is disposed, which says
   * that the child has ended. INT and QUIT are left out while this process is in its terminal's
   * foreground: there the child has its own.
   */
  passTo(deliver: Deliver): Disposable
}

type Deliver = (signal: NodeJS.Signals) => void

/**
 * Keeps signals from ending this process until it is disposed, so that it has time to close what is
 * open. Three times follow each other:
 *
 *   before a child   the first signal that ends programs aborts `ending`; USR1 and USR2 wait
 *   with a child     signals are the child's affair, as many as come
 *   closing          after either; signals do nothing, unless closing has hung for 3 s: then the
 *                    next one ends this process the hard way
 *
 * On Windows only Ctrl-C and the closing of the console exist.
 */
export function holdSignals({ patienceMs = PATIENCE } = {}): HeldSignals {
  const ending = new AbortController()
  // Each counts once, as in the kernel: it is the child that is to hear of it, not a queue.
  const waiting = new Set<NodeJS.Signals>()
  let child: { readonly deliver: Deliver; sharesTerminal: boolean } | undefined
  let closingSince: number | undefined

  const onSignal = (signal: NodeJS.Signals) => {
    if (child !== undefined) {
      const hasItsOwn = TYPED.has(signal) && child.sharesTerminal && isInForeground()
      if (!hasItsOwn) child.deliver(signal)
    } else if (closingSince !== undefined) {
      if (performance.now() - closingSince > patienceMs) endTheHardWay(signal)
    } else if (ENDING.has(signal)) {
      closingSince = performance.now()
      ending.abort(signal)
    } else {
      waiting.add(signal)
    }
  }
  for (const signal of HELD) process.on(signal, onSignal)

  return {
    ending: ending.signal,
    passTo(deliver) {
      const running = { deliver, sharesTerminal: false }
      child = running
      for (const signal of waiting) deliver(signal)
      waiting.clear()
      // What the event loop brings in its next turn may be older than the child, which then has
      // not got it from the terminal: rather twice than lost.
      afterNextTurn(() => {
        running.sharesTerminal = true
      })
      return {
        [Symbol.dispose]() {
          child = undefined
          closingSince = performance.now()
        },
      }
    },
    [Symbol.dispose]() {
      for (const signal of HELD) process.removeListener(signal, onSignal)
    },
  }
}

/** An immediate runs at the end of this turn, after whatever it has brought already. */
function afterNextTurn(run: () => void): void {
  setImmediate(() => setImmediate(run))
}

/** By the signal itself where that is told from a status, as {@link endLike} has it. */
function endTheHardWay(signal: NodeJS.Signals): never {
  endLike({ signal })
  process.exit()
}
