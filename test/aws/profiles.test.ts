import assert from 'node:assert/strict'
import { chmodSync, mkdirSync } from 'node:fs'
import { suite, test } from 'node:test'
import { parseKnownFiles } from '@smithy/core/config'
import { openHome } from '../fixtures/aws/home.ts'
import { openRoom } from '../fixtures/aws/room.ts'

const KEYS = 'aws_access_key_id = AKIACORP\naws_secret_access_key = s3cr3t\n'
const PROD = `[profile prod]
role_arn = arn:aws:iam::444455556666:role/Prod
source_profile = corp
duration_seconds = 7200
region = eu-central-1
`

async function load(name: string, config: string, credentials = `[corp]\n${KEYS}`) {
  using _home = openHome({ config, credentials })
  using room = openRoom()
  return await room.profiles.load(name)
}

suite('AWSProfiles.load', () => {
  test('reads what Sentinel looks at', async () => {
    const { childConfig: _, ...profile } = await load('prod', PROD)
    assert.deepEqual(profile, {
      name: 'prod',
      roleArn: 'arn:aws:iam::444455556666:role/Prod',
      region: 'eu-central-1',
      durationSeconds: 7200,
      isWebIdentity: false,
    })
  })

  test('knows a role that is reached by a web identity', async () => {
    const config = PROD.replace('source_profile = corp', 'web_identity_token_file = /tmp/token')
    const { isWebIdentity, roleArn } = await load('prod', config)
    assert.deepEqual([isWebIdentity, roleArn], [true, 'arn:aws:iam::444455556666:role/Prod'])
  })

  test('knows a profile without a role', async () => {
    const profile = await load('corp', '')
    assert.deepEqual(profile, {
      name: 'corp',
      isWebIdentity: false,
      childConfig: '[default]\n\n[profile corp]\n',
    })
  })

  test('lets a profile name itself as its source when it has keys', async () => {
    const profile = await load('corp', PROD.replace('prod', 'corp'))
    assert.equal(profile.roleArn, 'arn:aws:iam::444455556666:role/Prod')
  })

  test('reads the files anew each time', async () => {
    using home = openHome({ config: PROD, credentials: `[corp]\n${KEYS}` })
    using room = openRoom()
    await room.profiles.load('prod')
    home.write('.aws/config', PROD.replace('eu-central-1', 'us-west-2'))
    assert.equal((await room.profiles.load('prod')).region, 'us-west-2')
  })

  test('finds the files where the environment says, a home included', async () => {
    using home = openHome()
    home.write('here/config', PROD)
    home.write('there', `[corp]\n${KEYS}`)
    process.env.AWS_CONFIG_FILE = '~/here/config'
    process.env.AWS_SHARED_CREDENTIALS_FILE = `${home.path}/there`
    using room = openRoom()
    assert.deepEqual(await room.profiles.names(), ['prod', 'corp'])
    assert.equal((await room.profiles.load('prod')).name, 'prod')
  })
})

suite('AWSProfiles.names', () => {
  test('lists what the SDK reads, in the order of the files', async () => {
    using _home = openHome({
      config: `[profile z]\nregion = a\n[default]\nregion = b\n[plain]\nregion = c\n[sso-session s]\nsso_region = d\n[services t]\ns3 =\n  endpoint_url = e\n[profile empty]\n`,
      credentials: `[y]\n${KEYS}[default]\n${KEYS}[profile x]\n${KEYS}`,
    })
    using room = openRoom()
    assert.deepEqual(await room.profiles.names(), ['z', 'default', 'y'])
  })

  test('lists nothing when there are no files', async () => {
    using _home = openHome()
    using room = openRoom()
    assert.deepEqual(await room.profiles.names(), [])
  })
})

suite('a profile that is not there', () => {
  test('gets the names that are near it', async () => {
    const config = `${PROD}[profile prod-eu]\nregion = a\n[profile staging]\nregion = b\n`
    await assert.rejects(load('prodd', config), {
      code: 'PROFILE_NOT_FOUND',
      message: 'there is no profile "prodd"',
      hint: /"prod"/,
    })
  })

  test('gets the files to look in when no name is near', async () => {
    await assert.rejects(load('xyzzy', PROD), { code: 'PROFILE_NOT_FOUND', hint: /\.aws\/config/ })
  })

  for (const name of ['constructor', '__proto__', 'toString', '']) {
    test(`is not found in the language's own objects as ${JSON.stringify(name)}`, async () => {
      await assert.rejects(load(name, PROD), { code: 'PROFILE_NOT_FOUND' })
    })
  }
})

