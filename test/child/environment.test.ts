import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { type ChildEnvironmentSpec, childEnvironment } from '../../src/child/environment.ts'
import { Secret } from '../../src/domain/secret.ts'

const AWS_FILES = { config: '/run/p/config', credentials: '/run/p/credentials' }

const SERVER: ChildEnvironmentSpec = {
  access: {
    kind: 'server',
    url: 'http://127.0.0.1:4567/credentials',
    token: new Secret('t0ken'),
  },
  profile: 'prod',
  region: 'eu-central-1',
  awsFiles: AWS_FILES,
  activeId: '00112233445566ff',
  platform: 'linux',
}

const ENV: ChildEnvironmentSpec = {
  ...SERVER,
  access: {
    kind: 'env',
    credentials: {
      accessKeyId: 'ASIAGATEWAY',
      secretAccessKey: new Secret('gateway-secret'),
      sessionToken: new Secret('gateway-session'),
      expiration: Date.UTC(2026, 0, 14, 9, 0, 0, 999),
      accountId: '444455556666',
    },
  },
}

const SET_IN_BOTH = {
  AWS_CONFIG_FILE: '/run/p/config',
  AWS_SHARED_CREDENTIALS_FILE: '/run/p/credentials',
  BOTO_CONFIG: '/run/p/credentials',
  AWS_REGION: 'eu-central-1',
  AWS_DEFAULT_REGION: 'eu-central-1',
  AWS_SDK_LOAD_CONFIG: '1',
  AWS_EC2_METADATA_DISABLED: 'true',
  SENTINEL_ACTIVE: '00112233445566ff',
  SENTINEL_ACTIVE_PROFILE: 'prod',
}

const SET_FOR_SERVER = {
  ...SET_IN_BOTH,
  AWS_PROFILE: 'prod',
  AWS_CONTAINER_CREDENTIALS_FULL_URI: 'http://127.0.0.1:4567/credentials',
  AWS_CONTAINER_AUTHORIZATION_TOKEN: 't0ken',
}

const SET_FOR_ENV = {
  ...SET_IN_BOTH,
  AWS_ACCESS_KEY_ID: 'ASIAGATEWAY',
  AWS_SECRET_ACCESS_KEY: 'gateway-secret',
  AWS_SESSION_TOKEN: 'gateway-session',
  AWS_CREDENTIAL_EXPIRATION: '2026-01-14T09:00:00Z',
  AWS_ACCOUNT_ID: '444455556666',
}

/** Whatever else leads an SDK to credentials that are not the gateway's. */
const HARMFUL = [
  'AWS_ACCESS_KEY_ID',
  'AWS_SECRET_ACCESS_KEY',
  'AWS_ACCESS_KEY',
  'AWS_SECRET_KEY',
  'AWS_SESSION_TOKEN',
  'AWS_SECURITY_TOKEN',
  'AWS_CREDENTIAL_EXPIRATION',
  'AWS_CREDENTIAL_FILE',
  'AWS_CREDENTIAL_SCOPE',
  'AWS_ACCOUNT_ID',
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
  'AWS_CONFIG_FILE',
  'AWS_SHARED_CREDENTIALS_FILE',
  'AWS_BEARER_TOKEN_BEDROCK',
  'AWS_BEARER_TOKEN_',
  'BOTO_CONFIG',
  'SENTINEL_RESOLVING',
  'SENTINEL_WEBHOOK_SECRET',
  'SENTINEL_LOG_SHIP_TOKEN',
]

const HARMLESS = {
  PATH: '/usr/bin',
  EMPTY: '',
  NODE_OPTIONS: '--enable-source-maps',
  NODE_DEBUG: 'http',
  AWS_ENDPOINT_URL: 'http://localhost:4566',
  AWS_ENDPOINT_URL_S3: 'http://localhost:9000',
  AWS_CA_BUNDLE: '/etc/ca.pem',
  AWS_USE_FIPS_ENDPOINT: 'true',
  AWS_MAX_ATTEMPTS: '7',
  AWS_BEARER: 'no token of a service',
  AWS_CREDENTIALS: 'a name that no SDK knows',
  SENTINEL_POLICY: 'file:/etc/policy.yaml',
  aws_access_key_id: 'another name where case counts',
}

suite("the child's environment", () => {
  for (const [mode, spec, set] of [
    ['server', SERVER, SET_FOR_SERVER],
    ['env', ENV, SET_FOR_ENV],
  ] as const) {
    test(`has these variables of ours in ${mode} mode, and no others`, () => {
      assert.deepEqual(childEnvironment({}, spec), set)
    })

    for (const name of HARMFUL) {
      test(`loses an inherited ${name} in ${mode} mode`, () => {
        assert.deepEqual(childEnvironment({ [name]: 'inherited' }, spec), set)
      })
    }

    test(`keeps everything else unchanged in ${mode} mode`, () => {
      assert.deepEqual(childEnvironment(HARMLESS, spec), { ...HARMLESS, ...set })
    })
  }

  test('keeps the region of its parent when the profile has none', () => {
    const parent = { AWS_REGION: 'us-west-2', AWS_DEFAULT_REGION: 'us-west-1' }

    const env = childEnvironment(parent, { ...SERVER, region: undefined })

    assert.equal(env.AWS_REGION, 'us-west-2')
    assert.equal(env.AWS_DEFAULT_REGION, 'us-west-1')
  })

  test('has no variable of the parent that is undefined', () => {
    assert.equal('GONE' in childEnvironment({ GONE: undefined }, SERVER), false)
  })

  test('keeps a variable called __proto__ as what it is', () => {
    const parent = JSON.parse('{"__proto__": "x"}')

    assert.equal(Object.hasOwn(childEnvironment(parent, SERVER), '__proto__'), true)
  })

  suite("with the user's own AWS files", () => {
    const kept = { AWS_CONFIG_FILE: '/home/a/config' }

    test('leaves the variables that name them as they were, set or not', () => {
      const env = childEnvironment(kept, { ...SERVER, awsFiles: 'inherited' })

      assert.equal(env.AWS_CONFIG_FILE, '/home/a/config')
      assert.equal('AWS_SHARED_CREDENTIALS_FILE' in env, false)
    })

    test('names no profile, whose own credentials would go before the gateway', () => {
      const parent = { ...kept, AWS_PROFILE: 'prod', AWS_DEFAULT_PROFILE: 'prod' }

      const env = childEnvironment(parent, { ...SERVER, awsFiles: 'inherited' })

      assert.equal('AWS_PROFILE' in env, false)
      assert.equal('AWS_DEFAULT_PROFILE' in env, false)
    })
  })

  suite('on Windows', () => {
    const windows: ChildEnvironmentSpec = { ...SERVER, platform: 'win32' }

    test('loses harmful variables however they are spelt', () => {
      const parent = Object.fromEntries(HARMFUL.map((name) => [name.toLowerCase(), 'inherited']))

      assert.deepEqual(childEnvironment(parent, windows), SET_FOR_SERVER)
    })

    test('has each variable of ours once, in our spelling', () => {
      const parent = { Aws_Region: 'us-west-2', sentinel_active: 'outer', Path: 'C:\\' }

      assert.deepEqual(childEnvironment(parent, windows), { ...SET_FOR_SERVER, Path: 'C:\\' })
    })
  })
})
