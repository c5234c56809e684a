/**
 * The credential server, put together. Why nothing leaks from it, and where that is:
 *
 *     nobody off the machine reaches it it listens on 127.0.0.1 alone        listen.ts
 *     a web page gets nothing           Host, one header shape, no CORS      require-shape.ts
 *     who lacks the token gets nothing  digests, compared in constant time   require-token.ts
 *     another user gets nothing         whose socket it is, by the kernel    require-peer.ts
 *     a session that is over: nothing   the verdict, before and after        track-session.ts
 *     a refusal tells no reason         one buffer of bytes for all          client-connection.ts
 *     an error tells nothing internal   its code or its `reply`, no message  error-reply.ts
 *     no 200 without live credentials   a last look at what is written       serve-credentials.ts
 *     who is slow or many hurts nobody  timeouts; 512 connections; 8 asking  listen.ts
 *
 * Nothing here decides whether credentials may be had: that is the supply's.
 *
 * @module
 */
import { readFile } from 'node:fs/promises'
import type { Secret } from '../domain/secret.ts'
import type { Clock } from '../ports/clock.ts'
import { type Handler, type Middleware, wrap } from './handler.ts'
import { listen } from './listen.ts'
import { reportErrors } from './middleware/report-errors.ts'
import { requirePeer } from './middleware/require-peer.ts'
import { requireShape, TARGET } from './middleware/require-shape.ts'
import { requireToken } from './middleware/require-token.ts'
import { type IdentifyPeer, identifyNobody, identifyPeers } from './peer-owner.ts'
import { type Supply, serveCredentials } from './serve-credentials.ts'

export interface CredentialHandlerOptions {
  readonly supply: Supply
  /** 32 random bytes in base64url. */
  readonly token: Secret
  readonly clock: Pick<Clock, 'aws'>
  /** Looked at after the guard and before the supply, in order: the session tracker's door. */
  readonly layers?: readonly Middleware[]
  /** Hears of every error that is a bug. The client hears nothing. */
  readonly onBug: (error: unknown) => void
}

export interface CredentialServerOptions extends CredentialHandlerOptions {
  /** 0, the default: a free one. */
  readonly port?: number
  readonly platform: NodeJS.Platform
  /** Our effective user id, where the platform has one. */
  readonly uid: number | undefined
}

/** A server that answers one request: who may have credentials, and gets them. */
export interface CredentialServer extends AsyncDisposable {
  /** What a child finds in `AWS_CONTAINER_CREDENTIALS_FULL_URI`. */
  readonly url: string
  /** `127.0.0.1:PORT`. */
  readonly address: string
}

/**
 * Opens the server on 127.0.0.1. Rejects with `PORT_UNAVAILABLE` when `port` cannot be had.
 * Disposing it closes every connection, whatever it waits for.
 */
export async function openCredentialServer(
  options: CredentialServerOptions,
): Promise<CredentialServer> {
  const { port = 0, onBug } = options
  const identifyPeer = identifyPeerOn(options)
  const listening = await listen((address) => credentialHandler(address, options), {
    port,
    identifyPeer,
    onBug,
  })
  return {
    url: `http://${listening.address}${TARGET}`,
    address: listening.address,
    [Symbol.asyncDispose]: () => listening[Symbol.asyncDispose](),
  }
}

/** The way of a request, from the outside in. What the guard refuses is one and the same 401. */
export function credentialHandler(
  address: string,
  { supply, token, clock, layers = [], onBug }: CredentialHandlerOptions,
): Handler {
  return wrap(
    serveCredentials(supply, clock),
    reportErrors(onBug),
    requireShape(address),
    requireToken(token),
    requirePeer(),
    ...layers,
  )
}

function identifyPeerOn({
  platform,
  uid,
}: Pick<CredentialServerOptions, 'platform' | 'uid'>): IdentifyPeer {
  if (platform !== 'linux' || uid === undefined) return identifyNobody
  return identifyPeers({ uid, readTables })
}

async function readTables(): Promise<string> {
  const [tcp, tcp6] = await Promise.all([
    readFile('/proc/net/tcp', 'latin1'),
    // Absent where IPv6 is off: then nobody can have come through it.
    readFile('/proc/net/tcp6', 'latin1').catch(() => ''),
  ])
  return tcp + tcp6
}
