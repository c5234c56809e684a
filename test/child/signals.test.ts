import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, suite, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  type Driven,
  drive,
  driverCommand,
  isRunning,
  launch,
  lifeCommand,
  parentOf,
  signalCounter,
} from '../fixtures/child/drive.ts'

const directory = mkdtempSync(join(tmpdir(), 'signals-'))
after(() => rmSync(directory, { recursive: true }))

suite('a signal to a gateway without a terminal', { concurrency: 4 }, () => {
  const signals = ['SIGTERM', 'SIGHUP', 'SIGINT', 'SIGQUIT', 'SIGUSR1', 'SIGUSR2'] as const

  for (const signal of signals) {
    test(`reaches the child once: ${signal}`, async () => {
      const driver = drive({}, signalCounter(signal))
      await driver.saw(/ready/)

      driver.process.kill(signal)

      assert.deepEqual(await driver.ended, { status: 7, signal: null })
      assert.equal(count(driver, signal), 1)
    })
  }

  test('reaches the child each time it is sent', async () => {
    const driver = drive({}, signalCounter('SIGTERM'))
    await driver.saw(/ready/)

    driver.process.kill('SIGTERM')
    await driver.saw(/got SIGTERM/)
    driver.process.kill('SIGTERM')

    await driver.ended
    assert.equal(count(driver, 'SIGTERM'), 2)
  })

  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    test(`that came as the child was started is delivered to it: ${signal}`, async () => {
      const driver = drive({ signalFirst: signal, tether: 'watchdog' }, ['sleep', '20'])

      assert.deepEqual(await driver.ended, { status: null, signal })
    })

    test(`that came before the child is its end: ${signal}`, async () => {
      const driver = drive({ signalFirst: signal }, ['sh', '-c', 'echo started; sleep 20'])

      assert.deepEqual(await driver.ended, { status: null, signal })
    })
  }

  test('waits for the child when it would not end one that starts: USR1', async () => {
    const driver = drive({ signalFirst: 'SIGUSR1' }, ['sleep', '20'])

    assert.deepEqual(await driver.ended, { status: 138, signal: null })
  })

  test('is not passed on when it is none of the child: CHLD, PIPE, WINCH, CONT', async () => {
    const others = ['SIGCHLD', 'SIGPIPE', 'SIGWINCH', 'SIGCONT'] as const
    const driver = drive({}, signalCounter(...others, 'SIGTERM'))
    await driver.saw(/ready/)

    for (const signal of others) driver.process.kill(signal)
    await sleep(50)
    driver.process.kill('SIGTERM')

    await driver.ended
    assert.deepEqual(driver.output().match(/got \w+/g), ['got SIGTERM'])
  })

  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    test(`does not end it before what is open is flushed: ${signal}`, async () => {
      const driver = drive({ lingerMs: 200 }, ['sh', '-c', 'exit 3'])
      await driver.saw(/child ended/)

      driver.process.kill(signal)

      assert.deepEqual(await driver.ended, { status: 3, signal: null })
      assert.match(driver.output(), /flushed/)
    })
  }
})

suite('a signal to a gateway that holds them from its start on', { concurrency: 4 }, () => {
  const ends = {
    SIGINT: { status: null, signal: 'SIGINT' },
    SIGTERM: { status: null, signal: 'SIGTERM' },
    SIGHUP: { status: null, signal: 'SIGHUP' },
    SIGQUIT: { status: 131, signal: null },
  } as const
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'] as const

  for (const signal of signals) {
    test(`ends it before there is a child, and lets it close: ${signal}`, async () => {
      const life = launch(lifeCommand({ directory, startMs: 20_000 }, ['echo', 'started']))
      await life.saw(/starting/)

      life.process.kill(signal)

      assert.deepEqual(await life.ended, ends[signal])
      assert.match(life.output(), new RegExp(`gives up: ${signal}[^]*closed`))
      assert.doesNotMatch(life.output(), /started/)
    })

    test(`ends a child that is about to start: ${signal}`, async () => {
      const life = launch(lifeCommand({ directory, signalBetween: signal }, ['sleep', '20']))

      assert.deepEqual(await life.ended, ends[signal])
      assert.match(life.output(), /closed/)
    })
  }

  test('reaches the child once', async () => {
    const life = launch(lifeCommand({ directory }, signalCounter('SIGTERM')))
    await life.saw(/ready/)

    life.process.kill('SIGTERM')

    assert.deepEqual(await life.ended, { status: 7, signal: null })
    assert.equal(count(life, 'SIGTERM'), 1)
    assert.match(life.output(), /closed/)
  })

  test('does not cut its closing short, however many come', async () => {
    const life = launch(lifeCommand({ directory, startMs: 20_000, closeMs: 300 }, ['true']))
    await life.saw(/starting/)
    life.process.kill('SIGINT')
    await life.saw(/closing/)

    for (const signal of [...signals, ...signals]) {
      life.process.kill(signal)
      await sleep(10)
    }

    assert.deepEqual(await life.ended, ends.SIGINT)
    assert.match(life.output(), /closed/)
  })

  for (const signal of signals) {
    test(`ends it the hard way when its closing hangs: ${signal}`, async () => {
      const driver = drive({ lingerMs: 60_000, patienceMs: 50 }, ['true'])
      await driver.saw(/child ended/)
      await sleep(100)

      driver.process.kill(signal)

      assert.deepEqual(await driver.ended, ends[signal])
      assert.doesNotMatch(driver.output(), /flushed/)
    })
  }
})

