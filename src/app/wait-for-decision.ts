import type { AccessRequestId } from '../domain/access-request.ts'
import { hasCode, SentinelError } from '../errors.ts'
import { requestNotFound } from './find-request.ts'
import { patience } from './patience.ts'
import type { RequestDeps } from './request-deps.ts'
import { type ShownRequest, showRequest } from './shown-request.ts'

const INTERVAL_MS = 2500

interface Waiting {
  /** Aborts when nobody waits any more. */
  readonly interrupted: AbortSignal
  /** Hears of each look that found no decision; `silence`: the store did not answer. */
  readonly onLook: (look: ShownRequest | { readonly silence: SentinelError }) => void
}

/**
 * Waits until a request is decided, by people or by time; resolves to what it came to. A store that
 * falls silent is asked again. Rejects with `INTERRUPTED`, and the request stays as it is.
 */
export async function waitForDecision(
  deps: Pick<RequestDeps, 'store' | 'clock' | 'digest'>,
  id: AccessRequestId,
  { interrupted, onLook }: Waiting,
): Promise<ShownRequest> {
  while (!interrupted.aborted) {
    try {
      const shown = await look(deps, id, interrupted)
      if (shown.state.status !== 'pending') return shown
      onLook(shown)
    } catch (error) {
      if (interrupted.aborted) break
      if (!hasCode(error, 'STORE_UNAVAILABLE')) throw error
      onLook({ silence: error })
    }
    await pause(interrupted)
  }
  throw new SentinelError('INTERRUPTED', `nobody waits any more, and request ${id} stays`, {
    hint: `wait again with: sentinel request show ${id} --wait; or take it back: sentinel cancel ${id}`,
  })
}

async function look(
  { store, clock, digest }: Pick<RequestDeps, 'store' | 'clock' | 'digest'>,
  id: AccessRequestId,
  interrupted: AbortSignal,
): Promise<ShownRequest> {
  const filed = await store.get(id, AbortSignal.any([patience(), interrupted]))
  if (filed === undefined) throw requestNotFound(id)
  return showRequest(filed, digest, clock.aws())
}

function pause(interrupted: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer)
      interrupted.removeEventListener('abort', end)
      resolve()
    }
    const timer = setTimeout(end, INTERVAL_MS)
    interrupted.addEventListener('abort', end)
  })
}
