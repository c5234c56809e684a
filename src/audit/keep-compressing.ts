import { HOUR, SECOND } from '../domain/time.ts'

/** Runs something again and again, without keeping the process alive, until disposed. */
export type Every = (intervalMs: number, run: () => void) => Disposable

interface Options {
  readonly pass: (signal: AbortSignal) => Promise<void>
  readonly every: Every
  /** Is told why a pass failed. */
  readonly onFault: (error: unknown) => void
}

/** Long enough for a command that issues a credential to be over. */
const FIRST_PASS = 10 * SECOND

/** Makes a pass soon, and then one an hour, one at a time; the end aborts one that goes on. */
export function keepCompressing({ pass, every, onFault }: Options): AsyncDisposable {
  const ending = new AbortController()
  let passing: Promise<void> | undefined
  const run = () => {
    passing ??= makePass().finally(() => {
      passing = undefined
    })
  }
  const first = every(FIRST_PASS, () => {
    first[Symbol.dispose]()
    run()
  })
  const others = every(HOUR, run)

  return {
    async [Symbol.asyncDispose]() {
      first[Symbol.dispose]()
      others[Symbol.dispose]()
      ending.abort()
      await passing
    },
  }

  async function makePass(): Promise<void> {
    try {
      await pass(ending.signal)
    } catch (error) {
      if (!ending.signal.aborted) onFault(error)
    }
  }
}
