import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { constants } from 'node:os'
import { suite, test } from 'node:test'
import { exitStatus } from '../../src/child/end-like-child.ts'
import { resolveCommand } from '../../src/child/resolve-command.ts'
import { runChild } from '../../src/child/run-child.ts'
import { holdSignals } from '../../src/child/signals.ts'
import type { ChildEnd } from '../../src/ports/child-runner.ts'
import { drive, driverCommand } from '../fixtures/child/drive.ts'
import { tethers } from '../fixtures/child/tethers.ts'

const IS_LONG = Number(process.env.SENTINEL_TEST_SCALE ?? 1) >= 5

const EDGES = [0, 1, 2, 3, 5, 6, 70, 125, 126, 127, 128, 129, 130, 137, 141, 143, 200, 254, 255]
const STATUSES = IS_LONG ? Array.from({ length: 256 }, (_, status) => status) : EDGES

const SIGNALS = (
  'HUP INT QUIT ILL TRAP ABRT BUS FPE KILL USR1 SEGV USR2 PIPE ALRM TERM ' +
  'XCPU XFSZ VTALRM PROF SYS'
).split(' ')

/** Without a core file for each of them. */
const dieOf = (signal: string) => ['sh', '-c', `ulimit -c 0; kill -s ${signal} $$; sleep 9`]

for (const [tether, { skip }] of await tethers()) {
  suite(`the end of a child held by a ${tether}`, { skip }, () => {
    test(`has its status, for ${STATUSES.length} statuses`, async () => {
      for (const status of STATUSES) {
        assert.deepEqual(await run(['sh', '-c', `exit ${status}`]), { status })
      }
    })

    test('has the signal that killed it, and the status a shell gives for it', async () => {
      const expected = statusesInShell(SIGNALS.map(dieOf))

      for (const [index, signal] of SIGNALS.entries()) {
        const end = await run(dieOf(signal))
        assert.deepEqual(end, { signal: `SIG${signal}` })
        assert.equal(exitStatus(end), expected[index], signal)
      }
    })

    async function run([name = '', ...args]: string[]): Promise<ChildEnd> {
      using signals = holdSignals()
      const env = { PATH: process.env.PATH ?? '' }
      return await runChild({ command: resolveCommand(name, env), args, env, signals, tether })
    }
  })
}

suite('a gateway whose child has ended', { concurrency: 4 }, () => {
  const sample = IS_LONG ? STATUSES : [0, 1, 126, 127, 128, 130, 143, 255]
  for (const status of sample) {
    test(`exits with the child's status ${status}`, async () => {
      assert.deepEqual(await drive({}, ['sh', '-c', `exit ${status}`]).ended, {
        status,
        signal: null,
      })
    })
  }

  for (const signal of ['INT', 'TERM', 'HUP']) {
    test(`dies of ${signal} itself when the child did`, async () => {
      assert.deepEqual(await drive({}, dieOf(signal)).ended, {
        status: null,
        signal: `SIG${signal}`,
      })
    })
  }

  const others = SIGNALS.filter((signal) => !['INT', 'TERM', 'HUP'].includes(signal))
  for (const signal of IS_LONG ? others : ['QUIT', 'KILL', 'SEGV', 'USR1']) {
    test(`exits with 128 + n when the child was killed by ${signal}`, async () => {
      const status = 128 + constants.signals[`SIG${signal}` as NodeJS.Signals]
      assert.deepEqual(await drive({}, dieOf(signal)).ended, { status, signal: null })
    })
  }

  test('gives a shell the same statuses as the command alone', () => {
    const commands = [...['HUP', 'INT', 'TERM', 'QUIT', 'KILL'].map(dieOf), ['sh', '-c', 'exit 3']]

    const gated = statusesInShell(commands.map((command) => driverCommand({}, command)))

    assert.deepEqual(gated, statusesInShell(commands))
  })

  test('is status 127 for a command that is not there, and 126 for a directory', async () => {
    const missing = drive({}, ['no-such-command-here'])
    const directory = drive({}, ['/tmp'])

    assert.equal((await missing.ended).status, 127)
    assert.match(missing.output(), /no such command: "no-such-command-here"/)
    assert.equal((await directory.ended).status, 126)
  })
})

/** What `$?` is after each of `commands` in a shell. */
function statusesInShell(commands: readonly string[][]): number[] {
  return commands.map((command) => {
    const args = ['-c', '"$@"; echo "$?"', 'sh', ...command]
    const { stdout } = spawnSync('sh', args, {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    })
    assert.match(stdout, /^\d+\n$/)
    return Number(stdout)
  })
}
