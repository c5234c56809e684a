import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { parseSetting, parseSettings, SETTINGS } from '../../src/documents/settings.ts'
import { hasCode } from '../../src/errors.ts'

const COMPLETE = `# Everything.
profile: prod
policy: ssm:eu-central-1:/sentinel/policies/default
region: eu-central-1
aws_profile: tools
output: json
server: true
lazy: false
duration: 1h
server_duration: 15m
mfa_session_duration: 36h
log_file: /var/log/sentinel/decisions.jsonl
log_stderr: true
log_max_size: 64MiB
log_max_age: 7d
log_anchor: dynamodb:eu-central-1:sentinel-anchors
log_ship: cloudwatch:/sentinel/decisions/laptop
session_store: local
request_store: dynamodb:sentinel-requests
break_glass_store: "memory:"
session_outage: deny
session_grace: 60s
session_outage_max: 15m
session_tags: true
endpoints:
  sts: https://vpce-1.sts.eu-central-1.vpce.amazonaws.com
  ssm: https://ssm.example
  dynamodb: https://dynamodb.example
  sns: https://sns.example
  kms: https://kms.example:8443
  cloudtrail: https://cloudtrail.example
  logs: https://logs.example
proxy: http://proxy.example:3128
keep_aws_config: true
`

function refusal(text: string): string {
  try {
    parseSettings(text, 'config.yaml')
  } catch (error) {
    assert.ok(hasCode(error, 'CONFIG_INVALID'), String(error))
    return `${error.message} | ${error.hint}`
  }
  return assert.fail('the settings were accepted')
}

suite('parseSettings', () => {
  test('reads every setting, durations as seconds', () => {
    const settings = parseSettings(COMPLETE, 'config.yaml')

    assert.deepEqual(Object.keys(settings).toSorted(), SETTINGS.map(({ key }) => key).toSorted())
    assert.deepEqual(
      [settings.duration, settings.serverDuration, settings.mfaSessionDuration],
      [3600, 900, 129_600],
    )
    assert.deepEqual([settings.logMaxSize, settings.logMaxAge], [64 * 2 ** 20, 7 * 86_400])
    assert.deepEqual([settings.sessionGrace, settings.sessionOutageMax], [60, 900])
    assert.deepEqual([settings.server, settings.lazy, settings.keepAwsConfig], [true, false, true])
    assert.equal(settings.endpoints?.kms, 'https://kms.example:8443')
  })

  test('reads a file of comments as no settings', () => {
    assert.deepEqual(parseSettings('# profile: prod\n', 'config.yaml'), {})
  })

  const refused: [what: string, text: string, refusal: RegExp][] = [
    [
      'an unknown key',
      'region: eu-west-1\nprofil: prod',
      /^config.yaml:2:1: "profil" is not a key of settings \| did you mean "profile"\?$/,
    ],
    [
      'a key of the program',
      'awsProfile: x',
      /^config.yaml:1:1: .* \| did you mean "aws_profile"\?$/,
    ],
    ['the first of several', 'profil: prod\nregio: x', /^config.yaml:1:1:/],
    [
      'a duplicate key',
      'region: eu-west-1\nregion: eu-west-2',
      /^config.yaml:2:1: the key "region" stands twice/,
    ],
    ['a list', '- profile', /^config.yaml:1:1: expected settings, found a list/],
    [
      'a setting without a value',
      'profile:',
      /^config.yaml:1:9: expected the name of a profile, found nothing/,
    ],
    ['a profile without quotes', 'profile: 2024', /^config.yaml:1:10: .* \| quote it: "2024"$/],
    [
      'a policy by its path',
      'policy: /etc/policy.yaml',
      /^config.yaml:1:9: .* \| write file:PATH or ssm:/,
    ],
    [
      'a region that is none',
      'region: Frankfurt',
      /^config.yaml:1:9: "Frankfurt" is not an AWS region/,
    ],
    ['an unknown output', 'output: yaml', /^config.yaml:1:9: "yaml" is not text or json/],
    [
      'a flag in words',
      'server: on',
      /^config.yaml:1:9: expected true or false, found the text "on"/,
    ],
    ['a duration without a unit', 'duration: 3600', /^config.yaml:1:11: expected a duration/],
    [
      'a duration that is too short',
      'server_duration: 5m',
      /^config.yaml:1:18: .* \| write at least 15m$/,
    ],
    [
      'an MFA session over 36h',
      'mfa_session_duration: 37h',
      /^config.yaml:1:23: .* \| write at most 36h$/,
    ],
    [
      'a store of an unknown kind',
      'session_store: redis',
      /^config.yaml:1:16: "redis" is not a place for a store/,
    ],
    [
      'an endpoint without TLS',
      'endpoints: { sts: "http://sts.example" }',
      /^config.yaml:1:19: this is not an https address/,
    ],
    [
      'an endpoint on this machine without TLS',
      'endpoints: { sts: "http://127.0.0.1:8080" }',
      /^config.yaml:1:19: this is not/,
    ],
    [
      'an endpoint of another service',
      'endpoints: { s3: "https://s3.example" }',
      /^config.yaml:1:14: "s3" is not a key of endpoints \| did you mean|use one of: sts, ssm/,
    ],
    [
      'a proxy without a scheme',
      'proxy: proxy.example:3128',
      /^config.yaml:1:8: this is not the address of a proxy/,
    ],
    ['a SOCKS proxy', 'proxy: socks5://proxy.example', /^config.yaml:1:8: this is not the address/],
  ]
  for (const [what, text, expected] of refused) {
    test(`refuses ${what}`, () => assert.match(refusal(text), expected))
  }

  test('never repeats a password that stands in an address', () => {
    for (const text of [
      'proxy: http://user:hunter2@proxy.example',
      'endpoints: { sts: "https://user:hunter2@sts.example" }',
      'endpoints: https://user:hunter2@sts.example',
      'profile: { a: "https://user:hunter2@sts.example" }',
      'server: https://user:hunter2@sts.example',
      'https://user:hunter2@sts.example: 1',
    ]) {
      assert.doesNotMatch(refusal(text), /hunter2/, text)
    }
  })
})

