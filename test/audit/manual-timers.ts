import type { Every } from '../../src/audit/keep-compressing.ts'

/** Timers that fire when they are told to. */
export function manualTimers() {
  const timers = new Set<{ readonly intervalMs: number; readonly run: () => void }>()
  const every: Every = (intervalMs, run) => {
    const timer = { intervalMs, run }
    timers.add(timer)
    return { [Symbol.dispose]: () => void timers.delete(timer) }
  }
  return {
    every,
    /** Of those that are not disposed of. */
    intervals: () => [...timers].map(({ intervalMs }) => intervalMs),
    fire(intervalMs: number) {
      for (const timer of [...timers]) if (timer.intervalMs === intervalMs) timer.run()
    },
  }
}
