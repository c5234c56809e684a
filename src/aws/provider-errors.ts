import { SentinelError } from '../errors.ts'
import type { Exchange } from './client-options.ts'
import { toFault } from './fault.ts'
import type { Link, SourceKind } from './profile-chain.ts'
import { recursion, recursionMessage } from './resolving.ts'

/** A profile's source of credentials, and who was asked for them. */
interface FailedSource {
  /** The profile that was asked for. */
  readonly profile: string
  readonly source: Link & { readonly kind: SourceKind }
  /** How the provider's last HTTP request ended; absent when it made none. */
  readonly exchange?: Exchange | undefined
}

type Explain = (failed: FailedSource, error: unknown) => SentinelError

/**
 * Translates what one of the SDK's credential providers threw. They wrap every failure in the same
 * class and drop the cause, so the kind of the source and the outcome of the last HTTP request
 * have to tell; the text is never repeated, because it can hold a command line with its secrets.
 */
export function providerError(error: unknown, failed: FailedSource): SentinelError {
  if (error instanceof SentinelError) return error
  return EXPLANATIONS[failed.source.kind](failed, error)
}

/** The command that renews the credentials of a source, when they come from a log-in. */
export function loginCommand({ name, kind }: Link & { kind: SourceKind }): string | undefined {
  if (kind === 'sso') return `aws sso login --profile ${quote(name)}`
  if (kind === 'login') return `aws login --profile ${quote(name)}`
  return undefined
}

/** What a source rejects with that did not answer in time. */
export function sourceUnavailable(failed: FailedSource, cause?: unknown): SentinelError {
  const message = `${nameOf(failed.source)} did not answer`
  return new SentinelError('BASE_CREDENTIALS_UNAVAILABLE', message, {
    hint: 'try again, and look at the network',
    cause,
  })
}

/** What a source rejects with whose credentials have ended. */
export function sourceExpired({ source }: Pick<FailedSource, 'source'>, cause?: unknown) {
  const command = loginCommand(source)
  return new SentinelError(
    'BASE_CREDENTIALS_EXPIRED',
    `the credentials of ${nameOf(source)} have ended`,
    { hint: command === undefined ? 'get new credentials' : `run: ${command}`, cause },
  )
}

const EXPLANATIONS: Readonly<Record<SourceKind, Explain>> = {
  keys: missing('write aws_access_key_id and aws_secret_access_key'),
  environment: missing('set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY'),
  container: (failed, error) => sourceUnavailable(failed, toFault(error)),
  instance: (failed, error) => sourceUnavailable(failed, toFault(error)),
  'web-identity': missing('check that web_identity_token_file names a file that can be read'),
  process: explainProcess,
  sso: explainLogin,
  login: explainLogin,
  none: missing('run aws configure sso, or add source_profile, credential_process or keys'),
}

function explainLogin(failed: FailedSource, error: unknown): SentinelError {
  const { exchange } = failed
  const fault = { ...toFault(error), ...exchange }
  if (exchange === undefined) return sourceExpired(failed, fault)
  const { status = 0 } = exchange
  if (status < 400 || status === 429 || status >= 500) return sourceUnavailable(failed, fault)
  // 401 is the token; 403 and 404 are an account or a permission set that the user does not have.
  if (status === 403 || status === 404) {
    return missing('check sso_account_id and sso_role_name, or ask for the assignment')(
      failed,
      fault,
    )
  }
  return sourceExpired(failed, fault)
}

function explainProcess(failed: FailedSource, error: unknown): SentinelError {
  // An inner Sentinel can only speak through the text that the SDK makes of its stderr.
  if (error instanceof Error && error.message.includes(recursionMessage(failed.profile))) {
    return recursion(failed.profile)
  }
  const command = "run the profile's credential_process by hand to see why"
  return missing(command)(failed, { name: toFault(error).name })
}

function missing(hint: string): Explain {
  return ({ source }, cause) =>
    new SentinelError(
      'BASE_CREDENTIALS_MISSING',
      `no base credentials could be had from ${nameOf(source)}`,
      { hint, cause: cause instanceof Error ? toFault(cause) : cause },
    )
}

function nameOf({ name, kind }: Link & { kind: SourceKind }): string {
  const profile = `profile ${JSON.stringify(name)}`
  return kind === 'none' ? profile : `${WORDS[kind]} of ${profile}`
}

const WORDS: Readonly<Record<Exclude<SourceKind, 'none'>, string>> = {
  keys: 'the keys',
  environment: 'the environment, the credential_source',
  container: 'the container, the credential_source',
  instance: 'the instance metadata, the credential_source',
  'web-identity': 'the web identity',
  process: 'the credential_process',
  sso: 'the Identity Center log-in',
  login: 'the console log-in',
}

/** For a POSIX shell. */
function quote(name: string): string {
  return /^[\w\-@+.%:/]+$/.test(name) ? name : `'${name.replaceAll("'", `'\\''`)}'`
}
