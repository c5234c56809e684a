import type { SessionCredentials } from '../domain/credentials.ts'
import { type Instant, toSeconds } from '../domain/time.ts'
import type { Clock } from '../ports/clock.ts'
import type { Handler } from './handler.ts'
import { assertAdmitted } from './middleware/require-peer.ts'
import type { Peer } from './peer-owner.ts'

/** Where served credentials come from: the decision, the issuing and the record are behind it. */
export interface Supply {
  /**
   * Credentials for one request, or rejects with the reason for the refusal. Giving the same object
   * again is cheap: it is turned into text once.
   */
  serve(peer: Exclude<Peer, 'other'>): Promise<SessionCredentials>
}

/** The innermost handler: answers with what `supply` gives, if that may be said at all. */
export function serveCredentials(supply: Supply, clock: Pick<Clock, 'aws'>): Handler {
  const bodies = new WeakMap<SessionCredentials, Body>()

  return async function serveCredentials(request) {
    const peer = await request.peer()
    assertAdmitted(peer)
    const credentials = await supply.serve(peer)
    const { text, expiration } = bodies.getOrInsertComputed(credentials, toBody)
    // A bug elsewhere must not become a 200 with dead keys, on which an SDK gives up for good.
    if (!(expiration > clock.aws())) throw new Error('the credentials to be served have expired')
    return { status: 200, body: text, expiration }
  }
}

interface Body {
  readonly text: string
  /** As it is written in `text`. */
  readonly expiration: Instant
}

function toBody(credentials: SessionCredentials): Body {
  const fields = {
    AccessKeyId: credentials.accessKeyId,
    SecretAccessKey: credentials.secretAccessKey.reveal(),
    Token: credentials.sessionToken.reveal(),
    Expiration: toSeconds(credentials.expiration),
    AccountId: credentials.accountId,
  }
  for (const [name, value] of Object.entries(fields)) {
    // Also what makes the text ASCII. The value stays out of the error.
    if (!/^[!-~]+$/.test(value)) throw new Error(`the credentials to be served have no ${name}`)
  }
  return { text: JSON.stringify(fields), expiration: Date.parse(fields.Expiration) }
}
