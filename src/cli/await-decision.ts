import type { RequestDeps } from '../app/request-deps.ts'
import { describeState, type ShownRequest } from '../app/shown-request.ts'
import { waitForDecision } from '../app/wait-for-decision.ts'
import type { Deps } from '../deps.ts'
import { formatDuration } from '../domain/duration.ts'
import { SECOND } from '../domain/time.ts'
import { SentinelError } from '../errors.ts'

/**
 * Waits until a request is decided, and shows on stderr how far that is. Rejects with `INTERRUPTED`
 * on Ctrl-C, which leaves the request as it is.
 */
export async function awaitDecision(
  deps: Pick<RequestDeps, 'store' | 'clock' | 'digest'>,
  shown: ShownRequest,
  { out, notices, clock, interruptibly }: Pick<Deps, 'out' | 'notices' | 'clock' | 'interruptibly'>,
): Promise<ShownRequest> {
  const { id, required } = shown.filed.request
  if (shown.state.status !== 'pending') return shown
  notices.info(
    `waiting for the decision about request ${id}; Ctrl-C ends the wait, not the request`,
  )
  let isSilent = false
  try {
    return await interruptibly((interrupted) =>
      waitForDecision(deps, id, {
        interrupted,
        onLook(look) {
          if ('silence' in look) {
            if (!isSilent) notices.warn(`${look.silence.message}: still waiting`)
            isSilent = true
            return
          }
          isSilent = false
          const { approvals, expiresAt } = look.state
          const left = formatDuration((expiresAt - clock.aws()) / SECOND)
          out.progress(`request ${id}: ${approvals.length} of ${required} approvals, ${left} left`)
        },
      }),
    )
  } finally {
    out.progress('')
  }
}

/** Throws `REQUEST_DENIED` when what was waited for came to no access. */
export function assertAccess(shown: ShownRequest): void {
  const { status } = shown.state
  if (status === 'approved') return
  const { id } = shown.filed.request
  throw new SentinelError('REQUEST_DENIED', `request ${id} ${describeState(shown)}`, {
    hint: `see all of it with: sentinel request show ${id}`,
  })
}
