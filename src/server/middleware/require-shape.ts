import { SentinelError } from '../../errors.ts'
import type { HttpRequest, Middleware } from '../handler.ts'

/** The one target served. */
export const TARGET = '/credentials'

/** A header that no SDK sends here, and what sends it instead. */
const FORBIDDEN: ReadonlySet<string> = new Set([
  // Web pages.
  'origin',
  'referer',
  'cookie',
  // Proxies, which have no business in front of a loopback address.
  'forwarded',
  'via',
  'proxy-authorization',
  'proxy-connection',
  // Requests for another protocol or another exchange than one question and one answer.
  'upgrade',
  'http2-settings',
  'expect',
  'transfer-encoding',
  'trailer',
])

/** `sec-`: fetch metadata, client hints, WebSockets. Scripts can set none of them. */
const FORBIDDEN_PREFIX = /^(?:sec-|x-forwarded-|access-control-)/

/**
 * Refuses every request but `GET /credentials HTTP/1.1`, addressed to exactly `address`, without a
 * body and without a header that tells of a browser or a proxy. The Host is what stops a page whose
 * DNS name was rebound to 127.0.0.1: its browser sends that name.
 */
export function requireShape(address: string): Middleware {
  const good = new WeakSet<HttpRequest>()
  return (next) =>
    function requireShape(request) {
      if (good.has(request)) return next(request)
      const fault = findFault(request, address)
      if (fault === undefined) {
        good.add(request)
        return next(request)
      }
      return Promise.reject(new SentinelError('UNAUTHORIZED', fault))
    }
}

function findFault(request: HttpRequest, address: string): string | undefined {
  const { method, target, httpVersion, headers } = request
  if (method !== 'GET') return 'the method is not GET'
  if (target !== TARGET) return `the target is not ${TARGET}`
  if (httpVersion !== '1.1') return 'the version is not HTTP/1.1'
  if (!isExactly(headers.get('host'), address)) return 'the Host is not this server, once'
  if (headers.get('authorization')?.length !== 1) return 'there is not one Authorization header'
  const length = headers.get('content-length')
  if (length !== undefined && !isExactly(length, '0')) return 'there is a body'
  return findForbidden(headers)
}

function isExactly(values: readonly string[] | undefined, value: string): boolean {
  return values?.length === 1 && values[0] === value
}

function findForbidden(headers: HttpRequest['headers']): string | undefined {
  for (const name of headers.keys()) {
    if (FORBIDDEN.has(name) || FORBIDDEN_PREFIX.test(name)) return `there is a header "${name}"`
  }
  return undefined
}
