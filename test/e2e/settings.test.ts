import assert from 'node:assert/strict'
import { chmodSync } from 'node:fs'
import { suite, test } from 'node:test'
import { openScene, type Scene } from '../fixtures/scene.ts'

const FILE = '.config/sentinel/config.yaml'

suite('a setting', { concurrency: 2 }, () => {
  test('is shown whether it is set or not, in JSON with the same keys', async () => {
    await using scene = await openScene()
    const shown = await configShow(scene)
    assert.ok(Object.keys(shown).length >= 20)
    assert.deepEqual(shown.region, { value: null, origin: null })
    for (const entry of Object.values(shown)) {
      assert.deepEqual(Object.keys(entry), ['value', 'origin'])
    }
  })

  test('is taken from the flag, then the environment, then the file, then nowhere', async () => {
    await using scene = await openScene()
    const value = async (args: string[], env = {}) => (await configShow(scene, args, env)).region

    assert.deepEqual(await value([]), { value: null, origin: null })
    const path = scene.write(FILE, 'region: eu-west-1\n')
    assert.deepEqual(await value([]), { value: 'eu-west-1', origin: path })
    const env = { SENTINEL_REGION: 'eu-west-2' }
    assert.deepEqual(await value([], env), { value: 'eu-west-2', origin: 'SENTINEL_REGION' })
    assert.deepEqual(await value(['--region', 'eu-west-3'], env), {
      value: 'eu-west-3',
      origin: '--region',
    })
  })

  test('is found where --config, SENTINEL_CONFIG or XDG_CONFIG_HOME say', async () => {
    await using scene = await openScene()
    const path = scene.write('elsewhere/sentinel/config.yaml', 'profile: dev\n')
    const XDG_CONFIG_HOME = `${scene.home}/elsewhere`
    const found = { value: 'dev', origin: path }

    assert.deepEqual((await configShow(scene, ['--config', path])).profile, found)
    assert.deepEqual((await configShow(scene, [], { SENTINEL_CONFIG: path })).profile, found)
    assert.deepEqual((await configShow(scene, [], { XDG_CONFIG_HOME })).profile, found)
  })

  test('makes `exec -- command` enough', async () => {
    await using scene = await openScene()
    scene.write(FILE, `profile: dev\nserver: true\npolicy: "file:${scene.home}/policy.yaml"\n`)

    const { stdout } = await scene.sentinel(['exec', '--', 'sh', '-c', 'echo "$AWS_PROFILE"'], {
      env: { SENTINEL_POLICY: undefined },
    })

    assert.equal(stdout, 'dev\n')
    assert.partialDeepStrictEqual(scene.log()[1], { type: 'issued', mode: 'server' })
  })

  const broken: [what: string, text: string, error: RegExp, hint: RegExp][] = [
    ['an unknown key', 'profile: dev\nreigon: x\n', /config\.yaml:2:1: .*"reigon"/, /"region"/],
    ['a key twice', 'profile: a\nprofile: b\n', /config\.yaml:2:1: /, /./],
    ['a value that is none', 'duration: 5m\n', /config\.yaml:1:11: /, /15m/],
  ]
  for (const [what, text, error, hint] of broken) {
    test(`in a file with ${what} is an error with its place`, async () => {
      await using scene = await openScene()
      scene.write(FILE, text)

      const { status, stderr } = await scene.sentinel(['config', 'show'], { isPlain: true })

      assert.equal(status, 5)
      const [first = '', second = ''] = stderr.split('\n')
      assert.match(first, /^error: /)
      assert.match(first, error)
      assert.match(second, hint)
    })
  }

  test('in a file that its group may write to is refused', async () => {
    await using scene = await openScene()
    chmodSync(scene.write(FILE, 'profile: dev\n'), 0o660)

    const { status, stderr } = await scene.sentinel(['config', 'show'], { isPlain: true })

    assert.equal(status, 5)
    assert.match(stderr, /^error: .*may be changed by other users\nhint: run: chmod go-w /m)
  })

  test('in a variable that is not one names the variable', async () => {
    await using scene = await openScene()
    const env = { SENTINEL_DURATION: 'soon' }
    const { status, stderr } = await scene.sentinel(['exec', 'dev', '--', 'true'], { env })
    assert.equal(status, 5)
    assert.match(stderr, /^error: SENTINEL_DURATION: /m)
  })

  test('that may hold a secret are shown without it', async () => {
    await using scene = await openScene()
    scene.write(FILE, 'log_ship: https://logs.example/in/s3cret?token=s3cret\n')

    const text = await scene.sentinel(['config', 'show'], { isPlain: true })
    assert.match(text.stdout, /^log_ship +https:\/\/logs\.example\/… +\//m)
    assert.doesNotMatch(text.stdout, /s3cret/)
    const { log_ship: shown } = await configShow(scene)
    assert.equal(shown?.value, 'https://logs.example/…')
  })
})

type Shown = Record<string, { value: unknown; origin: string | null }>

async function configShow(scene: Scene, args: string[] = [], env = {}): Promise<Shown> {
  const line = ['config', 'show', '--output', 'json', ...args]
  const { status, stdout, stderr } = await scene.sentinel(line, { env, isPlain: true })
  assert.equal(status, 0, stderr)
  return JSON.parse(stdout)
}
