import { type RequestOptions, request as requestHTTP } from 'node:http'
import { Agent, request as requestHTTPS } from 'node:https'
import { SECOND } from '../domain/time.ts'
import { SentinelError } from '../errors.ts'

const TIMEOUT = 5 * SECOND

/** Both ends of this machine, whatever a resolver says about `localhost`. */
const LOOPBACK = [
  { address: '127.0.0.1', family: 4 },
  { address: '::1', family: 6 },
]

interface Message {
  /** How the receiver is called in messages: `webhook hooks.example`. */
  readonly receiver: string
  readonly address: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

export interface PostSettings {
  /** Sentinel's version, for the user agent. */
  readonly version: string
  /** The setting `proxy`. */
  readonly proxy?: string | undefined
  /** Milliseconds from the first step to the status of the answer. */
  readonly timeoutMs?: number
}

/** Posts a message, and resolves to the status of the answer. Rejects as `Notifier.send` does. */
export type Post = (message: Message, signal: AbortSignal) => Promise<number>

/**
 * Makes a {@link Post}. https with certificates checked, http to this machine only; no redirect is
 * followed: it could lead inside. Of the answer only the status is read.
 */
export function createPost({ version, proxy, timeoutMs = TIMEOUT }: PostSettings): Post {
  return async ({ receiver, address, headers, body }, signal) => {
    const url = readAddress(address, receiver)
    const late = AbortSignal.timeout(timeoutMs)
    try {
      return await exchange(url, body, {
        ...routeOf(url, proxy),
        method: 'POST',
        headers: { 'User-Agent': `sentinel/${version}`, ...headers },
        signal: AbortSignal.any([signal, late]),
      })
    } catch (error) {
      throw failure(receiver, error, signal.aborted ? 'abort' : late.aborted ? 'late' : 'fault')
    }
  }
}

/** What a policy could not have named is in the outbox by somebody else's hand. */
function readAddress(address: string, receiver: string): URL {
  const url = URL.parse(address)
  const isSafe =
    url !== null &&
    url.username === '' &&
    url.password === '' &&
    (url.protocol === 'https:' || (url.protocol === 'http:' && isLoopback(url)))
  if (isSafe) return url
  throw new SentinelError('NOTIFICATION_REFUSED', `${receiver} is not an address to post to`, {
    hint: 'name it in the policy as https://HOST/PATH; http is for 127.0.0.1',
  })
}

function isLoopback({ hostname }: URL): boolean {
  return /^(?:localhost|\[::1\]|127\.\d+\.\d+\.\d+)$/.test(hostname)
}

function routeOf(url: URL, proxy: string | undefined): RequestOptions {
  if (isLoopback(url)) {
    return { agent: false, lookup: (_name, _options, found) => found(null, LOOPBACK) }
  }
  if (proxy === undefined) return { agent: false }
  return { agent: new Agent({ proxyEnv: { HTTPS_PROXY: proxy } }) }
}

async function exchange(url: URL, body: string, options: RequestOptions): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>()
  const bytes = Buffer.from(body)
  const headers = { ...options.headers, 'Content-Length': String(bytes.length) }
  // Said, so that no variable of the environment can say otherwise.
  const secured = { ...options, headers, rejectUnauthorized: true }
  const request = url.protocol === 'https:' ? requestHTTPS(url, secured) : requestHTTP(url, secured)
  request.on('error', reject)
  request.on('response', (response) => {
    // What follows may be endless, and says nothing more.
    response.on('error', () => {}).destroy()
    resolve(response.statusCode ?? 0)
  })
  request.end(bytes)
  return promise
}

const WHY = {
  abort: () => 'was given up, as the time for it was over',
  late: () => 'did not answer in time',
  fault: (code: string) => `could not be reached: ${code}`,
} as const

/** Of `error` only its code is kept: its text may hold what was sent, or where to. */
function failure(receiver: string, error: unknown, kind: keyof typeof WHY): SentinelError {
  if (error instanceof SentinelError) return error
  const { name = 'Error', code } = error as { name?: string; code?: string }
  const message = `${receiver} ${WHY[kind](code ?? name)}`
  return new SentinelError('NOTIFICATION_FAILED', message, { cause: { name, code } })
}
