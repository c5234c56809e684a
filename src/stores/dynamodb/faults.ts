import { TABLES, type TableKind } from '../../domain/table.ts'
import { SentinelError } from '../../errors.ts'

/** The call of the table that failed, as far as its error may tell. */
export interface TableCall {
  readonly location: string
  /** What the table keeps; absent: sessions. */
  readonly kind?: TableKind
  /** As IAM names it, without `dynamodb:`. */
  readonly action: string
  readonly index?: string | undefined
}

/** What is kept of a failure. Never its text nor the object: they can quote what was sent. */
interface Fault {
  readonly name: string
  readonly code?: string
  readonly status?: number
  readonly requestId?: string
}

interface Cause {
  /** DynamoDB's codes, and those of the checks before it. */
  readonly names: readonly string[]
  readonly says: string
  readonly hint: string
}

const CAUSES: readonly Cause[] = [
  {
    names: [
      'LimitExceededException',
      'ProvisionedThroughputExceededException',
      'RequestLimitExceeded',
      'Throttling',
      'ThrottlingException',
    ],
    says: 'takes no more calls for the moment: it is throttled',
    hint: 'try again, and look at the limits of the table',
  },
  {
    names: ['TransactionConflictException', 'TransactionInProgressException'],
    says: 'is busy with other writes of the same rows',
    hint: 'try again in a moment',
  },
  {
    names: ['ExpiredToken', 'ExpiredTokenException', 'RequestExpired'],
    says: 'was asked with credentials that have expired',
    hint: 'log in again',
  },
  {
    names: [
      'CredentialsProviderError',
      'InvalidClientTokenId',
      'MissingAuthenticationToken',
      'MissingAuthenticationTokenException',
      'TokenProviderError',
      'UnrecognizedClientException',
    ],
    says: 'was asked with credentials that AWS does not know (any more)',
    hint: 'log in again',
  },
  {
    names: ['IncompleteSignatureException', 'InvalidSignatureException', 'SignatureDoesNotMatch'],
    says: 'does not accept the signature of the credentials',
    hint: 'check the secret key, and the clock of this machine',
  },
]

/** Actions of which who needs one needs all: a server's, and a list's. */
const TOGETHER = [
  ['BatchGetItem', 'PutItem', 'UpdateItem'],
  ['Query', 'Scan'],
]

/** A transaction has no action of its own in IAM: it needs those of its parts. */
const TRANSACTION = ['ConditionCheckItem', 'PutItem', 'UpdateItem']

/** Translates what a call threw, by class and code. `hasAborted`: nobody waits for it any more. */
export function tableError(error: unknown, call: TableCall, hasAborted: boolean): SentinelError {
  if (error instanceof SentinelError) return unavailableBecauseOf(error, call)
  const fault = toFault(error)
  switch (fault.name) {
    case 'ResourceNotFoundException':
      return notFound(call, fault)
    case 'ValidationException':
      return misfit(call, fault)
    case 'AccessDeniedException':
      return denied(call, fault)
    default: {
      const known = CAUSES.find(({ names }) => names.includes(fault.name))
      return known
        ? unavailable(call, known.says, known.hint, fault)
        : unavailable(
            call,
            describe(fault, hasAborted),
            'try again, and look at the network',
            fault,
          )
    }
  }
}

/** What a call rejects with when its answer, though well-formed, is none that DynamoDB gives. */
export function notFromDynamoDB(call: TableCall): SentinelError {
  const hint = 'check the endpoint, and what stands between it and here'
  return unavailable(call, 'answered with something that is not DynamoDB', hint, undefined)
}

/** Most specific first. */
function describe({ name, code, status = 0 }: Fault, hasAborted: boolean): string {
  if (hasAborted) return 'did not answer in time'
  // The SDK calls a connection that was cut a timeout, too.
  if (code !== undefined && code !== 'ETIMEDOUT') return `cannot be reached (${code})`
  if (code !== undefined || name === 'TimeoutError' || name === 'AbortError')
    return 'did not answer in time'
  if (status === 429) return 'takes no more calls for the moment: it is throttled'
  if (status >= 500) return `has trouble of its own (${name}, status ${status})`
  if (status >= 400) return `refused the call (${name}, status ${status})`
  // The SDK could not read what came: a proxy's or a portal's page.
  if (status !== 0 || name === 'SyntaxError') return 'answered with something that is not DynamoDB'
  return `could not be asked (${name})`
}

function unavailable(call: TableCall, says: string, hint: string | undefined, cause: unknown) {
  return new SentinelError('STORE_UNAVAILABLE', `the store ${call.location} ${says}`, {
    hint,
    cause,
  })
}

/** Whoever gives the client and its credentials has said what is wrong: only the code is ours. */
function unavailableBecauseOf(error: SentinelError, call: TableCall): SentinelError {
  return unavailable(call, `cannot be asked: ${error.message}`, error.hint, error)
}

function notFound(call: TableCall, cause: Fault): SentinelError {
  const { location, index } = call
  const missing = index === undefined ? 'does not exist' : `or its index ${index} does not exist`
  return new SentinelError('STORE_NOT_FOUND', `the table ${location} ${missing}`, {
    hint: `create it with: ${creation(call)}`,
    cause,
  })
}

/** Our calls are well-formed: it is the table that has not the keys they name. */
function misfit(call: TableCall, cause: Fault): SentinelError {
  const { location, index } = call
  const hint = `see what it lacks with: ${creation(call)}`
  if (index === undefined) {
    const message = `the table ${location} has not the keys of Sentinel's`
    return new SentinelError('STORE_INVALID', message, { hint, cause })
  }
  const message = `the table ${location} has no index ${index}`
  return new SentinelError('STORE_NOT_FOUND', message, { hint, cause })
}

function creation({ location, kind = 'sessions' }: TableCall): string {
  const table = location.replace(/^dynamodb:/, '')
  return `sentinel init tables ${TABLES[kind].flag} ${table}`
}

function denied(call: TableCall, cause: Fault): SentinelError {
  const actions =
    call.action === 'TransactWriteItems'
      ? TRANSACTION
      : (TOGETHER.find((some) => some.includes(call.action)) ?? [call.action])
  const where = call.index === undefined ? 'the table' : 'the indexes of the table'
  const all = actions.map((action) => `dynamodb:${action}`).join(', ')
  const hint = `allow ${all} on ${where} to whoever signs the calls`
  return unavailable(call, `denies ${call.action} to the caller`, hint, cause)
}

function toFault(error: unknown): Fault {
  if (!(error instanceof Error)) return { name: typeof error }
  const { code, $metadata } = error as { code?: unknown; $metadata?: Record<string, unknown> }
  const status = $metadata?.httpStatusCode
  const requestId = $metadata?.requestId
  return {
    name: /^\w{1,80}$/.test(error.name) ? error.name : 'Error',
    ...(typeof code === 'string' && { code }),
    ...(typeof status === 'number' && { status }),
    ...(typeof requestId === 'string' && { requestId }),
  }
}