suite('parseSetting', () => {
  test('reads what a variable holds', () => {
    assert.equal(parseSetting('serverDuration', '30m'), 1800)
    assert.equal(parseSetting('output', 'json'), 'json')
    assert.equal(parseSetting('awsProfile', 'tools'), 'tools')
  })

  test('reads flags as people write them in variables', () => {
    assert.deepEqual(
      ['true', '1', 'false', '0'].map((text) => parseSetting('server', text)),
      [true, true, false, false],
    )
    assert.throws(() => parseSetting('server', 'yes'), {
      code: 'CONFIG_INVALID',
      message: 'SENTINEL_SERVER: expected true or false, found the text "yes"',
    })
  })

  test('names where the text comes from, by default its variable', () => {
    assert.throws(() => parseSetting('duration', '5m'), {
      message: 'SENTINEL_DURATION: "5m" is not a duration from 15m to 12h',
      hint: 'write at least 15m',
    })
    assert.throws(() => parseSetting('duration', '5m', '--duration'), {
      message: '--duration: "5m" is not a duration from 15m to 12h',
    })
  })

  test('takes endpoints from the file only', () => {
    assert.throws(() => parseSetting('endpoints', 'sts=https://sts.example'), {
      code: 'CONFIG_INVALID',
      message: 'endpoints cannot be set here',
    })
  })
})

suite('SETTINGS', () => {
  test('gives every setting a kind, a summary and, endpoints apart, a variable', () => {
    for (const { key, name, kind, summary, variable } of SETTINGS) {
      assert.match(summary, /^[A-Z].*[.]$/, key)
      const expected = kind === 'endpoints' ? undefined : `SENTINEL_${name.toUpperCase()}`
      assert.equal(variable, expected, key)
    }
  })
})
