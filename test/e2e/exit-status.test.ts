import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { closedPort, openListener } from '../fixtures/e2e/loopback.ts'
import { openScene, type Scene } from '../fixtures/scene.ts'

const IS_LONG = Number(process.env.SENTINEL_TEST_SCALE ?? 1) >= 5

const ALL_STATUSES = Array.from({ length: 256 }, (_, status) => status)
const EDGES = [0, 1, 2, 3, 4, 5, 6, 70, 125, 126, 127, 128, 129, 130, 131, 137, 139, 143, 254, 255]
const STATUSES = IS_LONG
  ? ALL_STATUSES
  : ALL_STATUSES.filter((status) => EDGES.includes(status) || status % 13 === 11)

const ALL_SIGNALS = (
  'HUP INT QUIT ILL TRAP ABRT BUS FPE KILL USR1 SEGV USR2 PIPE ALRM TERM ' +
  'XCPU XFSZ VTALRM PROF SYS'
).split(' ')
const SIGNALS = IS_LONG
  ? ALL_SIGNALS
  : ['TERM', 'INT', 'HUP', 'KILL', 'SEGV', 'QUIT', 'PIPE', 'USR1']

/** How the command is run: what stands before it on the command line. */
const MODES: Record<string, string> = {
  'env mode': 'exec dev --',
  'server mode': 'exec --server dev --',
}

/** How many shells work at a time: the machine may have no more processors. */
const LANES = 2

suite('the status of exec', { concurrency: 3 }, () => {
  test('is 6 for an STS that never answers, in server mode too', async () => {
    await using scene = await openScene()
    await using silent = await openListener()
    const env = { AWS_ENDPOINT_URL: silent.url }

    const results = await Promise.all([
      scene.sentinel(['exec', 'dev', '--', 'true'], { env }),
      scene.sentinel(['exec', '--server', 'dev', '--', 'true'], { env }),
    ])

    for (const { status, stderr } of results) {
      assert.equal(status, 6, stderr)
      assertExplained(stderr, /STS did not answer/)
    }
    assert.ok(silent.received.length > 0)
  })

  for (const [mode, gate] of Object.entries(MODES)) {
    test(`is the command's, for ${STATUSES.length} of the 256 statuses, in ${mode}`, async () => {
      await using scene = await openScene()
      const commands = STATUSES.map((status) => `sh -c 'exit ${status}'`)

      const seen = await statusesInShell(scene, commands, gate)

      assert.deepEqual(seen, STATUSES)
    })

    test(`is the shell's for a command killed by ${SIGNALS.join(', ')}, in ${mode}`, async () => {
      await using scene = await openScene()
      // Without a core file for each of them.
      const commands = SIGNALS.map((name) => `sh -c 'ulimit -c 0; kill -s ${name} $$; sleep 9'`)

      const [gated, bare] = await Promise.all([
        statusesInShell(scene, commands, gate),
        statusesInShell(scene, commands),
      ])

      assert.deepEqual(gated, bare)
    })
  }

  test('is 127 for a command that is not there, and nothing is issued', async () => {
    await using scene = await openScene()

    const { status, stderr } = await scene.sentinel(['exec', 'dev', '--', 'no-such-command-here'])

    assert.equal(status, 127)
    assertExplained(stderr, /no such command: "no-such-command-here"/)
    assert.deepEqual(scene.aws.journal, [])
  })

  test('is 126 for a command that cannot be executed, and nothing is issued', async () => {
    await using scene = await openScene()
    const plain = scene.write('plain.txt', 'not a program\n')

    for (const command of [plain, scene.home]) {
      const { status, stderr } = await scene.sentinel(['exec', '--server', 'dev', '--', command])

      assert.equal(status, 126)
      assertExplained(stderr, /is not executable|is a directory/)
    }
    assert.deepEqual(scene.aws.journal, [])
  })

  test("is the shell's when no command is given", async () => {
    await using scene = await openScene()

    const { status, stdout } = await scene.sentinel(['exec', 'dev'], {
      env: { SHELL: '/bin/sh' },
      input: 'echo "$AWS_ACCESS_KEY_ID"; exit 7\n',
    })

    assert.equal(status, 7)
    assert.match(stdout, /^ASIADEMO\w+\n$/)
  })
})

