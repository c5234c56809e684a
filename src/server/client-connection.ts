import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { UNAUTHORIZED } from './error-reply.ts'
import type { HttpRequest } from './handler.ts'
import type { Connection, IdentifyPeer, Peer } from './peer-owner.ts'

// No SDK sends a second request before it has the answer to the first.
const PIPELINED_MAX = 8
const LINGER_MS = 500

/**
 * Every refusal before the decision, byte by byte, whoever refuses. It is written past Node's
 * response, which leaves the body out for HEAD and has no say in what the parser refuses.
 */
const REFUSAL = Buffer.from(
  [
    'HTTP/1.1 401 Unauthorized',
    'Content-Type: application/json',
    `Content-Length: ${UNAUTHORIZED.body.length}`,
    'Cache-Control: no-store',
    'Connection: close',
    '',
    UNAUTHORIZED.body,
  ].join('\r\n'),
)

/** One client's connection: what is owed to it, and how it is turned away. */
export class ClientConnection {
  readonly #socket: Socket
  readonly #identifyPeer: IdentifyPeer
  #peer: Promise<Peer> | undefined
  #request: { readonly rawHeaders: readonly string[]; readonly request: HttpRequest } | undefined
  #latest: ServerResponse | undefined
  #unanswered = 0
  #isRefused = false

  constructor(socket: Socket, identifyPeer: IdentifyPeer) {
    this.#socket = socket
    this.#identifyPeer = identifyPeer
    // Node takes its own listener away when a client asks for a tunnel, and a reset would then be
    // an uncaught error.
    socket.on('error', () => socket.destroy())
  }

  /** Whose the other end is: found out when first asked, then remembered. */
  readonly #peerOf = (): Promise<Peer> => {
    this.#peer ??= this.#identifyPeer(endsOf(this.#socket))
    return this.#peer
  }

  /**
   * The request that `incoming` carries: the one before, if it is the same to the letter. What is
   * compared came from this client both times, so how long that takes tells it nothing.
   */
  requestOf({ method = '', url: target = '', httpVersion, rawHeaders }: IncomingMessage) {
    const last = this.#request
    if (
      last?.request.method === method &&
      last.request.target === target &&
      last.request.httpVersion === httpVersion &&
      isSame(last.rawHeaders, rawHeaders)
    ) {
      return last.request
    }
    const request = {
      method,
      target,
      httpVersion,
      headers: collect(rawHeaders),
      peer: this.#peerOf,
    }
    this.#request = { rawHeaders, request }
    return request
  }

  /** Whether its end would cost nobody an answer: it has not asked yet, or was turned away. */
  get isExpendable(): boolean {
    return this.#latest === undefined || this.#isRefused
  }

  /**
   * Answers the request that `response` belongs to with what `work` does, or turns the client away
   * once `work` says so. After a refusal nothing more is looked at.
   */
  async answer(response: ServerResponse, work: () => Promise<'answered' | 'refused'>) {
    if (this.#isRefused) return
    const previous = this.#latest
    this.#latest = response
    if (this.#unanswered >= PIPELINED_MAX) return this.#refuseAfter(previous)

    this.#unanswered += 1
    const outcome = await work()
    this.#unanswered -= 1
    if (outcome === 'refused') this.#refuseAfter(previous)
  }

  /** Turns the client away, once it has the answers to what it asked before. */
  refuse(): void {
    this.#refuseAfter(this.#latest)
  }

  /** Closes the connection now: a client that is too slow gets no time to be slow again. */
  cut(): void {
    if (this.#latest === undefined) this.#endWithRefusal()
    this.destroy()
  }

  destroy(): void {
    this.#socket.destroy()
  }

  #refuseAfter(previous: ServerResponse | undefined): void {
    this.#isRefused = true
    if (previous === undefined || previous.closed) this.#endWithRefusal()
    else previous.once('close', () => this.#endWithRefusal())
  }

  #endWithRefusal(): void {
    const socket = this.#socket
    if (socket.destroyed || socket.writableEnded) return
    socket.end(REFUSAL)
    // What the client is still sending is thrown away unparsed for a moment: a close with bytes
    // unread is a reset, which would take the refusal from the client's hands.
    socket.removeAllListeners('data').on('data', () => {})
    const linger = setTimeout(() => socket.destroy(), LINGER_MS)
    socket.once('close', () => clearTimeout(linger))
  }
}

function isSame(a: readonly string[], b: readonly string[]): boolean {
  if (a.length !== b.length) return false
  for (let at = 0; at < a.length; at++) if (a[at] !== b[at]) return false
  return true
}

/** Not Node's `headers`, which joins or drops what was sent twice. */
function collect(raw: readonly string[]): HttpRequest['headers'] {
  const headers = new Map<string, string[]>()
  for (let at = 0; at < raw.length; at += 2) {
    const name = raw[at]!.toLowerCase()
    const values = headers.get(name)
    if (values === undefined) headers.set(name, [raw[at + 1]!])
    else values.push(raw[at + 1]!)
  }
  return headers
}

function endsOf({ remoteAddress, remotePort, localPort }: Socket): Connection {
  return { remoteAddress, remotePort, localPort }
}
