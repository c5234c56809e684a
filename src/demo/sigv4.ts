/**
 * Signature Version 4, from the verifying side: what AWS checks of a request before it looks at
 * what is asked, in the order in which STS was seen to check.
 *
 * @module
 */

import { createHash, createHmac, timingSafeEqual } from 'node:crypto'
import { type Instant, MINUTE } from '../domain/time.ts'
import { AWSError } from './aws-error.ts'
import type { WireRequest } from './loopback.ts'

const ALGORITHM = 'AWS4-HMAC-SHA256'
const MAX_SKEW = 5 * MINUTE

/** An `Authorization` header, taken apart. */
export interface Authorization {
  readonly accessKeyId: string
  /** `20260114`. */
  readonly date: string
  readonly region: string
  readonly service: string
  readonly signedHeaders: readonly string[]
  readonly signature: string
}

/** Undefined when the request is not signed. Throws as AWS does when the header is malformed. */
export function parseAuthorization(request: WireRequest): Authorization | undefined {
  const header = headerOf(request, 'authorization')
  if (header === undefined) return undefined
  const [algorithm = '', ...rest] = header.split(' ')
  // Not shown, unlike at AWS: where an algorithm should be, a token for somebody else might be.
  if (algorithm !== ALGORITHM) throw incomplete("Unsupported AWS 'algorithm'")

  const fields = new Map(
    rest
      .join('')
      .split(',')
      .map((field) => field.split('=', 2) as [string, string]),
  )
  const required = (name: string) => {
    const value = fields.get(name)
    if (!value) throw incomplete(`Authorization header requires '${name}' parameter.`)
    return value
  }
  const scope = required('Credential').split('/')
  const [accessKeyId, date, region, service, terminator] = scope as [string, ...string[]]
  if (scope.length !== 5 || !date || !region || !service || terminator !== 'aws4_request') {
    throw incomplete(
      "Credential must have exactly 5 slash-delimited elements, the last 'aws4_request'",
    )
  }
  const signedHeaders = required('SignedHeaders').split(';')
  return { accessKeyId, date, region, service, signedHeaders, signature: required('Signature') }
}

/** Throws unless the signature is meant for `service` in one of `regions`. */
export function assertScope(
  authorization: Authorization,
  { service, regions }: { service: string; regions: readonly string[] },
): void {
  const isRegionGood = regions.includes(authorization.region)
  const isServiceGood = authorization.service === service
  if (isRegionGood && isServiceGood) return
  const region = isRegionGood ? '' : 'Credential should be scoped to a valid region. '
  const correct = isServiceGood
    ? ''
    : `Credential should be scoped to correct service: '${service}'. `
  throw mismatch(region + correct)
}

/** Throws unless `request` was signed with `secret`, within 5 minutes of `now`. */
export function assertSignature(
  request: WireRequest,
  authorization: Authorization,
  { secret, now }: { secret: string; now: Instant },
): void {
  assertCoverage(request, authorization)
  const stamp = headerOf(request, 'x-amz-date') ?? ''
  assertTimely(stamp, authorization, now)

  const { date, region, service, signature } = authorization
  const scope = `${date}/${region}/${service}/aws4_request`
  const canonical = sha256(canonicalRequest(request, authorization))
  const key = [date, region, service, 'aws4_request'].reduce(hmac, Buffer.from(`AWS4${secret}`))
  const expected = hmac(key, [ALGORITHM, stamp, scope, canonical].join('\n')).toString('hex')
  if (!isEqual(expected, signature)) {
    throw mismatch(
      'The request signature we calculated does not match the signature you provided. ' +
        'Check your AWS Secret Access Key and signing method. ' +
        'Consult the service documentation for details.',
    )
  }
}

/** The one value of a header; several are joined as they are signed. */
export function headerOf({ headers }: WireRequest, name: string): string | undefined {
  return headers[name]?.join(',')
}

function assertCoverage({ headers }: WireRequest, { signedHeaders }: Authorization): void {
  if (!signedHeaders.includes('host')) {
    throw mismatch("'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.")
  }
  for (const name of Object.keys(headers)) {
    if (name.startsWith('x-amz-') && !signedHeaders.includes(name)) {
      throw mismatch(`'${name}' must be a 'SignedHeader' in the AWS Authorization.`)
    }
  }
}

function assertTimely(stamp: string, { date }: Authorization, now: Instant): void {
  const signedAt = fromStamp(stamp)
  if (signedAt === undefined) {
    throw incomplete("Authorization header requires existence of either a 'X-Amz-Date' or a 'Date'")
  }
  if (signedAt < now - MAX_SKEW) {
    const [earliest, current] = [toStamp(now - MAX_SKEW), toStamp(now)]
    throw mismatch(
      `Signature expired: ${stamp} is now earlier than ${earliest} (${current} - 5 min.)`,
    )
  }
  if (signedAt > now + MAX_SKEW) {
    const [latest, current] = [toStamp(now + MAX_SKEW), toStamp(now)]
    throw mismatch(
      `Signature not yet current: ${stamp} is still later than ${latest} (${current} + 5 min.)`,
    )
  }
  if (!stamp.startsWith(date)) {
    throw mismatch(
      'Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: ' +
        `'${date}' != '${stamp.slice(0, 8)}', from '${stamp}'.`,
    )
  }
}

function canonicalRequest(request: WireRequest, { signedHeaders }: Authorization): string {
  const [path = '/', query = ''] = request.target.split('?', 2)
  const headers = signedHeaders.map((name) => {
    const values = request.headers[name] ?? []
    return `${name}:${values.map((value) => value.trim().replace(/ +/g, ' ')).join(',')}\n`
  })
  return [
    request.method,
    path,
    canonicalQuery(query),
    headers.join(''),
    signedHeaders.join(';'),
    sha256(request.body),
  ].join('\n')
}

function canonicalQuery(query: string): string {
  return [...new URLSearchParams(query)]
    .map(([name, value]) => `${encode(name)}=${encode(value)}`)
    .toSorted()
    .join('&')
}

function encode(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  )
}

function fromStamp(stamp: string): Instant | undefined {
  const parts = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(stamp)
  if (!parts) return undefined
  const [, year, month, day, hour, minute, second] = parts
  const instant = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`)
  return Number.isNaN(instant) ? undefined : instant
}

function toStamp(instant: Instant): string {
  return `${new Date(instant).toISOString().replace(/[-:]/g, '').slice(0, 15)}Z`
}

function hmac(key: Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest()
}

function sha256(content: string | Buffer): string {
  return createHash('sha256').update(content).digest('hex')
}

function isEqual(expected: string, presented: string): boolean {
  const [left, right] = [Buffer.from(expected), Buffer.from(presented)]
  return left.length === right.length && timingSafeEqual(left, right)
}

function mismatch(message: string): AWSError {
  return new AWSError('SignatureDoesNotMatch', message, 403)
}

function incomplete(message: string): AWSError {
  return new AWSError('IncompleteSignature', message, 400)
}