interface Failure {
  readonly status: number
  readonly error: RegExp
  arrange?(scene: Scene): void
  readonly args: readonly string[]
  env?(scene: Scene): Promise<Record<string, string>>
}

/** One way to each status of the design's table, through `exec`. */
const FAILURES: Record<string, Failure> = {
  'a malformed command line': {
    status: 2,
    error: /--server and --no-session contradict/,
    args: ['exec', '--server', '--no-session', 'dev', '--', 'true'],
  },
  'a refusal by the policy': {
    status: 3,
    error: /prod is refused/,
    args: ['exec', 'prod', '--', 'true'],
  },
  'a refusal by the policy in server mode': {
    status: 3,
    error: /prod is refused/,
    args: ['exec', '--server', 'prod', '--', 'true'],
  },
  'an unknown profile': {
    status: 5,
    error: /no profile "staging"/,
    args: ['exec', 'staging', '--', 'true'],
  },
  'a policy that is not valid': {
    status: 5,
    error: /policy\.yaml/,
    arrange: (scene) => scene.write('policy.yaml', 'version: "1"\n'),
    args: ['exec', 'dev', '--', 'true'],
  },
  'a profile without base credentials': {
    status: 5,
    error: /no base credentials/,
    arrange: (scene) => scene.write('.aws/credentials', ''),
    args: ['exec', 'dev', '--', 'true'],
  },
  'base credentials that STS does not know': {
    status: 6,
    error: /STS does not know the base credentials/,
    arrange: (scene) => scene.write('.aws/credentials', UNKNOWN_KEY),
    args: ['exec', 'dev', '--', 'true'],
  },
  'an STS that is down': {
    status: 6,
    error: /STS did not answer/,
    args: ['exec', 'dev', '--', 'true'],
    env: async () => ({ AWS_ENDPOINT_URL: await closedPort() }),
  },
}

const UNKNOWN_KEY = '[base]\naws_access_key_id = AKIANOBODY\naws_secret_access_key = nothing\n'

suite('the status of exec that does not get to its command', { concurrency: 2 }, () => {
  for (const [what, { status, error, arrange, args, env }] of Object.entries(FAILURES)) {
    test(`is ${status} for ${what}`, async () => {
      await using scene = await openScene()
      arrange?.(scene)

      const result = await scene.sentinel(args, { env: (await env?.(scene)) ?? {} })

      assert.equal(result.status, status, result.stderr)
      assert.equal(result.stdout, '')
      assertExplained(result.stderr, error)
      assert.equal(scene.answered('AssumeRole'), 0)
    })
  }
})

/** One error, and neither a stack nor the word bug. */
function assertExplained(stderr: string, error: RegExp): void {
  const errors = stderr.match(/^error: .*$/gm) ?? []
  assert.equal(errors.length, 1, stderr)
  assert.match(errors[0] ?? '', error)
  assert.doesNotMatch(stderr, /^bug:|^ {4}at /m)
}

/** What `$?` is after each of `commands` in a shell, with `gate` between the two if there is one. */
async function statusesInShell(
  scene: Scene,
  commands: readonly string[],
  gate?: string,
): Promise<number[]> {
  const prefix = gate === undefined ? '' : `"$SENTINEL" --allow-endpoint-override ${gate} `
  const lines = commands.map((command, index) => `${prefix}${command}; echo "${index} $?"\n`)
  const lanes = Array.from({ length: LANES }, (_, lane) =>
    lines.filter((_, index) => index % LANES === lane).join(''),
  )
  const results = await Promise.all(lanes.map((script) => scene.run(['sh', '-c', script])))
  const statuses: number[] = []
  for (const { stdout } of results) {
    for (const [, index, status] of stdout.matchAll(/^(\d+) (\d+)$/gm)) {
      statuses[Number(index)] = Number(status)
    }
  }
  return statuses
}
