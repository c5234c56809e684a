import type { Instant } from '../domain/time.ts'
import type { Peer } from './peer-owner.ts'

/**
 * What the gateway looks at in a request: plain values that never change. A test writes one in a
 * line, and the hot path pays for no `Request` and `Response` objects (measured: those take four
 * fifths of it). A client that asks the same again on its connection, to the letter, as SDKs do, is
 * the same object: layers that look at nothing else need to judge it once.
 */
export interface HttpRequest {
  readonly method: string
  /** As it stood in the request line, not decoded. */
  readonly target: string
  /** `1.1`. */
  readonly httpVersion: string
  /** Lower-case names, each with every value it was sent with, in order. */
  readonly headers: ReadonlyMap<string, readonly string[]>
  /** Whose the other end of the connection is. Found out when first asked, once a connection. */
  readonly peer: () => Promise<Peer>
}

export interface HttpReply {
  /** No other status is ever sent: SDKs treat the rest in surprising ways. */
  readonly status: 200 | 401 | 403 | 500 | 503
  /** JSON on one line, in ASCII. */
  readonly body: string
  /** Of a 200: when the credentials in `body` expire, as it says. For layers, and never sent. */
  readonly expiration?: Instant
}

/** Answers one request. Rejects to refuse it: `reportErrors` makes that a reply. */
export type Handler = (request: HttpRequest) => Promise<HttpReply>

/** Adds one concern around a handler, in a closure over whatever that concern needs. */
export type Middleware = (next: Handler) => Handler

/** Wraps `handler` in `layers`. The first layer is the outermost: it sees a request first. */
export function wrap(handler: Handler, ...layers: readonly Middleware[]): Handler {
  return layers.reduceRight((next, layer) => layer(next), handler)
}
