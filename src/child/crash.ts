/** What happens when something was thrown that nobody caught, anywhere in this process. */
export interface CrashWatch {
  /** Aborts with what was thrown: what is open is to be closed. */
  readonly signal: AbortSignal
  /**
   * From now on something is open: a crash leaves {@link TIME_TO_CLOSE} for it. Without, it is the
   * end at once, before anything goes on in a state that nobody foresaw.
   */
  leaveTime(): void
}

/** Milliseconds from a crash to the end of the process, whatever hangs. */
const TIME_TO_CLOSE = 2000

/** That of a bug. */
export const CRASHED = 70

/**
 * Makes an uncaught exception, or a rejection that nobody handled, end this process with status 70
 * instead of Node's own trace. `tell` is given each such error, at once. A second one while closing
 * is the end.
 */
export function watchForCrash(tell: (error: unknown) => void): CrashWatch {
  const crash = new AbortController()
  let hasOpen = false

  // Rejections come this way too.
  process.on('uncaughtException', (error: unknown) => {
    process.exitCode = CRASHED
    try {
      tell(error)
    } catch {
      // What cannot even be told ends us all the same.
    }
    if (crash.signal.aborted || !hasOpen) process.exit()
    // Not a reason to stay: closed sooner, it ends sooner.
    setTimeout(() => process.exit(CRASHED), TIME_TO_CLOSE).unref()
    crash.abort(error)
  })

  return {
    signal: crash.signal,
    leaveTime() {
      hasOpen = true
    },
  }
}
