import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { createSettingsReader } from '../../src/cli/settings-reader.ts'
import { parseSetting, SETTINGS } from '../../src/documents/settings.ts'

const variables = new Map(
  SETTINGS.flatMap(({ key, variable }) => (variable ? [[key, variable] as const] : [])),
)
const file = { path: '/home/alice/config.yaml', settings: { duration: 3600, region: 'eu-west-1' } }

const defaults = {
  output: 'text',
  server: false,
  lazy: false,
  duration: 900,
  serverDuration: 901,
  mfaSessionDuration: 902,
  logFile: '/state/decisions.jsonl',
  logStderr: false,
  logMaxSize: 1024,
  logMaxAge: 3600,
  sessionTags: false,
  keepAwsConfig: false,
} as const

function reader(env: Record<string, string> = {}) {
  return createSettingsReader({ file, env, variables, defaults, parse: parseSetting })
}

suite('settings', () => {
  test('come from the flag before the environment before the file', () => {
    const settings = reader({ SENTINEL_DURATION: '2h' })
    const flag = { name: 'duration', text: '30m' }
    assert.deepEqual(settings.find('duration', flag), { value: 1800, origin: '--duration' })
    assert.deepEqual(settings.find('duration'), { value: 7200, origin: 'SENTINEL_DURATION' })
    assert.deepEqual(settings.find('region'), { value: 'eu-west-1', origin: file.path })
    assert.equal(settings.find('policy'), undefined)
  })

  test('have a default where nothing is set, if they always have a value', () => {
    const settings = reader()
    assert.deepEqual(settings.get('serverDuration'), { value: 901, origin: 'default' })
    assert.deepEqual(settings.find('server'), { value: false, origin: 'default' })
    assert.equal(settings.get('duration').origin, file.path)
  })

  test('are not set by an empty variable', () => {
    assert.deepEqual(reader({ SENTINEL_REGION: '' }).find('region')?.origin, file.path)
  })

  test('refuse a bad variable by its name, and a bad flag as a bad command line', () => {
    const settings = reader({ SENTINEL_DURATION: 'soon' })
    assert.throws(() => settings.find('duration'), {
      code: 'CONFIG_INVALID',
      message: /SENTINEL_DURATION/,
    })
    const flag = { name: 'duration', text: 'later' }
    assert.throws(() => settings.find('duration', flag), { code: 'USAGE', message: /--duration/ })
  })

  test('have no variable for endpoints', () => {
    assert.equal(variables.has('endpoints'), false)
  })
})
