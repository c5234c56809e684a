import type { Secret } from '../domain/secret.ts'
import { type ShipTarget, shownTarget } from '../domain/ship-target.ts'
import { SentinelError } from '../errors.ts'
import type { LogReceiver } from '../ports/log-receiver.ts'
import type { Post } from './post.ts'

interface LogPostOptions {
  readonly post: Post
  readonly target: Extract<ShipTarget, { kind: 'url' }>
  /** What the receiver knows its senders by. */
  readonly token?: Secret | undefined
}

/** Another try may help: the first two are about who sends, which the environment says. */
const PASSING: ReadonlySet<number> = new Set([401, 403, 408, 429])

/** A receiver that the lines are posted to as they are, a batch a request. */
export function createLogPost({ post, target, token }: LogPostOptions): LogReceiver {
  const receiver = shownTarget(target)
  return {
    async send(lines, signal) {
      const headers = {
        'Content-Type': 'application/x-ndjson',
        ...(token && { Authorization: `Bearer ${token.reveal()}` }),
      }
      const body = lines.map(({ text }) => `${text}\n`).join('')
      const message = { receiver, address: target.url, headers, body }
      const status = await post(message, signal).catch((error: unknown) => {
        throw error instanceof SentinelError ? translate(error) : error
      })
      assertTaken(status, receiver)
      return undefined
    },
  }
}

function assertTaken(status: number, receiver: string): void {
  if (status >= 200 && status < 300) return
  const isRefused = status >= 400 && status < 500 && !PASSING.has(status)
  throw new SentinelError(
    isRefused ? 'SHIPPING_REFUSED' : 'SHIPPING_FAILED',
    `${receiver} answered ${status} to the log`,
    { hint: hintFor(status) },
  )
}

function hintFor(status: number): string {
  if (status === 401 || status === 403) {
    return 'set SENTINEL_LOG_SHIP_TOKEN to what the receiver knows'
  }
  if (status === 413) return 'let the receiver take bodies of 512 KiB'
  if (status >= 300 && status < 400) return 'name the address itself: redirects are not followed'
  if (status >= 400 && status < 500) return 'check log_ship, and what the receiver expects'
  return 'look at the receiver; the log waits meanwhile'
}

/** A fault of posting, in the words of shipping. */
function translate({ code, message, cause }: SentinelError): SentinelError {
  const isRefused = code === 'NOTIFICATION_REFUSED'
  return new SentinelError(isRefused ? 'SHIPPING_REFUSED' : 'SHIPPING_FAILED', message, {
    hint: isRefused
      ? 'correct log_ship: https://HOST/PATH; http is for 127.0.0.1'
      : 'look at the network and at the receiver; the log waits meanwhile',
    cause,
  })
}
