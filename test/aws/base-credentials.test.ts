import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { suite, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { configPaths, readAWSConfig } from '../../src/aws/config-files.ts'
import { followChain } from '../../src/aws/profile-chain.ts'
import type { SentinelError } from '../../src/errors.ts'
import type { ResolvedProfile } from '../../src/ports/profiles.ts'
import { openHome } from '../fixtures/aws/home.ts'
import { openRoom, QUIETLY } from '../fixtures/aws/room.ts'
import { openScriptedSTS, refuse } from '../fixtures/aws/scripted-sts.ts'

const KEYS = 'aws_access_key_id = AKIACORP\naws_secret_access_key = s3cr3t\n'
const CORP = `[profile corp]\n${KEYS}`
const TOKEN = 'aws_session_token = t0k3n\n'
const ARN = (name: string) => `arn:aws:iam::444455556666:role/${name}`
const role = (name: string, lines: string) =>
  `[profile ${name}]\nrole_arn = ${ARN(name)}\n${lines}\n`

/** Credentials as a test compares them, their secrets opened. */
function opened({ base }: ResolvedProfile) {
  return [base.accessKeyId, base.secretAccessKey.reveal(), base.sessionToken?.reveal()]
}

/** A shell command that prints `output`, for credential_process. */
function printing(output: unknown): string {
  const text = JSON.stringify(output)
  return `echo '${text}'`
}

suite('AWSProfiles.resolve', () => {
  test('gives the keys of a profile without a role', async () => {
    using _home = openHome({ config: CORP })
    using room = openRoom()
    const resolved = await room.profiles.resolve('corp', QUIETLY)
    assert.deepEqual(opened(resolved), ['AKIACORP', 's3cr3t', undefined])
    assert.deepEqual(Object.keys(resolved), ['base'])
  })

  test('gives the source and the role, and leaves the last AssumeRole to the caller', async () => {
    await using sts = await openScriptedSTS()
    using _home = openHome(
      { config: CORP + role('Prod', 'source_profile = corp\nexternal_id = ext') },
      { AWS_ENDPOINT_URL_STS: sts.url },
    )
    using room = openRoom()
    const resolved = await room.profiles.resolve('Prod', QUIETLY)
    assert.deepEqual(opened(resolved), ['AKIACORP', 's3cr3t', undefined])
    assert.deepEqual(resolved.role, { arn: ARN('Prod'), externalId: 'ext' })
    assert.deepEqual(sts.requests, [])
  })

  test('makes the inner hops of a chain in order, plain, each with what its profile says', async () => {
    await using sts = await openScriptedSTS()
    using _home = openHome(
      {
        config:
          role('Prod', 'source_profile = Hop2\nexternal_id = ext-prod\nregion = eu-west-1') +
          role('Hop2', 'source_profile = Hop1\nexternal_id = ext-2\nduration_seconds = 7200') +
          role('Hop1', 'source_profile = corp\nrole_session_name = me\nduration_seconds = 7200'),
        credentials: `[corp]\n${KEYS}`,
      },
      { AWS_ENDPOINT_URL_STS: sts.url },
    )
    using room = openRoom({ region: 'us-west-2' })
    const resolved = await room.profiles.resolve('Prod', QUIETLY)
    assert.deepEqual(resolved.role, { arn: ARN('Prod'), externalId: 'ext-prod' })
    assert.deepEqual(opened(resolved), ['ASIA2', 'secret2', 'token2'])
    assert.ok((resolved.base.expiration ?? 0) > Date.now())
    const [first, second] = sts.requests
    assert.equal(sts.requests.length, 2)
    assert.deepEqual(first?.input, {
      RoleArn: ARN('Hop1'),
      RoleSessionName: 'me',
      DurationSeconds: '7200',
    })
    assert.deepEqual([first?.signer, second?.signer], ['AKIACORP', 'ASIA1'])
    assert.deepEqual([first?.region, second?.region], ['eu-west-1', 'eu-west-1'])
    assert.equal(second?.input.RoleArn, ARN('Hop2'))
    assert.equal(second?.input.ExternalId, 'ext-2')
    assert.ok(!sts.requests.some(({ input }) => 'SourceIdentity' in input))
  })

  test('asks an hour at most of a chained hop, whatever its profile says', async () => {
    await using sts = await openScriptedSTS()
    using _home = openHome(
      {
        config:
          role('Prod', 'source_profile = Hop2') +
          role('Hop2', 'source_profile = Hop1\nduration_seconds = 7200') +
          role('Hop1', 'source_profile = corp\nduration_seconds = 7200') +
          CORP +
          TOKEN,
      },
      { AWS_ENDPOINT_URL_STS: sts.url },
    )
    using room = openRoom()
    await room.profiles.resolve('Prod', QUIETLY)
    assert.deepEqual(
      sts.requests.map(({ input }) => input.DurationSeconds),
      ['3600', '3600'],
    )
  })

  test('takes --region when the profile names none', async () => {
    await using sts = await openScriptedSTS()
    using _home = openHome(
      {
        config: role('Prod', 'source_profile = Hop') + role('Hop', 'source_profile = corp') + CORP,
      },
      { AWS_ENDPOINT_URL_STS: sts.url },
    )
    using room = openRoom({ region: 'us-west-2' })
    await room.profiles.resolve('Prod', QUIETLY)
    assert.equal(sts.requests[0]?.region, 'us-west-2')
  })

  test('fails as STS does at an inner hop', async () => {
    await using sts = await openScriptedSTS(() => refuse('AccessDenied'))
    using _home = openHome(
      {
        config: role('Prod', 'source_profile = Hop') + role('Hop', 'source_profile = corp') + CORP,
      },
      { AWS_ENDPOINT_URL_STS: sts.url },
    )
    using room = openRoom()
    await assert.rejects(room.profiles.resolve('Prod', QUIETLY), {
      code: 'STS_REFUSED',
      message: /role\/Hop/,
    })
  })
})

suite('config files that change between the look and the providers', () => {
  test('are looked at again rather than served', async () => {
    const config = role('Prod', 'source_profile = corp') + CORP
    using home = openHome({ config })
    using room = openRoom()
    const paths = configPaths(process.env)
    const chain = followChain(await readAWSConfig(paths), 'Prod')
    home.write('.aws/config', config.replace('role/Prod', 'role/Other'))
    await readAWSConfig(paths)
    const resolving = room.baseCredentials.resolve(chain, paths, QUIETLY)
    await assert.rejects(resolving, { code: 'PROFILE_CHANGED' })
  })
})

suite('credential_source', () => {
  const config = role('Prod', 'credential_source = Environment')

  test('takes the keys of the environment', async () => {
    using _home = openHome(
      { config },
      { AWS_ACCESS_KEY_ID: 'ASIAENV', AWS_SECRET_ACCESS_KEY: 'e', AWS_SESSION_TOKEN: 't' },
    )
    using room = openRoom()
    const resolved = await room.profiles.resolve('Prod', QUIETLY)
    assert.deepEqual(opened(resolved), ['ASIAENV', 'e', 't'])
    assert.equal(resolved.role?.arn, ARN('Prod'))
  })

  test('may stand in a source without a role', async () => {
    using _home = openHome(
      {
        config: `${role('Prod', 'source_profile = env')}[profile env]\ncredential_source = Environment`,
      },
      { AWS_ACCESS_KEY_ID: 'AKIAENV', AWS_SECRET_ACCESS_KEY: 'e' },
    )
    using room = openRoom()
    assert.equal((await room.profiles.resolve('Prod', QUIETLY)).base.accessKeyId, 'AKIAENV')
  })

  test('is missing when the environment has no keys', async () => {
    using _home = openHome({ config })
    using room = openRoom()
    await assert.rejects(room.profiles.resolve('Prod', QUIETLY), {
      code: 'BASE_CREDENTIALS_MISSING',
      hint: /AWS_ACCESS_KEY_ID/,
    })
  })

  test('has expired when the environment says so', async () => {
    using _home = openHome(
      { config },
      {
        AWS_ACCESS_KEY_ID: 'ASIAENV',
        AWS_SECRET_ACCESS_KEY: 'e',
        AWS_SESSION_TOKEN: 't',
        AWS_CREDENTIAL_EXPIRATION: '2020-01-01T00:00:00Z',
      },
    )
    using room = openRoom()
    const resolving = room.profiles.resolve('Prod', QUIETLY)
    await assert.rejects(resolving, { code: 'BASE_CREDENTIALS_EXPIRED' })
  })

  test('is unavailable when nothing answers as the instance', async () => {
    using _home = openHome({ config: role('Prod', 'credential_source = Ec2InstanceMetadata') })
    process.env.AWS_EC2_METADATA_SERVICE_ENDPOINT = 'http://127.0.0.1:9'
    using room = openRoom()
    const resolving = room.profiles.resolve('Prod', QUIETLY)
    await assert.rejects(resolving, { code: 'BASE_CREDENTIALS_UNAVAILABLE' })
  })
})

suite('credential_process', () => {
  const whole = { Version: 1, AccessKeyId: 'ASIAPROC', SecretAccessKey: 'p', SessionToken: 't' }
  const process_ = (command: string) => `[profile proc]\ncredential_process = ${command}\n`

  test('gives what it prints', async () => {
    const ends = Date.now() + 3_600_000
    const output = { ...whole, Expiration: new Date(ends).toISOString() }
    using _home = openHome({ config: process_(printing(output)) })
    using room = openRoom()
    const resolved = await room.profiles.resolve('proc', QUIETLY)
    assert.deepEqual(opened(resolved), ['ASIAPROC', 'p', 't'])
    assert.equal(resolved.base.expiration, ends)
  })

  test('runs with the profile in SENTINEL_RESOLVING, which is gone afterwards', async () => {
    using home = openHome()
    const seen = `${home.path}/seen`
    home.write('.aws/config', process_(`printenv SENTINEL_RESOLVING > ${seen}; ${printing(whole)}`))
    using room = openRoom()
    await room.profiles.resolve('proc', QUIETLY)
    assert.equal(readFileSync(seen, 'utf8'), 'proc\n')
    assert.equal(process.env.SENTINEL_RESOLVING, undefined)
  })

  test('runs for one profile after the other, each told only of itself', async () => {
    using home = openHome()
    const config = ['one', 'two'].map(
      (name) =>
        `[profile ${name}]\ncredential_process = sleep 0.1; printf %s "$SENTINEL_RESOLVING" > ${home.path}/${name}; ${printing(whole)}\n`,
    )
    home.write('.aws/config', config.join(''))
    using room = openRoom()
    await Promise.all(['one', 'two'].map((name) => room.profiles.resolve(name, QUIETLY)))
    for (const name of ['one', 'two']) {
      assert.equal(readFileSync(`${home.path}/${name}`, 'utf8'), name)
    }
  })

  const failures: [what: string, command: string][] = [
    ['fails', 'echo topsecret >&2; exit 3'],
    ['prints no JSON', 'echo topsecret'],
    ['prints another version', printing({ ...whole, Version: 2, SecretAccessKey: 'topsecret' })],
    ['prints a number for a key', printing({ ...whole, AccessKeyId: 7 })],
    ['prints a key with a line break', printing({ ...whole, AccessKeyId: 'a\nb' })],
    ['prints no secret', printing({ ...whole, SecretAccessKey: '' })],
    ['prints an end that is no time', printing({ ...whole, Expiration: 'soon' })],
    [
      'prints credentials that have ended',
      printing({ ...whole, Expiration: '2020-01-01T00:00:00Z' }),
    ],
  ]
  for (const [what, command] of failures) {
    test(`is no source when it ${what}`, async () => {
      using _home = openHome({ config: process_(command) })
      using room = openRoom()
      await assert.rejects(room.profiles.resolve('proc', QUIETLY), (error: SentinelError) => {
        assert.equal(error.code, 'BASE_CREDENTIALS_MISSING')
        assert.doesNotMatch(JSON.stringify([error.message, error.cause, error.stack]), /topsecret/)
        return true
      })
    })
  }

  test('is given up after the time for providers', async () => {
    using _home = openHome({ config: process_(`sleep 1; ${printing(whole)}`) })
    using room = openRoom({ providerTimeoutMs: 100 })
    await assert.rejects(room.profiles.resolve('proc', QUIETLY), {
      code: 'BASE_CREDENTIALS_UNAVAILABLE',
      message: /credential_process of profile "proc" did not answer/,
    })
  })

  test('is given up when nobody wants it any more, and so is one that waits its turn', async () => {
    using _home = openHome({ config: process_(`sleep 1; ${printing(whole)}`) })
    using room = openRoom()
    const { signal, abort } = withAbort()
    const first = room.profiles.resolve('proc', { mayPrompt: false, signal })
    const second = room.profiles.resolve('proc', { mayPrompt: false, signal })
    await sleep(50)
    abort()
    await assert.rejects(first, { code: 'INTERRUPTED' })
    await assert.rejects(second, { code: 'INTERRUPTED' })
  })
})

suite('a profile that needs Sentinel for itself', () => {
  const config = '[profile prod]\ncredential_process = sentinel credentials --profile prod\n'

  test('is refused below a Sentinel that is resolving it, with the layout to use', async () => {
    using _home = openHome({ config }, { SENTINEL_RESOLVING: 'other,prod' })
    using room = openRoom()
    await assert.rejects(room.profiles.resolve('prod', QUIETLY), {
      code: 'PROFILE_RECURSION',
      hint: /\[profile prod-role\].*credential_process = sentinel credentials --profile prod-role/,
    })
  })

  test('is resolved below a Sentinel that is resolving another', async () => {
    using _home = openHome({ config: CORP }, { SENTINEL_RESOLVING: 'other' })
    using room = openRoom()
    assert.equal((await room.profiles.resolve('corp', QUIETLY)).base.accessKeyId, 'AKIACORP')
    assert.equal(process.env.SENTINEL_RESOLVING, 'other')
  })

  test('is explained by the outer Sentinel as the inner one refused it', async () => {
    const inner = `echo "error: profile \\"prod\\" needs Sentinel's credentials for itself" >&2; exit 5`
    using _home = openHome({ config: `[profile prod]\ncredential_process = ${inner}\n` })
    using room = openRoom()
    await assert.rejects(room.profiles.resolve('prod', QUIETLY), { code: 'PROFILE_RECURSION' })
  })
})

suite('a web identity', () => {
  const web = (home: string) =>
    role('Web', `web_identity_token_file = ${home}/token\nregion = eu-west-1`)

  test('is exchanged by our own client, keeping provider and subject', async () => {
    await using sts = await openScriptedSTS()
    using home = openHome({}, { AWS_ENDPOINT_URL_STS: sts.url })
    home.write('token', 'a.b.c\n')
    home.write('.aws/config', web(home.path))
    using room = openRoom()
    const resolved = await room.profiles.resolve('Web', QUIETLY)
    assert.deepEqual(opened(resolved), ['ASIA1', 'secret1', 'token1'])
    assert.deepEqual(resolved.webIdentity, { provider: 'accounts.example', subject: 'repo:app' })
    assert.equal(resolved.role, undefined)
    const [{ action, input, signer, userAgent }] = sts.requests as [(typeof sts.requests)[0]]
    assert.deepEqual(
      { action, signer, token: input.WebIdentityToken, role: input.RoleArn },
      {
        action: 'AssumeRoleWithWebIdentity',
        signer: undefined,
        token: 'a.b.c',
        role: ARN('Web'),
      },
    )
    assert.match(userAgent, /sentinel\/1\.2\.3/)
  })

  test('may be the source of a role, and still be known', async () => {
    await using sts = await openScriptedSTS()
    using home = openHome({}, { AWS_ENDPOINT_URL_STS: sts.url })
    home.write('token', 'a.b.c')
    home.write('.aws/config', role('Prod', 'source_profile = Web') + web(home.path))
    using room = openRoom()
    const resolved = await room.profiles.resolve('Prod', QUIETLY)
    assert.equal(resolved.base.accessKeyId, 'ASIA1')
    assert.equal(resolved.webIdentity?.subject, 'repo:app')
    assert.equal(resolved.role?.arn, ARN('Prod'))
  })

  test('is not that of a role session made from it', async () => {
    await using sts = await openScriptedSTS()
    using home = openHome({}, { AWS_ENDPOINT_URL_STS: sts.url })
    home.write('token', 'a.b.c')
    const hops = role('Prod', 'source_profile = Hop') + role('Hop', 'source_profile = Web')
    home.write('.aws/config', hops + web(home.path))
    using room = openRoom()
    const resolved = await room.profiles.resolve('Prod', QUIETLY)
    assert.deepEqual([resolved.base.accessKeyId, resolved.webIdentity], ['ASIA2', undefined])
  })

  test('has expired when STS says so of its token', async () => {
    await using sts = await openScriptedSTS(() => refuse('ExpiredTokenException', 400))
    using home = openHome({}, { AWS_ENDPOINT_URL_STS: sts.url })
    home.write('token', 'a.b.c')
    home.write('.aws/config', web(home.path))
    using room = openRoom()
    const resolving = room.profiles.resolve('Web', QUIETLY)
    await assert.rejects(resolving, { code: 'BASE_CREDENTIALS_EXPIRED' })
  })

  test('is missing when its token file is', async () => {
    using home = openHome()
    home.write('.aws/config', web(home.path))
    using room = openRoom()
    await assert.rejects(room.profiles.resolve('Web', QUIETLY), {
      code: 'BASE_CREDENTIALS_MISSING',
      hint: /web_identity_token_file/,
    })
  })
})

suite('a profile without any credentials', () => {
  for (const lines of [
    'region = eu-west-1',
    'aws_access_key_id = AKIA',
    'credential_source = Environment',
  ]) {
    test(`is told what to add when it has ${lines.split(' ')[0]} alone`, async () => {
      using _home = openHome(
        { config: `[profile x]\n${lines}\n` },
        { AWS_ACCESS_KEY_ID: 'AKIAENV', AWS_SECRET_ACCESS_KEY: 'e' },
      )
      using room = openRoom()
      const resolving = room.profiles.resolve('x', QUIETLY)
      await assert.rejects(resolving, { code: 'BASE_CREDENTIALS_MISSING', hint: /source_profile/ })
    })
  }
})

function withAbort() {
  const controller = new AbortController()
  return { signal: controller.signal, abort: () => controller.abort() }
}
