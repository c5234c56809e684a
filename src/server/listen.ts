import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { SentinelError } from '../errors.ts'
import { ClientConnection } from './client-connection.ts'
import type { Handler, HttpReply } from './handler.ts'
import type { IdentifyPeer } from './peer-owner.ts'

const LOOPBACK = '127.0.0.1'
const CONNECTIONS_MAX = 512

const OPTIONS = {
  // Node's own answers to what it dislikes would differ from ours: all dislikes are ours.
  requireHostHeader: false,
  httpValidation: 'strict',
  maxHeaderSize: 8192,
  headersTimeout: 2000,
  requestTimeout: 2000,
  // Without this the timeouts above are looked at twice a minute.
  connectionsCheckingInterval: 500,
  // Instead: the timer below, which need not be set anew for each request.
  keepAliveTimeout: 0,
} as const
/** For a client that asks nothing more, or does not read its answers. */
const INACTIVITY_TIMEOUT_MS = 5000

export interface ListenOptions {
  /** 0: a free one. */
  readonly port: number
  readonly identifyPeer: IdentifyPeer
  /** Hears of errors of the listening socket. It goes on listening. */
  readonly onBug: (error: unknown) => void
}

/** A server that answers until it is disposed, which closes every connection at once. */
export interface Listening extends AsyncDisposable {
  /** `127.0.0.1:PORT`. */
  readonly address: string
}

/**
 * Serves on the loopback interface, and nowhere else, what `handlerFor` makes for the address.
 * Rejects with `PORT_UNAVAILABLE` when the port cannot be had.
 */
export async function listen(
  handlerFor: (address: string) => Handler,
  { port, identifyPeer, onBug }: ListenOptions,
): Promise<Listening> {
  const server = createServer(OPTIONS)
  server.timeout = INACTIVITY_TIMEOUT_MS
  // No SDK sends more than 10. Should Node ever leave the rest out instead of refusing, a test
  // fails: a header that refuses could be among the rest.
  server.maxHeadersCount = 64

  const address = await bind(server, port)
  server.on('error', onBug)
  const connections = serve(server, handlerFor(address), identifyPeer)

  return {
    address,
    async [Symbol.asyncDispose]() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      for (const connection of connections()) connection.destroy()
      await closed
    },
  }
}

async function bind(server: Server, port: number): Promise<string> {
  server.listen({ host: LOOPBACK, port, exclusive: true })
  try {
    await once(server, 'listening')
  } catch (error) {
    throw new SentinelError('PORT_UNAVAILABLE', `port ${port} of ${LOOPBACK} cannot be had`, {
      hint: 'leave --server-port out: a free port is then chosen',
      cause: error,
    })
  }
  return `${LOOPBACK}:${(server.address() as AddressInfo).port}`
}

/** Connects every event by which Node tells of a client. Returns the live connections. */
function serve(server: Server, handler: Handler, identifyPeer: IdentifyPeer) {
  const connections = new Map<Duplex, ClientConnection>()

  server.on('connection', (socket: Socket) => {
    connections.set(socket, new ClientConnection(socket, identifyPeer))
    socket.once('close', () => connections.delete(socket))
    if (connections.size > CONNECTIONS_MAX) dropOne(connections)
  })

  const answer = (incoming: IncomingMessage, outgoing: ServerResponse) => {
    const connection = connections.get(incoming.socket)
    void connection?.answer(outgoing, async () => {
      try {
        const reply = await handler(connection.requestOf(incoming))
        if (reply.status === 401) return 'refused'
        send(outgoing, reply)
      } catch {
        // A handler answers every error; what comes here is a bug in that, and nothing is served.
        connection.destroy()
      }
      return 'answered'
    })
  }
  server.on('request', answer)
  // Without these two Node would answer by itself: 100 Continue, 417.
  server.on('checkContinue', answer)
  server.on('checkExpectation', answer)

  const refuse = (socket: Duplex) => connections.get(socket)?.refuse()
  server.on('connect', (incoming: IncomingMessage) => refuse(incoming.socket))
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    if (error.code === 'ERR_HTTP_REQUEST_TIMEOUT') connections.get(socket)?.cut()
    else refuse(socket)
  })

  return () => connections.values()
}

/**
 * Drops the connection that has been there longest without a request, at worst the newest: whoever
 * opens connections to fill the table pushes out their own, and an SDK, which asks at once, stays.
 */
function dropOne(connections: Map<Duplex, ClientConnection>): void {
  for (const [socket, connection] of connections) {
    if (!connection.isExpendable) continue
    connections.delete(socket)
    connection.destroy()
    return
  }
}

function send(outgoing: ServerResponse, { status, body }: HttpReply): void {
  const headers = [
    'Content-Type',
    'application/json',
    'Content-Length',
    String(body.length),
    'Cache-Control',
    'no-store',
  ]
  if (status === 503) headers.push('Retry-After', '1')
  outgoing.sendDate = false
  outgoing.writeHead(status, headers).end(body, 'latin1')
}
