import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { connect } from 'node:net'
import { suite, test } from 'node:test'
import { goneWithin, parentOf, signalCounter } from '../fixtures/child/drive.ts'
import { BINARY, openScene, type Running, type Scene } from '../fixtures/scene.ts'

const IS_LINUX = process.platform === 'linux'
const SCRIPT = '/usr/bin/script'

/** A child that tells where its credentials come from, then of each signal, then ends with 7. */
function counting(...signals: string[]): string[] {
  const words = signalCounter(...signals)
  return ['sh', '-c', 'echo "at $AWS_CONTAINER_CREDENTIALS_FULL_URI"; exec "$@"', 'sh', ...words]
}

const MODES: Record<string, string[]> = {
  'env mode': ['exec', 'dev', '--'],
  'server mode': ['exec', '--server', 'dev', '--'],
}

/** What the log says of a child that ended by each of these, which the gateway raises on itself. */
const ENDINGS = { SIGTERM: 143, SIGHUP: 129, SIGINT: 130 }

suite('a signal to exec', { concurrency: 2 }, () => {
  for (const [mode, gate] of Object.entries(MODES)) {
    for (const signal of ['SIGTERM', 'SIGHUP', 'SIGINT'] as const) {
      test(`reaches a child that catches it once: ${signal} in ${mode}`, async () => {
        await using scene = await openScene()
        const running = scene.start([...gate, ...counting(signal)])
        await running.saw(/ready/)

        running.process.kill(signal)

        const { status, stdout } = await running.ended
        assert.equal(status, 7)
        assert.equal(stdout.split(`got ${signal}`).length - 1, 1)
        assertStopped(scene, 7)
      })
    }
  }

  for (const [signal, exitStatus] of Object.entries(ENDINGS)) {
    test(`ends the server like its child, and within 2 s: ${signal}`, async () => {
      await using scene = await openScene()
      const running = scene.start(['exec', '--server', 'dev', '--', ...waiting()])
      const port = await portOf(running)
      assert.ok(await isListening(port))

      const sentAt = performance.now()
      running.process.kill(signal as NodeJS.Signals)

      const { status, signal: ended } = await running.ended
      assert.ok(performance.now() - sentAt < 2000)
      assert.deepEqual({ status, signal: ended }, { status: null, signal })
      assert.equal(await isListening(port), false)
      assertStopped(scene, exitStatus)
    })
  }
})

suite('the end of exec by SIGKILL', { skip: !IS_LINUX && 'needs Linux' }, () => {
  for (const [mode, gate] of Object.entries(MODES)) {
    test(`ends its child within 1 s, in ${mode}`, async () => {
      await using scene = await openScene()
      const running = scene.start([...gate, ...waiting()])
      const [, child] = await running.saw(/child (\d+)/)

      running.process.kill('SIGKILL')

      assert.ok(await goneWithin(1000, Number(child)))
      await running.ended
      assert.deepEqual(
        scene.log().map(({ type }) => type),
        ['start', 'issued'],
      )
    })
  }
})

const terminals = { concurrency: 2, skip: !existsSync(SCRIPT) && 'needs script of util-linux' }

suite('Ctrl-C in a terminal', terminals, () => {
  for (const [mode, gate] of Object.entries(MODES)) {
    test(`reaches the child once, and the gateway outlives it: in ${mode}`, async () => {
      await using scene = await openScene()
      const terminal = openTerminal(scene, [...gate, ...counting('SIGINT')])
      const [, child] = await terminal.saw(/ready (\d+)/)
      const gateway = parentOf(Number(child))

      // The gateway acts on it only when the child has, or two signals could count as one.
      process.kill(gateway, 'SIGSTOP')
      terminal.process.stdin?.write('\x03')
      await terminal.saw(/got SIGINT/)
      process.kill(gateway, 'SIGCONT')

      const { status, stdout } = await terminal.ended
      assert.equal(status, 7)
      assert.equal(stdout.split('got SIGINT').length - 1, 1)
      assertStopped(scene, 7)
    })
  }

  test('ends the gateway as it ends a child that does not catch it', async () => {
    await using scene = await openScene()
    const terminal = openTerminal(scene, ['exec', '--server', 'dev', '--', ...waiting()])
    await terminal.saw(/child \d+/)

    terminal.process.stdin?.write('\x03')

    const { status } = await terminal.ended
    assert.equal(status, 130)
    assertStopped(scene, 130)
  })
})

/** A child that tells its number and where its server is, and stays. */
function waiting(): string[] {
  return ['sh', '-c', 'echo "child $$ at $AWS_CONTAINER_CREDENTIALS_FULL_URI"; exec sleep 60']
}

/** Runs the binary in the foreground of a pseudo-terminal, whose keyboard is standard input. */
function openTerminal(scene: Scene, args: readonly string[]): Running {
  const words = [BINARY, '--allow-endpoint-override', ...args]
  const quoted = words.map((word) => `'${word.replaceAll("'", `'\\''`)}'`)
  // The shell that script starts stays, since script would stop and go on with its own child; and it
  // survives what is typed, as an interactive one does.
  return scene.launch([SCRIPT, '-qfec', `trap : INT; ${quoted.join(' ')}; exit $?`, '/dev/null'])
}

async function portOf(running: Running): Promise<number> {
  const [, port] = await running.saw(/at http:\/\/127\.0\.0\.1:(\d+)\/credentials/)
  return Number(port)
}

function isListening(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false))
    socket.once('connect', () => socket.destroy())
  })
}

/** The last record says how the run ended. */
function assertStopped(scene: Scene, status: number): void {
  const record = scene.log().at(-1) ?? {}
  assert.partialDeepStrictEqual(record, { type: 'stop', exit_status: status })
}
