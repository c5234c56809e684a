import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, suite, test } from 'node:test'
import { createChildRunner } from '../../src/child/child-runner.ts'
import { Secret } from '../../src/domain/secret.ts'
import { hasCode } from '../../src/errors.ts'
import type { ChildRequest } from '../../src/ports/child-runner.ts'

const root = mkdtempSync(join(tmpdir(), 'child-runner-'))
after(() => rmSync(root, { recursive: true }))
const temporaryDirectory = join(root, 'tmp')
mkdirSync(temporaryDirectory, { mode: 0o700 })

const COPY = 'env >"$1"; cat "$AWS_CONFIG_FILE" "$AWS_SHARED_CREDENTIALS_FILE" >"$2"; exit 5'
const CONFIG = '[default]\nregion = eu-central-1\n[profile prod]\nregion = eu-central-1\n'

const request: ChildRequest = {
  command: 'sh',
  args: ['-c', COPY, 'sh', join(root, 'env'), join(root, 'files')],
  access: { kind: 'server', url: 'http://127.0.0.1:1/credentials', token: new Secret('t0ken') },
  profile: 'prod',
  awsConfig: CONFIG,
  activeId: '00112233445566ff',
}

suite('a child runner', () => {
  test('runs the command with the private config, which is gone afterwards', async () => {
    using cleanUp = new DisposableStack()
    const env = { PATH: process.env.PATH, AWS_ACCESS_KEY_ID: 'AKIAINHERITED' }
    const runner = runnerFor(env, cleanUp)

    assert.deepEqual(await runner.run(request), { status: 5 })

    const variables = readFileSync(join(root, 'env'), 'utf8')
    assert.match(variables, /^AWS_CONTAINER_AUTHORIZATION_TOKEN=t0ken$/m)
    assert.match(variables, /^AWS_PROFILE=prod$/m)
    assert.doesNotMatch(variables, /AKIAINHERITED/)
    assert.equal(readFileSync(join(root, 'files'), 'utf8'), CONFIG)
    assert.deepEqual(readdirSync(temporaryDirectory), [])
  })

  test('holds signals until everything is closed, and gives them back then', async () => {
    const before = process.listenerCount('SIGTERM')
    const cleanUp = new DisposableStack()
    const runner = runnerFor({ PATH: process.env.PATH }, cleanUp)

    runner.hold()
    assert.equal(process.listenerCount('SIGTERM'), before + 1)
    await runner.run({ ...request, args: ['-c', ':'] })

    assert.equal(process.listenerCount('SIGTERM'), before + 1)
    cleanUp.dispose()
    assert.equal(process.listenerCount('SIGTERM'), before)
  })

  test("refuses a command that cannot run, and takes the user's shell for none", () => {
    using cleanUp = new DisposableStack()
    const runner = runnerFor({ PATH: '/usr/bin:/bin', SHELL: '/bin/sh' }, cleanUp)

    assert.throws(
      () => runner.assertRunnable('no-such-command-here', { nested: false }),
      (error) => hasCode(error, 'COMMAND_NOT_FOUND'),
    )
    assert.doesNotThrow(() => runner.assertRunnable(undefined, { nested: false }))
  })

  test('refuses to run inside another run, unless asked to', () => {
    using cleanUp = new DisposableStack()
    const runner = runnerFor({ PATH: '/usr/bin:/bin', SENTINEL_ACTIVE: 'x' }, cleanUp)

    assert.throws(
      () => runner.assertRunnable('sh', { nested: false }),
      (error) => hasCode(error, 'USAGE'),
    )
    assert.doesNotThrow(() => runner.assertRunnable('sh', { nested: true }))
  })
})

function runnerFor(env: Record<string, string | undefined>, cleanUp: DisposableStack) {
  const crash = { signal: new AbortController().signal, leaveTime() {} }
  const { platform } = process
  return createChildRunner({ env, platform, temporaryDirectory, cleanUp, crash })
}
