import { asciiJSON } from '../domain/ascii-json.ts'
import { ERRORS, type ErrorCode, type SentinelError } from '../errors.ts'
import type { HttpReply } from './handler.ts'

/** The one answer to whatever is not the one request served: it tells no reason, ever. */
export const UNAUTHORIZED: HttpReply = {
  status: 401,
  body: toBody('Unauthorized', ERRORS.UNAUTHORIZED.when),
}

/** The answer when there is a bug: what went wrong stays inside. */
export const INTERNAL_ERROR: HttpReply = {
  status: 500,
  body: toBody('InternalError', 'internal error'),
}

/**
 * The answer that tells `error` to a client: its code, and its `reply` or else what its code says.
 * Never its message, which may hold ARNs and paths.
 */
export function toErrorReply(error: SentinelError): HttpReply {
  const { status, when } = ERRORS[error.code]
  switch (status) {
    case 401:
      return UNAUTHORIZED
    case 500:
      return INTERNAL_ERROR
    default:
      return { status, body: toBody(toPascalCase(error.code), error.reply ?? when) }
  }
}

/** Go and Java read the names in lower case, JavaScript with a capital, botocore shows it all. */
function toBody(code: string, message: string): string {
  return asciiJSON({ Code: code, Message: message, code, message })
}

/** `BASE_CREDENTIALS_EXPIRED` → `BaseCredentialsExpired`, as AWS writes its codes. */
function toPascalCase(code: ErrorCode): string {
  return code
    .split('_')
    .map((word) => word.charAt(0) + word.slice(1).toLowerCase())
    .join('')
}
