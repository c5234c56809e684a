/**
 * A credential server as the tests of this room need it, and a client that writes bytes.
 *
 * @module
 */
import { connect } from 'node:net'
import { Secret } from '../../src/domain/secret.ts'
import {
  type CredentialServer,
  type CredentialServerOptions,
  openCredentialServer,
} from '../../src/server/credential-server.ts'
import type { Middleware } from '../../src/server/handler.ts'
import { trackSession } from '../../src/server/middleware/track-session.ts'

export const TOKEN = 'dGhlLTMyLXJhbmRvbS1ieXRlcy1vZi1hLXRva2VuLi4'
/** In every credential, and so in no refusal. */
export const CANARY = 'CANARY'
export const NOW = Date.parse('2026-01-14T12:00:00Z')

export const credentials = {
  accessKeyId: `ASIA${CANARY}AAAAAA`,
  secretAccessKey: new Secret(`secret/${CANARY}`),
  sessionToken: new Secret(`session/${CANARY}`),
  expiration: NOW + 900_999,
  accountId: '111122223333',
}

/** What is served for {@link credentials}. */
export const SERVED = {
  AccessKeyId: `ASIA${CANARY}AAAAAA`,
  SecretAccessKey: `secret/${CANARY}`,
  Token: `session/${CANARY}`,
  Expiration: '2026-01-14T12:15:00Z',
  AccountId: '111122223333',
}

/** A server without a session, and one with a session that lives: no client can tell them apart. */
export const CHAINS: Record<string, readonly Middleware[]> = {
  untracked: [],
  tracked: [trackSession({ assertLive() {}, touch() {} })],
}

/** Options with a supply that always gives, counts, and knows whom it gave to. */
export function gatewayOptions() {
  const peers: string[] = []
  const bugs: unknown[] = []
  const options = {
    supply: {
      serve: async (peer: string) => {
        peers.push(peer)
        return credentials
      },
    },
    token: new Secret(TOKEN),
    clock: { aws: () => NOW },
    // The peer check has tests of its own; without tables everybody is unknown.
    platform: 'darwin',
    uid: undefined,
    onBug: (error: unknown) => void bugs.push(error),
  } satisfies CredentialServerOptions
  return { options, peers, bugs }
}

/** Opens a server on {@link gatewayOptions}, but for what `overrides` says. */
export async function openGateway(
  overrides: Partial<CredentialServerOptions> = {},
): Promise<CredentialServer & { port: number; peers: string[]; bugs: unknown[] }> {
  const { options, peers, bugs } = gatewayOptions()
  const server = await openCredentialServer({ ...options, ...overrides })
  const port = Number(server.address.split(':')[1])
  return { ...server, port, peers, bugs }
}

/** The header lines of the request that is served, as botocore sends them. */
export function goodHeaders(port: number): string[] {
  return [
    `Host: 127.0.0.1:${port}`,
    'Accept-Encoding: identity',
    'User-Agent: python-urllib3/2.7.0',
    'Accept: application/json',
    `Authorization: ${TOKEN}`,
  ]
}

/** A request as bytes. Without headers: those of the request that is served. */
export function requestText(
  port: number,
  { line = 'GET /credentials HTTP/1.1', headers = goodHeaders(port), body = '' } = {},
): string {
  return `${[line, ...headers].join('\r\n')}\r\n\r\n${body}`
}

/** How long a test waits for what should come at once. */
const PATIENCE_MS = 10_000

interface ExchangeOptions {
  readonly host?: string
  /** Stop once this many answers are there. Absent: read until the server closes. */
  readonly answers?: number
  /** Close our side after writing, as a client does that has no more to say. */
  readonly halfClose?: boolean
}

/** Writes `bytes` on a new connection and resolves with everything the server answers. */
export function exchange(
  port: number,
  bytes: string | Buffer,
  {
    host = '127.0.0.1',
    answers = Number.POSITIVE_INFINITY,
    halfClose = false,
  }: ExchangeOptions = {},
): Promise<string> {
  return new Promise((resolve, reject) => {
    let received = ''
    const socket = connect({ host, port })
    const timer = setTimeout(() => socket.destroy(new Error('the server kept silent')), PATIENCE_MS)
    const data = typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes
    socket.write(data)
    if (halfClose) socket.end()
    socket.on('data', (chunk) => {
      received += chunk.toString('latin1')
      if (countAnswers(received) >= answers) socket.destroy()
    })
    socket.on('error', (error: NodeJS.ErrnoException) => {
      // A reset is an end like any other: what came before it counts.
      if (error.code !== 'ECONNRESET' && error.code !== 'EPIPE') reject(error)
    })
    socket.on('close', () => {
      clearTimeout(timer)
      resolve(received)
    })
  })
}

/** Whole answers in `received`, by their own Content-Length. */
export function countAnswers(received: string): number {
  return splitAnswers(received).length
}

/** The whole answers in `received`. */
export function splitAnswers(received: string): { head: string; status: number; body: string }[] {
  const answers = []
  for (let rest = received; ; ) {
    const at = rest.indexOf('\r\n\r\n')
    if (at === -1) return answers
    const head = rest.slice(0, at)
    const end = at + 4 + Number(/\r\ncontent-length: (\d+)/i.exec(head)?.[1] ?? 0)
    if (rest.length < end) return answers
    answers.push({ head, status: Number(head.split(' ')[1]), body: rest.slice(at + 4, end) })
    rest = rest.slice(end)
  }
}

/** The bytes of every refusal before the decision, whatever it was that was refused. */
export const REFUSAL =
  'HTTP/1.1 401 Unauthorized\r\n' +
  'Content-Type: application/json\r\n' +
  'Content-Length: 173\r\n' +
  'Cache-Control: no-store\r\n' +
  'Connection: close\r\n' +
  '\r\n' +
  '{"Code":"Unauthorized","Message":"a request to the server is not the one shape served",' +
  '"code":"Unauthorized","message":"a request to the server is not the one shape served"}'
