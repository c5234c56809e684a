import { type ErrorCode, SentinelError } from '../errors.ts'
import { type Fault, isRefusal, toFault } from './fault.ts'

/** The call that failed, as far as its error may tell. */
export interface STSCall {
  readonly action: string
  readonly roleArn?: string
  /** Seconds asked. */
  readonly duration?: number
  /** Whether a code of an MFA device went with it. */
  readonly isMFA?: boolean
  /** Credentials that went with it: cut out of whatever STS says. */
  readonly secrets: readonly string[]
}

/** The longest session of a role whose maximum was left alone, and of any chained one. */
const SAFE_DURATION = 3600

const SENTENCE_LENGTH = 300

interface Refusal {
  /** STS's codes, with and without the ending that newer models give them. */
  readonly names: readonly string[]
  readonly code: ErrorCode
  readonly says: string
  readonly hint: string
}

const REFUSALS: readonly Refusal[] = [
  {
    names: ['ExpiredToken', 'ExpiredTokenException'],
    code: 'BASE_CREDENTIALS_EXPIRED',
    says: 'the base credentials have expired',
    hint: 'log in again',
  },
  {
    names: ['InvalidClientTokenId', 'InvalidAccessKeyId', 'UnrecognizedClientException'],
    code: 'BASE_CREDENTIALS_EXPIRED',
    says: 'STS does not know the base credentials (any more)',
    hint: 'log in again, or get a new access key',
  },
  {
    names: ['SignatureDoesNotMatch', 'InvalidSignatureException', 'IncompleteSignature'],
    code: 'STS_REFUSED',
    says: 'STS does not accept the signature of the base credentials',
    hint: 'check the secret key',
  },
  {
    names: ['RequestExpired', 'RequestTimeTooSkewed', 'RequestInTheFuture'],
    code: 'STS_REFUSED',
    says: 'STS does not accept the time of the request',
    hint: 'set the clock of this machine',
  },
  {
    names: [
      'IDPRejectedClaim',
      'IDPRejectedClaimException',
      'InvalidIdentityToken',
      'InvalidIdentityTokenException',
    ],
    code: 'STS_REFUSED',
    says: "STS does not accept the identity provider's token",
    hint: "get a new token, and compare its claims with the role's trust policy",
  },
  {
    names: ['RegionDisabledException'],
    code: 'STS_REFUSED',
    says: 'STS is switched off in this region',
    hint: 'pass --region with a region that the account has enabled',
  },
]

/** Codes by which STS says that it could not do its own part: not an answer to the question. */
const PASSING: ReadonlySet<string> = new Set([
  'IDPCommunicationError',
  'IDPCommunicationErrorException',
  'InternalFailure',
  'ServiceUnavailable',
])

/** Translates what an STS client threw, by class and code. */
export function stsError(error: unknown, call: STSCall): SentinelError {
  const fault = toFault(error)
  if (!isRefusal(fault) || PASSING.has(fault.name)) return unavailable(call, fault)
  const known = REFUSALS.find(({ names }) => names.includes(fault.name))
  if (known !== undefined) {
    const { code, says, hint } = known
    return new SentinelError(code, `${says} (${describe(call)})`, { hint, cause: fault })
  }
  const message = `STS refused ${describe(call)}: ${sentence(error, fault, call)}`
  return new SentinelError('STS_REFUSED', message, {
    hint: hintFor(fault, call),
    cause: isTooLong(fault, call) ? { ...fault, durationTooLong: true } : fault,
  })
}

/** What a call rejects with when STS did not answer, or not with what was asked. */
export function unavailable(
  call: Pick<STSCall, 'action' | 'roleArn'>,
  cause: unknown,
): SentinelError {
  return new SentinelError('STS_UNAVAILABLE', `STS did not answer ${describe(call)}`, {
    hint: 'try again, and look at the network and at the region',
    cause,
  })
}

function describe({ action, roleArn }: Pick<STSCall, 'action' | 'roleArn'>): string {
  return roleArn === undefined ? action : `${action} of ${roleArn}`
}

function isDenied({ name }: Fault): boolean {
  return name === 'AccessDenied' || name === 'AccessDeniedException'
}

/** STS says "longer than the role's maximum" only in words; no other input of ours can be wrong. */
function isTooLong({ name }: Fault, { duration = 0 }: STSCall): boolean {
  return (name === 'ValidationError' || name === 'ValidationException') && duration > SAFE_DURATION
}

function hintFor(fault: Fault, call: STSCall): string {
  if (isTooLong(fault, call)) return 'ask for a shorter duration or raise the maximum of the role'
  if (!isDenied(fault)) return 'check the profile against the role'
  if (call.isMFA) return 'wait for the next code of the device and check mfa_serial'
  if (call.action !== 'AssumeRole') return `allow sts:${call.action} to the caller`
  return (
    'allow sts:AssumeRole and sts:SetSourceIdentity twice: in the trust policy of the role and in ' +
    'the permissions of the caller'
  )
}

/** STS's own words name the missing permission; nobody else's knowledge can replace them. */
function sentence(error: unknown, fault: Fault, { secrets }: STSCall): string {
  const told = isDenied(fault) || fault.name.startsWith('Validation')
  if (!told || !(error instanceof Error)) return fault.name
  const clean = secrets
    .filter((secret) => secret !== '')
    .reduce((text, secret) => text.replaceAll(secret, '[secret]'), error.message)
  return `${fault.name}: ${clean.slice(0, SENTENCE_LENGTH)}`
}
