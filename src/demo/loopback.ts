import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** A request as it came over the wire. */
export interface WireRequest {
  readonly method: string
  readonly target: string
  /** Lower-case names, each with every value in order. */
  readonly headers: Readonly<Record<string, readonly string[] | undefined>>
  readonly body: Buffer
  /** Whether the body went past what any service takes, and was dropped. */
  readonly isTooLarge: boolean
}

/** What goes back: an answer, a connection cut short, or nothing at all. */
export type WireReply =
  | {
      readonly kind: 'answer'
      readonly status: number
      readonly headers: Readonly<Record<string, string>>
      readonly body: string
    }
  | { readonly kind: 'reset' }
  | { readonly kind: 'silence' }

/** Longer than anything the stand-in's services take. */
const MAX_BODY_BYTES = 256 * 1024
/** How long a request may take to arrive. */
const ARRIVAL_TIMEOUT_MS = 10_000

export interface Loopback extends AsyncDisposable {
  /** `http://127.0.0.1:PORT`. */
  readonly url: string
}

/**
 * Answers requests on 127.0.0.1, and on no other address, until disposed: then connections are cut,
 * the silent ones too.
 */
export async function serveLoopback(
  answer: (request: WireRequest) => Promise<WireReply>,
): Promise<Loopback> {
  const server = createServer(
    {
      requestTimeout: ARRIVAL_TIMEOUT_MS,
      headersTimeout: ARRIVAL_TIMEOUT_MS,
      connectionsCheckingInterval: 500,
    },
    (incoming, outgoing) => {
      respond(answer, incoming, outgoing).catch(() => outgoing.destroy())
    },
  )
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo

  return {
    url: `http://127.0.0.1:${port}`,
    async [Symbol.asyncDispose]() {
      if (!server.listening) return
      const closed = once(server, 'close')
      server.close()
      server.closeAllConnections()
      await closed
    },
  }
}

async function respond(
  answer: (request: WireRequest) => Promise<WireReply>,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
): Promise<void> {
  const arrived = await readBody(incoming)
  const { method = '', url: target = '/', headersDistinct: headers } = incoming
  const reply = await answer({ method, target, headers, ...arrived })
  if (reply.kind === 'silence') return
  if (reply.kind === 'reset') {
    incoming.socket.resetAndDestroy()
    return
  }
  // The reply has its own Date: AWS's clock, not this machine's.
  outgoing.sendDate = false
  outgoing
    .writeHead(reply.status, {
      ...reply.headers,
      'content-length': String(Buffer.byteLength(reply.body)),
    })
    .end(reply.body)
}

async function readBody(
  incoming: IncomingMessage,
): Promise<Pick<WireRequest, 'body' | 'isTooLarge'>> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of incoming as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size <= MAX_BODY_BYTES) chunks.push(chunk)
  }
  const isTooLarge = size > MAX_BODY_BYTES
  return { body: isTooLarge ? Buffer.alloc(0) : Buffer.concat(chunks), isTooLarge }
}
