import { SentinelError } from '../../errors.ts'

/** Throws `STORE_UNAVAILABLE` when whoever asked has given up: then nothing is done. */
export function assertAwaited({ aborted, reason }: AbortSignal): void {
  if (!aborted) return
  throw new SentinelError('STORE_UNAVAILABLE', 'nobody waits for the store any more', {
    cause: reason,
  })
}