suite('a profile that a person sees and the SDK does not', () => {
  const body = 'region = eu-central-1\n'
  const cases: [what: string, config: string, credentials: string, message: RegExp][] = [
    ['in the wrong case', `[Profile x]\n${body}`, '', /config:1 as \[Profile x\]/],
    ['with two spaces', `\n[profile  x]\n${body}`, '', /config:2 as \[profile {2}x\]/],
    ['with spaces around', `[ profile x ]\n${body}`, '', /as \[ profile x \]/],
    ['without the word', `[x]\n${body}`, '', /as \[x\]/],
    ['with the word among credentials', '', `[profile x]\n${KEYS}`, /credentials:1 as/],
    ['without a key', '[profile x]\n', '', /as \[profile x\]/],
    ['without a bracket', `[profile x\n${body}`, '', /as \[profile x\]/],
  ]
  for (const [what, config, credentials, message] of cases) {
    test(`is explained when its header stands ${what}`, async () => {
      const loading = load('x', config, credentials)
      await assert.rejects(loading, { code: 'PROFILE_INVALID', message, hint: /^write the header/ })
    })
  }

  test('is explained when its name has a space', async () => {
    await assert.rejects(load('x y', `[profile "x y"]\n${body}`), {
      code: 'PROFILE_INVALID',
      hint: /without spaces/,
    })
  })
})

suite('a profile that SDKs read differently', () => {
  const cases: [what: string, config: string, message: RegExp][] = [
    ['two equal keys', `${PROD}region = us-east-1\n`, /region twice, at .*config:5 and line 6/],
    ['two equal keys but for case', `${PROD}output = json\nOutput = text\n`, /output twice/],
    ['two sections', `${PROD}[profile prod]\noutput = json\n`, /twice, at .*:1 and at line 6/],
    ['a key in the wrong case', PROD.replace('role_arn', 'Role_ARN'), /Role_ARN at .*:2, in the/],
    ['a setting in the wrong case', PROD.replace('region', 'Region'), /Region at .*:5, in the/],
    ['two ways to its role', `${PROD}credential_source = Environment\n`, /SDKs differ/],
    ['a source and a token', `${PROD}web_identity_token_file = /t\n`, /SDKs differ/],
    ['a header that few read', PROD.replace('profile prod', 'profile.prod'), /only some SDKs/],
  ]
  for (const [what, config, message] of cases) {
    test(`is refused with ${what}`, async () => {
      await assert.rejects(load('prod', config), { code: 'PROFILE_INVALID', message })
    })
  }

  test('is refused in a source too', async () => {
    const credentials = `[corp]\n${KEYS}aws_access_key_id = AKIAOTHER\n`
    await assert.rejects(load('prod', PROD, credentials), {
      code: 'PROFILE_INVALID',
      message: /^profile "corp" has aws_access_key_id twice/,
    })
  })
})

suite('a chain that leads nowhere', () => {
  const role = (name: string, source: string) =>
    `[profile ${name}]\nrole_arn = arn:aws:iam::444455556666:role/R\n${source}\n`
  const cases: [what: string, config: string, message: RegExp][] = [
    [
      'a ring of two',
      role('prod', 'source_profile = b') + role('b', 'source_profile = prod'),
      /ring of source_profile: "b", "prod"$/,
    ],
    ['a ring of one', role('prod', 'source_profile = prod'), /ring of source_profile: "prod"$/],
    [
      'a source that is missing',
      role('prod', 'source_profile = corpp'),
      /does not exist: "corpp"$/,
    ],
    [
      'a source named like a method',
      role('prod', 'source_profile = constructor'),
      /does not exist: "constructor"$/,
    ],
    ['no source', role('prod', ''), /nothing to assume it with$/],
    [
      'a credential_source nobody knows',
      role('prod', 'credential_source = toString'),
      /credential_source/,
    ],
    ['no ARN', '[profile prod]\nrole_arn = Prod\nsource_profile = corp\n', /no ARN/],
    ['a duration that is none', `${PROD}`.replace('7200', '2h'), /duration_seconds/],
    ['a duration too short', `${PROD}`.replace('7200', '899'), /duration_seconds/],
    [
      'an sso_session that is missing',
      '[profile prod]\nsso_session = s\nsso_account_id = 1\nsso_role_name = r\n',
      /sso_session/,
    ],
    ['half of a log-in', '[profile prod]\nsso_start_url = https://x\n', /lacks sso_region$/],
    ['a region that is a host', PROD.replace('eu-central-1', 'evil.example/'), /region/],
    ['services that are missing', `${PROD}services = mine\n`, /services section/],
  ]
  for (const [what, config, message] of cases) {
    test(`is refused with ${what}`, async () => {
      await assert.rejects(load('prod', config), { code: 'PROFILE_INVALID', message })
    })
  }

  test('suggests the source that was meant', async () => {
    const config = role('prod', 'source_profile = corpp')
    await assert.rejects(load('prod', config), { hint: /"corp"/ })
  })
})

