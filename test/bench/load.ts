import { once } from 'node:events'
import type { Worker } from 'node:worker_threads'
import type { Load, LoadResult } from './server-load.ts'

/** A credential server, or what stands in for one. */
export interface Target {
  readonly url: URL
  readonly token: string
}

export interface Measured extends LoadResult {
  readonly perSecond: number
}

/** Asks `target` as botocore would; `worker` runs `server-load.ts`. */
export async function load(
  worker: Worker,
  { url, token }: Target,
  options: Omit<Load, 'port' | 'request'>,
): Promise<Measured> {
  const request = [
    `GET ${url.pathname} HTTP/1.1`,
    `Host: ${url.host}`,
    'Accept-Encoding: identity',
    'User-Agent: python-urllib3/2.7.0',
    'Accept: application/json',
    `Authorization: ${token}`,
    '\r\n',
  ].join('\r\n')
  worker.postMessage({ ...options, port: Number(url.port), request } satisfies Load)
  const [result] = (await once(worker, 'message')) as [LoadResult]
  return { ...result, perSecond: (result.requests / result.elapsedMs) * 1000 }
}
