import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync } from 'node:fs'
import { constants, tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, suite, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { chooseTether, commandLine, openTether } from '../../src/child/tether.ts'
import {
  childrenOf,
  type Driven,
  drive,
  driverCommand,
  goneWithin,
  isRunning,
  launch,
  statOf,
} from '../fixtures/child/drive.ts'
import { tethers } from '../fixtures/child/tethers.ts'

const root = mkdtempSync(join(tmpdir(), 'tether-'))
after(() => rmSync(root, { recursive: true }))

/** Stays for as long as its standard input, and opens nothing. */
const WAITER = ['sh', '-c', 'echo "child $$"; read -r never']
const LINUX_ONLY = process.platform !== 'linux' && 'looks into /proc'
const available = await tethers()

for (const [tether, { skip }] of available) {
  const options = { concurrency: 4, skip: skip || LINUX_ONLY }
  suite(`a child held by a ${tether}`, options, () => {
    test('is gone within a second of a SIGKILL to the gateway', async () => {
      const driver = drive({ tether }, WAITER)
      const pid = await pidOf(driver)
      assert.equal(isRunning(pid), true)

      driver.process.kill('SIGKILL')

      assert.equal(await goneWithin(1000, pid), true)
    })

    test('has no descriptor that it would not have without the gateway', async () => {
      const gateway = drive({ tether, directory: mkdtempSync(join(root, 'open-')) }, WAITER)

      // More than 0, 1 and 2 when whoever runs the tests has left some open.
      assert.deepEqual(await descriptorsBelow(gateway), await descriptorsBelow(launch(WAITER)))
    })

    test('leaves no private config behind when a signal ends both', async () => {
      const directory = mkdtempSync(join(root, 'private-'))
      const driver = drive({ tether, directory }, WAITER)
      await pidOf(driver)
      const isPrivate = (name: string) => name.startsWith('sentinel-')
      assert.equal(readdirSync(directory).filter(isPrivate).length, 1)

      driver.process.kill('SIGTERM')

      assert.deepEqual(await driver.ended, { status: null, signal: 'SIGTERM' })
      assert.deepEqual(readdirSync(directory).filter(isPrivate), [])
    })

    test('keeps blocking pipes when the gateway first writes to one of them', async () => {
      const look = 'sleep 0.4; cat /proc/$$/fdinfo/1 /proc/$$/fdinfo/2'
      const driver = drive({ tether }, ['sh', '-c', look])
      await driver.ended

      const flags = [...driver.output().matchAll(/flags:\s+(\d+)/g)]
      const areNonBlocking = flags.map(([, octal = '']) => Number.parseInt(octal, 8) & 0o4000)
      assert.match(driver.output(), /running/)
      assert.deepEqual(areNonBlocking, [0, 0])
    })

    test('has its name, arguments, directory and environment as they were given', async () => {
      const environment = ['ODD-NAME.x=a\nb', 'EMPTY=', `PATH=${process.env.PATH}`, 'é=ü']
      const script = 'pwd -P; echo ===; cat /proc/$$/environ; echo ===; cat /proc/$$/cmdline'
      const command = ['sh', '-c', script, '--', '', '$x']
      const here = `cd ${root} && exec "$@" 2>/dev/null`
      const words = ['sh', '-c', here, 'sh', 'env', '-i', ...environment]
      const driver = launch([...words, ...driverCommand({ tether }, command)])
      await driver.ended

      const [directory, variables = '', line] = driver.output().split('===\n')
      assert.equal(directory, `${realpathSync(root)}\n`)
      assert.deepEqual(variables.split('\0').sort(), [...environment, ''].sort())
      assert.equal(line, `${command.join('\0')}\0`)
    })
  })
}

const [[, onDeathSignal] = ['', { skip: '' }]] = available

suite('the death signal', { skip: onDeathSignal.skip }, () => {
  test('starts no command for a parent that is dead already', () => {
    const dead = spawnSync('true').pid
    const mark = join(root, 'mark')
    const touch = { name: 'touch', path: '/bin/touch' }

    for (const [parent, isStarted] of [
      [dead, false],
      [process.pid, true],
    ] as const) {
      const { file, args } = commandLine('death signal', touch, [mark], parent)
      spawnSync(file, args)
      assert.equal(existsSync(mark), isStarted)
    }
  })

  test('works in a directory that was removed', async () => {
    const removed = `cd $(mktemp -d) && rmdir "$PWD" && exec "$@"`
    const words = driverCommand({ tether: 'death signal' }, ['sh', '-c', 'exit 9'])

    assert.equal((await launch(['sh', '-c', removed, 'sh', ...words]).ended).status, 9)
  })

  test('is left alone for a command whose name would be taken for a variable', async () => {
    assert.equal(await chooseTether({ name: './a=b', path: './a=b' }), 'watchdog')
  })
})

suite('the watchdog', { skip: LINUX_ONLY }, () => {
  test('ends with the child', async () => {
    const brief = ['sh', '-c', 'echo "child $$"; sleep 0.3; exit 4']
    const driver = drive({ tether: 'watchdog', lingerMs: 500 }, brief)
    const watchdog = await watchdogBeside(await pidOf(driver), driver)

    await driver.saw(/child ended/)

    assert.equal(await goneWithin(400, watchdog), true)
    assert.deepEqual(await driver.ended, { status: 4, signal: null })
  })

  test('sends nothing once it was disposed: the number may be of another process', async () => {
    const bystander = launch(WAITER)
    const pid = await childOf(bystander)
    const before = childrenOf(process.pid)

    const tether = openTether('watchdog')
    const started = childrenOf(process.pid).filter((child) => !before.includes(child))
    tether.attach(pid)
    tether[Symbol.dispose]()

    assert.equal(started.length, 1)
    for (const watchdog of started) assert.equal(await goneWithin(1000, watchdog), true)
    assert.equal(isRunning(pid), true)
    process.kill(pid)
    await bystander.ended
  })

  test('is out of reach of the terminal: in a session and a group of its own', async () => {
    const driver = drive({ tether: 'watchdog' }, WAITER)
    const pid = await pidOf(driver)
    const watchdog = await watchdogBeside(pid, driver)

    await ignoresSignals(watchdog)
    const [, , group, session] = statOf(watchdog)
    for (const signal of ['SIGINT', 'SIGHUP', 'SIGQUIT', 'SIGTERM'] as const) {
      process.kill(watchdog, signal)
    }
    driver.process.kill('SIGKILL')

    assert.deepEqual([group, session], [String(watchdog), String(watchdog)])
    assert.equal(await goneWithin(1000, pid), true)
    assert.equal(await goneWithin(1000, watchdog), true)
  })

  test('may be killed without harm to child or gateway', async () => {
    const driver = drive({ tether: 'watchdog' }, WAITER)
    const pid = await pidOf(driver)

    process.kill(await watchdogBeside(pid, driver), 'SIGKILL')
    process.kill(pid, 'SIGTERM')

    assert.deepEqual(await driver.ended, { status: null, signal: 'SIGTERM' })
  })
})

/** The child, once it runs and the gateway has told the watchdog of it. */
async function pidOf(driver: Driven): Promise<number> {
  await driver.saw(/running/)
  return await childOf(driver)
}

async function childOf(driven: Driven): Promise<number> {
  return Number((await driven.saw(/child (\d+)/))[1])
}

/** The open descriptors of the child, which is then ended. */
async function descriptorsBelow(driven: Driven): Promise<string[]> {
  const pid = await childOf(driven)
  const descriptors = readdirSync(`/proc/${pid}/fd`)
  process.kill(pid)
  await driven.ended
  return descriptors
}

/** The other process that the driver has started. */
async function watchdogBeside(child: number, { process: { pid = 0 } }: Driven): Promise<number> {
  const [watchdog, ...others] = childrenOf(pid).filter((started) => started !== child)
  assert.deepEqual(others, [])
  assert.ok(watchdog)
  return watchdog
}

/** Resolves once a shell has run its `trap ''`. */
async function ignoresSignals(pid: number): Promise<void> {
  for (;;) {
    const [, mask = ''] =
      /^SigIgn:\s+(\w+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? []
    if ((Number.parseInt(mask, 16) & (1 << (constants.signals.SIGTERM - 1))) !== 0) return
    await sleep(5)
  }
}
