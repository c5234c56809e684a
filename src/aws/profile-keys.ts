/**
 * Keys of a profile that hold credentials or lead to some; the SDKs read them in lower case only.
 */
const CREDENTIAL_KEYS: ReadonlySet<string> = new Set([
  'credential_process',
  'credential_source',
  'duration_seconds',
  'external_id',
  'login_session',
  'role_arn',
  'role_session_name',
  'source_profile',
  'web_identity_token_file',
])

/** `aws_` holds keys, tokens and the account they belong to; the others lead to a log-in. */
const CREDENTIAL_PREFIXES = ['aws_', 'credential_', 'mfa_', 'sso_']

/** Whether `key` holds credentials or leads to some, in whatever case it is written. */
export function isCredentialKey(key: string): boolean {
  const name = key.toLowerCase()
  return CREDENTIAL_KEYS.has(name) || CREDENTIAL_PREFIXES.some((prefix) => name.startsWith(prefix))
}

/** Keys that the JavaScript SDK reads in lower case only, and others in any. */
const SETTINGS: ReadonlySet<string> = new Set([
  'ca_bundle',
  'endpoint_url',
  'region',
  'services',
  'use_dualstack_endpoint',
  'use_fips_endpoint',
])

/** Whether `key` means something to Sentinel, but not in the case it is written in. */
export function isMiswritten(key: string): boolean {
  const name = key.toLowerCase()
  return key !== name && (isCredentialKey(name) || SETTINGS.has(name))
}
