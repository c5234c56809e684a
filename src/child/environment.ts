import { toSeconds } from '../domain/time.ts'
import type { ChildAccess } from '../ports/child-runner.ts'

export interface ChildEnvironmentSpec {
  readonly access: ChildAccess
  readonly profile: string
  /** Of the profile. Absent: the child keeps whatever region its parent had. */
  readonly region?: string | undefined
  /**
   * The private files to put in place of the user's own, or `inherited` (`--keep-aws-config`),
   * which leaves the variables that name them as they were.
   */
  readonly awsFiles: { readonly config: string; readonly credentials: string } | 'inherited'
  /** The id of the session or, without one, of the run. */
  readonly activeId: string
  /** On `win32` the names of variables compare without case. */
  readonly platform: NodeJS.Platform
}

/**
 * The environment for a child: that of `parent`, without whatever holds credentials or leads an SDK
 * past the gateway to others. Everything else passes unchanged, `AWS_ENDPOINT_URL*` and
 * `NODE_OPTIONS` too: they say where the child sends its calls and how it runs.
 */
export function childEnvironment(
  parent: Readonly<Record<string, string | undefined>>,
  spec: ChildEnvironmentSpec,
): Record<string, string> {
  const set = variablesFor(spec)
  const replaced = new Set([...REMOVED, ...Object.keys(set)])
  if (spec.awsFiles === 'inherited') for (const name of FILE_VARIABLES) replaced.delete(name)

  const kept = Object.entries(parent).filter((entry): entry is [string, string] => {
    const [name, value] = entry
    return value !== undefined && !isReplaced(spec.platform === 'win32' ? name.toUpperCase() : name)
  })
  return Object.fromEntries([...kept, ...Object.entries(set)])

  function isReplaced(name: string): boolean {
    return replaced.has(name) || name.startsWith(BEARER_TOKEN_PREFIX)
  }
}

const FILE_VARIABLES = ['AWS_CONFIG_FILE', 'AWS_SHARED_CREDENTIALS_FILE']

const REMOVED = [
  'AWS_ACCESS_KEY_ID',
  'AWS_SECRET_ACCESS_KEY',
  'AWS_SESSION_TOKEN',
  'AWS_SECURITY_TOKEN',
  'AWS_CREDENTIAL_EXPIRATION',
  'AWS_CREDENTIAL_FILE',
  'AWS_PROFILE',
  'AWS_DEFAULT_PROFILE',
  'AWS_ROLE_ARN',
  'AWS_ROLE_SESSION_NAME',
  'AWS_WEB_IDENTITY_TOKEN_FILE',
  'AWS_CONTAINER_CREDENTIALS_RELATIVE_URI',
  'AWS_CONTAINER_CREDENTIALS_FULL_URI',
  'AWS_CONTAINER_AUTHORIZATION_TOKEN',
  'AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE',
  'AWS_EC2_METADATA_SERVICE_ENDPOINT',
  'AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE',
  ...FILE_VARIABLES,
  'BOTO_CONFIG',
  // Older spellings of the two keys: Go (v1 and v2) and Java v1 read them before any endpoint.
  'AWS_ACCESS_KEY',
  'AWS_SECRET_KEY',
  // Parts of the credentials they came with. The account picks the endpoint of some services, so
  // one inherited from other credentials would send the child's calls to the wrong place.
  'AWS_ACCOUNT_ID',
  'AWS_CREDENTIAL_SCOPE',
  'SENTINEL_RESOLVING',
  // Signs what Sentinel announces: a command that had it could announce what it likes.
  'SENTINEL_WEBHOOK_SECRET',
  // Likewise: it could ship records of what never happened.
  'SENTINEL_LOG_SHIP_TOKEN',
]

/** `AWS_BEARER_TOKEN_BEDROCK` and its like: credentials of one service each. */
const BEARER_TOKEN_PREFIX = 'AWS_BEARER_TOKEN_'

function variablesFor(spec: ChildEnvironmentSpec): Record<string, string> {
  return {
    ...accessVariables(spec),
    ...(spec.awsFiles !== 'inherited' && {
      AWS_CONFIG_FILE: spec.awsFiles.config,
      AWS_SHARED_CREDENTIALS_FILE: spec.awsFiles.credentials,
      // Unset, botocore reads ~/.boto and /etc/boto.cfg, before it asks any endpoint (measured).
      BOTO_CONFIG: spec.awsFiles.credentials,
    }),
    ...(spec.region !== undefined && {
      AWS_REGION: spec.region,
      AWS_DEFAULT_REGION: spec.region,
    }),
    AWS_SDK_LOAD_CONFIG: '1',
    AWS_EC2_METADATA_DISABLED: 'true',
    SENTINEL_ACTIVE: spec.activeId,
    SENTINEL_ACTIVE_PROFILE: spec.profile,
  }
}

function accessVariables({ access, awsFiles, profile }: ChildEnvironmentSpec) {
  switch (access.kind) {
    case 'server':
      return {
        AWS_CONTAINER_CREDENTIALS_FULL_URI: access.url,
        AWS_CONTAINER_AUTHORIZATION_TOKEN: access.token.reveal(),
        // Only our own file has this profile without credentials. With the user's own files the
        // SDK would take what they say for it, and never ask the server.
        ...(awsFiles !== 'inherited' && { AWS_PROFILE: profile }),
      }
    case 'env':
      // Without AWS_PROFILE: the JavaScript SDK overlooks keys in the environment when it is set.
      return {
        AWS_ACCESS_KEY_ID: access.credentials.accessKeyId,
        AWS_SECRET_ACCESS_KEY: access.credentials.secretAccessKey.reveal(),
        AWS_SESSION_TOKEN: access.credentials.sessionToken.reveal(),
        AWS_CREDENTIAL_EXPIRATION: toSeconds(access.credentials.expiration),
        AWS_ACCOUNT_ID: access.credentials.accountId,
      }
  }
}