suite('config files', () => {
  test('are refused when one is a directory', async () => {
    using home = openHome({ credentials: `[corp]\n${KEYS}` })
    mkdirSync(home.config)
    using room = openRoom()
    await assert.rejects(room.profiles.load('corp'), {
      code: 'CONFIG_INVALID',
      message: /config is a directory$/,
    })
  })

  test('are refused when one cannot be read', async (t) => {
    if (process.getuid?.() === 0) return t.skip('root reads everything')
    using home = openHome({ config: PROD, credentials: `[corp]\n${KEYS}` })
    chmodSync(home.credentials, 0)
    using room = openRoom()
    await assert.rejects(room.profiles.load('prod'), {
      code: 'CONFIG_INVALID',
      message: /credentials cannot be read \(EACCES\)$/,
    })
  })

  test('are refused when a path leads through a file', async () => {
    using home = openHome({ config: PROD })
    process.env.AWS_SHARED_CREDENTIALS_FILE = `${home.config}/credentials`
    using room = openRoom()
    await assert.rejects(room.profiles.names(), { code: 'CONFIG_INVALID', message: /ENOTDIR/ })
  })

  test('are refused when one is larger than 1 MiB', async () => {
    await assert.rejects(load('prod', PROD + '#'.repeat(1024 * 1024)), { code: 'CONFIG_INVALID' })
  })

  test('may be the null device', async () => {
    using _home = openHome({ config: PROD }, { AWS_SHARED_CREDENTIALS_FILE: '/dev/null' })
    using room = openRoom()
    assert.deepEqual(await room.profiles.names(), ['prod'])
  })

  for (const header of ['__proto__', 'profile __proto__', 'constructor', 'profile toString']) {
    test(`are refused with a section [${header}], before the SDK sees it`, async () => {
      await assert.rejects(load('prod', `${PROD}[${header}]\npolluted = yes\n`), {
        code: 'CONFIG_INVALID',
        message: /cannot be read safely$/,
      })
      assert.ok(!('polluted' in Object) && !('polluted' in {}.toString))
    })
  }
})

suite('the config of a child', () => {
  const written = `${PROD}external_id = ext-1
role_session_name = me
mfa_serial = arn:aws:iam::111122223333:mfa/alice
mfa_process = otp
output = json
retry_mode = adaptive
max_attempts = 7
ca_bundle = /etc/ca.pem
use_fips_endpoint = true
use_dualstack_endpoint = true
endpoint_url = https://vpce.example
cli_pager =less
s3 =
  addressing_style = path
  max_concurrent_requests = 20
services = mine
[services mine]
dynamodb =
  endpoint_url = https://ddb.example
sts =
  endpoint_url = https://sts.example
`
  const kept = {
    region: 'eu-central-1',
    output: 'json',
    retry_mode: 'adaptive',
    max_attempts: '7',
    ca_bundle: '/etc/ca.pem',
    use_fips_endpoint: 'true',
    use_dualstack_endpoint: 'true',
    endpoint_url: 'https://vpce.example',
    cli_pager: 'less',
    services: 'mine',
    's3.addressing_style': 'path',
    's3.max_concurrent_requests': '20',
  }

  /** What the SDK's own parser makes of a config file. */
  async function parse(config: string) {
    using home = openHome({ config })
    return await parseKnownFiles({
      configFilepath: home.config,
      filepath: home.credentials,
      ignoreCache: true,
    })
  }

  test('keeps every setting and no way to credentials, by name and by default', async () => {
    const { childConfig } = await load('prod', written)
    assert.deepEqual(await parse(childConfig), {
      default: kept,
      prod: kept,
      'services.mine': {
        'dynamodb.endpoint_url': 'https://ddb.example',
        'sts.endpoint_url': 'https://sts.example',
      },
    })
  })

  test('is one section for the profile called default', async () => {
    const { childConfig } = await load('default', `[default]\nregion = eu-west-1\n${KEYS}`)
    assert.equal(childConfig, '[default]\nregion = eu-west-1\n')
  })

  test('leaves out keys that other SDKs read in any case', async () => {
    const { childConfig } = await load(
      'corp',
      '[profile corp]\nregion = a\naws_account_id = 111122223333\nsso_custom = x\n',
    )
    assert.equal(childConfig, '[default]\nregion = a\n\n[profile corp]\nregion = a\n')
  })

  test('is not written for a name that other SDKs would read otherwise', async () => {
    await assert.rejects(load('a b', '', `[a b]\n${KEYS}`), { code: 'PROFILE_INVALID' })
  })

  test('is not written with a line break that only some SDKs see', async () => {
    const config = '[profile corp]\noutput = json\raws_access_key_id = AKIAEVIL\n'
    await assert.rejects(load('corp', config), {
      code: 'PROFILE_INVALID',
      message: /control character/,
    })
  })
})