const SCRIPT = '/usr/bin/script'
const hasTerminals = process.platform === 'linux' && existsSync(SCRIPT)
const terminals = { concurrency: 4, skip: !hasTerminals && 'needs script of util-linux' }

suite('Ctrl-C in a terminal', terminals, () => {
  for (const [key, signal] of [
    ['\x03', 'SIGINT'],
    ['\x1c', 'SIGQUIT'],
  ] as const) {
    test(`reaches the child once, and the gateway outlives it: ${signal}`, async () => {
      const terminal = openTerminal(driverCommand({ lingerMs: 50 }, signalCounter(signal)))
      const [, child] = await terminal.saw(/ready (\d+)/)
      const gateway = parentOf(Number(child))

      // The gateway acts on it only when the child has, or two signals could count as one.
      process.kill(gateway, 'SIGSTOP')
      terminal.process.stdin?.write(key)
      await terminal.saw(new RegExp(`got ${signal}`))
      process.kill(gateway, 'SIGCONT')

      assert.equal((await terminal.ended).status, 7)
      assert.equal(count(terminal, signal), 1)
      assert.match(terminal.output(), /flushed/)
    })
  }

  test('reaches the child as often as it is typed', async () => {
    const terminal = openTerminal(driverCommand({ lingerMs: 50 }, signalCounter('SIGINT')))
    await terminal.saw(/ready/)

    for (const times of [1, 2, 3, 4, 5]) {
      terminal.process.stdin?.write('\x03')
      await terminal.saw(new RegExp(`(got SIGINT[^]*){${times}}`))
    }

    assert.equal((await terminal.ended).status, 7)
    assert.equal(count(terminal, 'SIGINT'), 5)
    assert.match(terminal.output(), /flushed/)
  })

  test('is not lost when it comes as the child is started', async () => {
    // From the terminal the gateway alone had it: the child was not there.
    const options = { signalFirst: 'SIGINT', tether: 'watchdog' } as const
    const terminal = openTerminal(driverCommand(options, ['sleep', '20']))

    assert.equal((await terminal.ended).status, 130)
  })

  test('ends a gateway that starts, and typed again does not cut its closing short', async () => {
    const options = { directory, startMs: 20_000, closeMs: 300 }
    const terminal = openTerminal(lifeCommand(options, ['echo', 'started']))
    await terminal.saw(/starting/)

    terminal.process.stdin?.write('\x03')
    await terminal.saw(/closing/)
    terminal.process.stdin?.write('\x03\x03')

    assert.equal((await terminal.ended).status, 130)
    assert.match(terminal.output(), /gives up: SIGINT[\s\S]*closed/)
    assert.doesNotMatch(terminal.output(), /started/)
  })

  test('ends a loop of the shell around it, as for the command alone', async () => {
    const loop = 'for i in 1 2 3; do "$@"; echo "round $i"; done'
    const once = driverCommand({}, ['sh', '-c', 'echo ready; sleep 20'])
    const terminal = openTerminal(['bash', '-c', loop, 'bash', ...once])
    await terminal.saw(/ready/)

    terminal.process.stdin?.write('\x03')

    await terminal.ended
    assert.doesNotMatch(terminal.output(), /round/)
  })

  test('is passed on when sent to a gateway in the background of a terminal', async () => {
    const job = 'set -m; "$@" & echo "gateway $!"; wait $!; exit $?'
    const words = driverCommand({}, signalCounter('SIGINT'))
    const terminal = openTerminal(['bash', '-c', job, 'bash', ...words])
    const [, gateway] = await terminal.saw(/gateway (\d+)/)
    await terminal.saw(/ready/)

    process.kill(Number(gateway), 'SIGINT')

    assert.equal((await terminal.ended).status, 7)
    assert.equal(count(terminal, 'SIGINT'), 1)
    assert.equal(isRunning(Number(gateway)), false)
  })
})

/** Runs `words` in the foreground of a pseudo-terminal, whose keyboard is the standard input. */
function openTerminal(words: readonly string[]): Driven {
  const quoted = words.map((word) => `'${word.replaceAll("'", `'\\''`)}'`)
  // The shell that script starts stays, since script would stop and go on with its own child. It
  // is $SHELL or sh, and dash would end by the keys itself: a trap that its children do not inherit.
  return launch([SCRIPT, '-qfec', `trap : INT QUIT; ${quoted.join(' ')}; exit $?`, '/dev/null'])
}

function count(driven: Driven, signal: string): number {
  return driven.output().split(`got ${signal}`).length - 1
}
