/**
 * What is kept of a failure that an SDK threw. Never its text nor the object: they can quote a
 * command line, a canonical request with its session token, or a whole answer.
 */
export interface Fault {
  /** The service's error code, or the class of a local failure. */
  readonly name: string
  /** The system's code of a local failure: `ECONNREFUSED`. */
  readonly code?: string
  /** The answer's HTTP status, when there was an answer. */
  readonly status?: number
  readonly requestId?: string
}

const THROTTLING: ReadonlySet<string> = new Set([
  'BandwidthLimitExceeded',
  'LimitExceededException',
  'PriorRequestNotComplete',
  'RequestLimitExceeded',
  'RequestThrottled',
  'RequestThrottledException',
  'SlowDown',
  'ThrottledException',
  'Throttling',
  'ThrottlingException',
  'TooManyRequestsException',
])

/** Keeps of `error` what may be logged. */
export function toFault(error: unknown): Fault {
  if (!(error instanceof Error)) return { name: typeof error }
  const { code, $metadata } = error as { code?: unknown; $metadata?: Record<string, unknown> }
  const status = $metadata?.httpStatusCode
  const requestId = $metadata?.requestId
  return {
    name: error.name,
    ...(typeof code === 'string' && { code }),
    ...(typeof status === 'number' && { status }),
    ...(typeof requestId === 'string' && { requestId }),
  }
}

/** What a failure is called: of a local one the system's code says more than `Error`. */
export function nameOfFault({ name, code, status }: Fault): string {
  return status === undefined ? (code ?? name) : name
}

/** Whether the service answered, and its answer was no: asking again changes nothing. */
export function isRefusal({ name, status }: Fault): boolean {
  return (
    status !== undefined && status >= 400 && status < 500 && status !== 429 && !THROTTLING.has(name)
  )
}
