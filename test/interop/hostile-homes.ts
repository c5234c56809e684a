import { createHash, generateKeyPairSync } from 'node:crypto'
import { CI_TOKEN, DEMO_KEYS, ROLES } from '../../src/demo/world.ts'
import { CONFIG, CREDENTIALS } from '../fixtures/scene.ts'

const { bob, carol } = DEMO_KEYS

/** What a home has in it besides the gated profiles: other credentials, which all work. */
export interface HostileHome {
  /** Appended to the AWS config and credentials files. */
  readonly config?: string
  readonly credentials?: string
  /** Further files, by their path in the home. */
  readonly files?: Readonly<Record<string, string>>
  readonly env?: Readonly<Record<string, string>>
  /** Variables that show the trap to a client which is run without Sentinel. */
  readonly bait?: Readonly<Record<string, string | undefined>>
}

interface Place {
  readonly home: string
  /** Where {@link answerDecoy} answers. */
  readonly decoy: string
}

const keys = (profile: string) => `\
[${profile}]
aws_access_key_id = ${bob.accessKeyId}
aws_secret_access_key = ${bob.secretAccessKey}
`

const IN_AN_HOUR = new Date(Date.now() + 3_600_000).toISOString()

const session = {
  AccessKeyId: carol.accessKeyId,
  SecretAccessKey: carol.secretAccessKey,
  Expiration: IN_AN_HOUR,
}

const LOGIN_SESSION = 'arn:aws:iam::111122223333:user/bob'

const BOTO_CONFIG = keys('Credentials')

export type MakeHome = (place: Place) => HostileHome

/** Homes in which an SDK left to itself finds other credentials than the gateway's. */
export const HOSTILE_HOMES: Readonly<Record<string, MakeHome>> = {
  'keys in the default profile': () => ({ credentials: keys('default') }),

  'keys in the default profile of the config file': () => ({ config: keys('default') }),

  'a default profile with credential_process': ({ home }) => ({
    config: `[default]\ncredential_process = cat ${home}/process.json\n`,
    files: {
      'process.json': JSON.stringify({
        Version: 1,
        SessionToken: carol.sessionToken,
        ...session,
      }),
    },
  }),

  'a default profile of Identity Center, logged in': ({ decoy }) => ({
    config: `\
[default]
sso_session = corp
sso_account_id = 111122223333
sso_role_name = Developer
[sso-session corp]
sso_start_url = https://corp.awsapps.example/start
sso_region = eu-central-1
`,
    files: {
      [`.aws/sso/cache/${createHash('sha1').update('corp').digest('hex')}.json`]: JSON.stringify({
        accessToken: 'bearer',
        expiresAt: IN_AN_HOUR,
      }),
    },
    env: { AWS_ENDPOINT_URL_SSO: decoy },
  }),

  'a default profile that aws login signed in': () => ({
    config: `[default]\nlogin_session = ${LOGIN_SESSION}\n`,
    files: {
      [`.aws/login/cache/${createHash('sha256').update(LOGIN_SESSION).digest('hex')}.json`]:
        loginToken(),
    },
  }),

  'a default profile with a role': () => ({
    config: `[default]\nrole_arn = ${ROLES.prod}\nsource_profile = bob\n`,
    credentials: keys('bob'),
  }),

  'a default profile with a web identity': ({ home }) => ({
    config: `[default]\nrole_arn = ${ROLES.ci}\nweb_identity_token_file = ${home}/token\n`,
    files: { token: CI_TOKEN },
  }),

  'keys in the profiles of the same names': () => ({
    credentials: keys('dev') + keys('prod'),
    bait: { AWS_PROFILE: 'prod' },
  }),

  AWS_PROFILE: () => ({ credentials: keys('bob'), env: { AWS_PROFILE: 'bob' } }),

  AWS_DEFAULT_PROFILE: () => ({
    credentials: keys('bob'),
    env: { AWS_DEFAULT_PROFILE: 'bob' },
  }),

  'keys in the environment': () => ({
    env: {
      AWS_ACCESS_KEY_ID: carol.accessKeyId,
      AWS_SECRET_ACCESS_KEY: carol.secretAccessKey,
      AWS_SESSION_TOKEN: carol.sessionToken,
    },
  }),

  'web identity variables': ({ home }) => ({
    files: { token: CI_TOKEN },
    env: { AWS_ROLE_ARN: ROLES.ci, AWS_WEB_IDENTITY_TOKEN_FILE: `${home}/token` },
  }),

  'container variables': ({ home, decoy }) => ({
    files: { token: 'another token' },
    env: {
      AWS_CONTAINER_CREDENTIALS_FULL_URI: `${decoy}/container`,
      AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: `${home}/token`,
      AWS_CONTAINER_CREDENTIALS_RELATIVE_URI: '/container',
    },
    // It names an address that is not on loopback: nothing may go there.
    bait: { AWS_CONTAINER_CREDENTIALS_RELATIVE_URI: undefined },
  }),

  'config file variables': ({ home }) => ({
    files: {
      'other/config': CONFIG + keys('default'),
      'other/credentials': CREDENTIALS + keys('default'),
    },
    env: {
      AWS_CONFIG_FILE: `${home}/other/config`,
      AWS_SHARED_CREDENTIALS_FILE: `${home}/other/credentials`,
    },
  }),

  'instance metadata': ({ decoy }) => ({
    env: { AWS_EC2_METADATA_SERVICE_ENDPOINT: decoy, AWS_EC2_METADATA_DISABLED: 'false' },
  }),

  'instance metadata in the default profile': ({ decoy }) => ({
    config: `[default]\nec2_metadata_service_endpoint = ${decoy}\n`,
    bait: { AWS_EC2_METADATA_DISABLED: 'false' },
  }),

  BOTO_CONFIG: ({ home }) => ({
    files: { 'boto.cfg': BOTO_CONFIG },
    env: { BOTO_CONFIG: `${home}/boto.cfg` },
  }),

  'a .boto file': () => ({ files: { '.boto': BOTO_CONFIG } }),

  AWS_CREDENTIAL_FILE: ({ home }) => ({
    files: { keys: `AWSAccessKeyId=${bob.accessKeyId}\nAWSSecretKey=${bob.secretAccessKey}\n` },
    env: { AWS_CREDENTIAL_FILE: `${home}/keys` },
  }),
}

/** What a portal, a container agent or an instance's metadata would answer: carol's session. */
export function answerDecoy({ method, path }: { method: string; path: string }) {
  if (method === 'PUT') return { body: 'metadata token' }
  if (path.endsWith('/security-credentials/')) return { body: 'Role' }
  if (path.startsWith('/federation/')) {
    const { accessKeyId, secretAccessKey, sessionToken } = carol
    const expiration = Date.parse(IN_AN_HOUR)
    const roleCredentials = { accessKeyId, secretAccessKey, sessionToken, expiration }
    return { body: JSON.stringify({ roleCredentials }) }
  }
  const envelope = { Code: 'Success', Type: 'AWS-HMAC', LastUpdated: new Date().toISOString() }
  return { body: JSON.stringify({ ...envelope, ...session, Token: carol.sessionToken }) }
}

/** What `aws login` stores. */
function loginToken(): string {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  return JSON.stringify({
    accessToken: { ...carol, accountId: '111122223333', expiresAt: IN_AN_HOUR },
    tokenType: 'aws_sigv4',
    clientId: 'arn:aws:signin:::devtools/same-device',
    refreshToken: 'refresh',
    dpopKey: privateKey.export({ format: 'pem', type: 'sec1' }),
  })
}
