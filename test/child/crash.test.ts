import assert from 'node:assert/strict'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { after, suite, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  crashingCommand,
  goneWithin,
  isRunning,
  launch,
  lifeCommand,
  parentOf,
  signalCounter,
} from '../fixtures/child/drive.ts'
import { openListener } from '../fixtures/e2e/loopback.ts'
import { openScene, type Scene } from '../fixtures/scene.ts'

const root = mkdtempSync(join(tmpdir(), 'crash-'))
after(() => rmSync(root, { recursive: true }))

const SCRIPT = '/usr/bin/script'
const hasTerminals = process.platform === 'linux' && existsSync(SCRIPT)
const terminal = { skip: !hasTerminals && 'needs script of util-linux' }

const CRASHED = { status: 70, signal: null }

suite('a gateway that crashes', { concurrency: 4 }, () => {
  for (const way of ['throw', 'reject'] as const) {
    test(`tells its child once, closes what is open, and ends with 70: ${way}`, async () => {
      const directory = mkdtempSync(join(root, 'child-'))
      const life = launch(lifeCommand({ directory, closeMs: 50 }, signalCounter('SIGTERM')))
      await life.saw(/ready/)

      crash(directory, way)

      assert.deepEqual(await life.ended, CRASHED)
      assert.equal(life.output().split('got SIGTERM').length - 1, 1)
      assert.match(life.output(), /bug: Error: planted[\s\S]*closed[\s\S]*failed: Error: planted/)
    })

    test(`before there is a child starts none, and closes: ${way}`, async () => {
      const directory = mkdtempSync(join(root, 'start-'))
      const options = { directory, startMs: 20_000, closeMs: 50 }
      const life = launch(lifeCommand(options, ['echo', 'started']))
      await life.saw(/starting/)

      crash(directory, way)

      assert.deepEqual(await life.ended, CRASHED)
      assert.match(
        life.output(),
        /gives up: Error: planted[\s\S]*closed[\s\S]*failed: Error: planted/,
      )
      assert.doesNotMatch(life.output(), /started/)
    })
  }

  test('ends, though its closing hangs and its child does not listen', async () => {
    const directory = mkdtempSync(join(root, 'hang-'))
    const deaf = ['sh', '-c', 'trap "" TERM; echo "ready $$"; exec sleep 30']
    const life = launch(lifeCommand({ directory, closeMs: 60_000 }, deaf))
    const [, child] = await life.saw(/ready (\d+)/)

    crash(directory, 'throw')

    const [status] = await once(life.process, 'exit')
    assert.equal(status, 70)
    assert.equal(isRunning(Number(child)), true)
    process.kill(Number(child), 'SIGKILL')
    await life.ended
    assert.doesNotMatch(life.output(), /closed/)
  })

  test('again while it closes ends at once', async () => {
    const directory = mkdtempSync(join(root, 'twice-'))
    const life = launch(lifeCommand({ directory, closeMs: 1000 }, ['sleep', '30']))
    await life.saw(/starting/)
    crash(directory, 'throw')
    await life.saw(/closing/)

    crash(directory, 'reject')

    assert.deepEqual(await life.ended, CRASHED)
    assert.equal(life.output().split('bug: Error: planted').length - 1, 2)
    assert.doesNotMatch(life.output(), /closed/)
  })
})

suite('sentinel that crashes', { concurrency: 2 }, () => {
  const main = resolve('src/main.ts')
  const modes = { 'env mode': ['exec', 'dev'], 'server mode': ['exec', '--server', 'dev'] }

  for (const [mode, gate] of Object.entries(modes)) {
    test(`beside its child says so once, and closes its log: in ${mode}`, async () => {
      await using scene = await openScene()
      const child = ['sh', '-c', 'echo "ready $$"; exec sleep 60']
      const running = start(scene, [...gate, '--', ...child])
      const [, pid] = await running.saw(/ready (\d+)/)

      crash(scene.home, 'throw')

      const { status, stderr } = await running.ended
      assert.equal(status, 70)
      assertToldOnce(stderr)
      assert.equal(isRunning(Number(pid)), false)
      assert.partialDeepStrictEqual(scene.log().at(-1), { type: 'stop', exit_status: 70 })
    })
  }

  test('closes its log though the terminal has gone', terminal, async () => {
    await using scene = await openScene()
    const deaf = `trap "" HUP TERM; echo "ready $$"; exec sleep 30`
    const words = [...crashingCommand(scene.home, main), '--allow-endpoint-override']
    const line = quote([...words, 'exec', '--server', 'dev', '--', 'sh', '-c', deaf])
    const running = scene.launch([SCRIPT, '-qfec', `trap : HUP; ${line}`, '/dev/null'])
    const [, child] = await running.saw(/ready (\d+)/)
    const gateway = parentOf(Number(child))

    running.process.kill('SIGKILL')
    await running.ended
    crash(scene.home, 'throw')

    assert.equal(await goneWithin(20_000, gateway), true)
    process.kill(Number(child), 'SIGKILL')
    assert.partialDeepStrictEqual(scene.log().at(-1), { type: 'stop', exit_status: 70 })
  })

  for (const way of ['throw', 'reject'] as const) {
    test(`outside of a run ends at once, and not by Node's own trace: ${way}`, async () => {
      await using scene = await openScene()
      await using silent = await openListener()
      const running = start(scene, ['whoami', 'dev'], { AWS_ENDPOINT_URL: silent.url })
      while (silent.received.length === 0 && running.process.exitCode === null) await sleep(5)

      crash(scene.home, way)

      const { status, stdout, stderr } = await running.ended
      assert.equal(status, 70)
      assert.equal(stdout, '')
      assertToldOnce(stderr)
    })
  }

  function start(scene: Scene, args: readonly string[], env = {}) {
    const words = [...crashingCommand(scene.home, main), '--allow-endpoint-override', ...args]
    return scene.launch(words, { env })
  }
})

function crash(directory: string, way: 'throw' | 'reject'): void {
  writeFileSync(join(directory, way), '')
}

function quote(words: readonly string[]): string {
  return words.map((word) => `'${word.replaceAll("'", `'\\''`)}'`).join(' ')
}

/** With where it happened, and what to do; and without the words of Node. */
function assertToldOnce(stderr: string): void {
  const told = /^bug: Error: planted\n(?: {4}at .*\n)+hint: this is a bug in Sentinel: .*$/gm
  assert.equal(stderr.match(told)?.length, 1, stderr)
  assert.doesNotMatch(stderr, /Node\.js v|Uncaught/)
}
