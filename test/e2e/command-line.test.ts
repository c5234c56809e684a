import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { suite, test } from 'node:test'
import { BINARY, openScene, type Scene } from '../fixtures/scene.ts'

/** One scene for a suite: nothing in it is changed by a command line that is refused. */
const REFUSED: Record<string, [line: string, error: RegExp, hint: RegExp]> = {
  'a command that is nearly one': ['exce dev', /unknown command "exce"/, /sentinel exec$/],
  'a command that is none': ['frobnicate', /unknown command "frobnicate"/, /sentinel --help/],
  'half a command': ['policy', /unknown command "policy"/, /validate, schema, explain/],
  'a command of a group that is nearly one': [
    'policy vaildate',
    /unknown command "policy vaildate"/,
    /validate/,
  ],
  'an option that is nearly one': ['exec dev --sever', /unknown option --sever/, /--server/],
  'an option of another command': [
    'whoami dev --server',
    /--server is not an option of whoami/,
    /sentinel whoami --help/,
  ],
  'a letter that is no option': ['exec -z dev', /unknown option -z/, /exec --help/],
  'an option twice': ['exec -s -s dev', /-s is given twice/, /./],
  'a value that is forgotten': ['exec dev --duration', /--duration needs a value/, /./],
  'an option in the place of a value': [
    'exec dev --policy --server',
    /--policy needs a value/,
    /./,
  ],
  'an empty value': ['exec dev --duration=', /--duration needs a value/, /./],
  'a value for a switch': ['exec --server=yes dev', /--server takes no value/, /./],
  'a required option that is missing': ['credentials', /--profile is required/, /./],
  'a command without --': ['exec dev true', /unexpected argument "true"/, /-- true/],
  'words behind -- where there is no command': ['whoami dev -- true', /nothing behind --/, /./],
  'no profile': ['exec -- true', /no profile is given/, /profile/],
  'two profiles': ['exec dev --profile prod', /two profiles are given: dev and prod/, /name one/],
  'two policies': [
    'exec dev --policy a --policy-parameter /b',
    /--policy and --policy-parameter are both given/,
    /./,
  ],
  '--server with --no-session': ['exec -s -n dev', /--server and --no-session contradict/, /./],
  '--duration with --server': ['exec -s -d 1h dev', /--duration is for one/, /--server-duration/],
  '--server-duration without --server': [
    'exec --server-duration 15m dev',
    /--server-duration needs --server/,
    /./,
  ],
  '--lazy without --server': ['exec --lazy dev', /--lazy needs --server/, /./],
  '--server-port without --server': ['exec --server-port 80 dev', /needs --server/, /./],
  'a port that is none': ['exec -s --server-port 65536 dev', /not a port: "65536"/, /./],
  'a duration that is none': ['exec -d soon dev', /not a duration: "soon"/, /15m/],
  'a duration that STS does not have': ['exec -d 5m dev', /5m is not possible/, /15m to 12h/],
  'a form of results that is nearly one': [
    '--output jsn whoami dev',
    /"jsn" is not text or json/,
    /json/,
  ],
  'a format that is nearly one': ['export dev --format jsn', /unknown format "jsn"/, /json/],
  'a mode that is nearly one': ['policy explain dev --mode sever', /mode "sever"/, /server/],
  'a time without a zone': ['policy explain dev --at 2026-01-14T23:00', /--at is not a time/, /Z/],
}

suite('a command line with', { concurrency: 2 }, () => {
  for (const [what, [line, error, hint]] of Object.entries(REFUSED)) {
    test(`${what} is refused, and AWS not asked`, async () => {
      await using scene = await openScene()

      const result = await scene.sentinel(line.split(' '), { isPlain: true })

      assert.deepEqual([result.status, result.stdout], [2, ''])
      const [first = '', second = '', ...more] = result.stderr.trimEnd().split('\n')
      assert.match(first, /^error: /)
      assert.match(first, error)
      assert.match(second, /^hint: /)
      assert.match(second, hint)
      assert.deepEqual(more, [])
      assert.deepEqual(scene.aws.journal, [])
    })
  }

  test('a profile that is nearly one is refused with those that are', async () => {
    await using scene = await openScene()
    const result = await scene.sentinel(['exec', 'prodd', '--', 'true'], { isPlain: true })
    assert.equal(result.status, 5)
    assert.match(result.stderr, /^error: .*"prodd"\nhint: .*"prod"$/m)
  })

  test('a mistake prints no colours, and a terminal gets them unless it asks not to', async (t) => {
    if (!existsSync('/usr/bin/script')) return t.skip('needs script of util-linux')
    await using scene = await openScene()
    const inTerminal = (line: string, env = {}) =>
      scene.run(['/usr/bin/script', '-qfec', `${BINARY} ${line}`, '/dev/null'], { env })

    const [piped, colored, asked, told] = await Promise.all([
      scene.sentinel(['frobnicate'], { isPlain: true }),
      inTerminal('frobnicate'),
      inTerminal('frobnicate', { NO_COLOR: '1' }),
      inTerminal('--no-color frobnicate'),
    ])

    const colour = '\u001b['
    assert.ok(colored.stdout.includes(colour))
    for (const text of [piped.stderr, asked.stdout, told.stdout]) {
      assert.match(text, /error: unknown command/)
      assert.ok(!text.includes(colour))
    }
  })
})

suite('help', { concurrency: 2 }, () => {
  test('names every command, and each has a page with options that it takes', async () => {
    await using scene = await openScene()
    const { status, stdout } = await scene.sentinel(['--help'], { isPlain: true })
    assert.equal(status, 0)
    const commands = commandsOf(stdout)
    assert.ok(commands.length >= 9)

    const pages = await pagesOf(scene, commands)

    for (const [index, page] of pages.entries()) {
      assert.ok(page.includes(`$ sentinel ${commands[index]}`), page)
      assert.match(page, /^Examples:$/m)
      assert.doesNotMatch(page, /default: true| $/m)
    }
  })

  test('has examples whose command lines are understood', async () => {
    await using scene = await openScene()
    const { stdout } = await scene.sentinel(['--help'], { isPlain: true })
    const pages = await pagesOf(scene, commandsOf(stdout))
    const examples = pages.flatMap((page) => [
      ...page.slice(page.indexOf('Examples:')).matchAll(/^ +\$ sentinel (.+)$/gm),
    ])
    assert.ok(examples.length >= 12)

    for (const [, line = ''] of examples) {
      // Goes on until it is interrupted.
      if (line.includes('--follow')) continue
      const { status, stderr } = await scene.sentinel(line.split(' '))
      // Refused, or its command not installed, is as good as done: only the words are in question.
      assert.notEqual(status, 2, `${line}: ${stderr}`)
      assert.doesNotMatch(stderr, /^bug:/m)
    }
  })

  test('is what a command line without words gets', async () => {
    await using scene = await openScene()
    const results = await Promise.all(
      [[], ['--help'], ['-h']].map((words) => scene.sentinel(words, { isPlain: true })),
    )
    for (const result of results) assert.deepEqual(result, results[0])
  })

  test('--version names version, commit and runtime, before or after other words', async () => {
    await using scene = await openScene()
    const lines = [['--version'], ['--quiet', '--version'], ['exec', '--version']]
    const results = await Promise.all(lines.map((line) => scene.sentinel(line, { isPlain: true })))
    for (const { status, stdout, stderr } of results) {
      assert.deepEqual([status, stderr], [0, ''])
      assert.match(stdout, /^sentinel \d+\.\d+\.\d+ \(commit \S+, node v26\.\d+\.\d+\)\n$/)
    }
  })

  test("--help and --version of the command's own are left to it", async () => {
    await using scene = await openScene()
    const { stdout } = await scene.sentinel(['exec', 'dev', '--', 'echo', 'a', '--help', '-h'])
    assert.equal(stdout, 'a --help -h\n')
  })
})

suite('--output json', { concurrency: 2 }, () => {
  const shapes: Record<string, [line: string, keys: string[]]> = {
    whoami: [
      'whoami dev',
      [
        ...['profile', 'principal', 'user_id', 'kind', 'account', 'person', 'matched_by'],
        ...['source_identity', 'role', 'stamped'],
      ],
    ],
    'policy explain': [
      'policy explain dev',
      ['policy', 'asked', 'decision', 'rules', 'bound_to', 'nearest', 'approval', 'break_glass'],
    ],
    'policy validate': [
      'policy validate policy.yaml',
      ['valid', 'reference', 'sha256', 'rules', 'warnings'],
    ],
  }
  for (const [command, [line, keys]] of Object.entries(shapes)) {
    test(`of ${command} is one JSON document with the same keys each time`, async () => {
      await using scene = await openScene()
      const { status, stdout } = await scene.sentinel([...line.split(' '), '--output', 'json'])
      assert.equal(status, 0)
      assert.deepEqual(Object.keys(JSON.parse(stdout)), keys)
    })
  }
})

suite('--quiet', () => {
  test('keeps notes back, and neither errors nor results', async () => {
    await using scene = await openScene()
    const long = ['-d', '8h', 'dev', '--', 'echo', 'done']

    const loud = await scene.sentinel(['exec', ...long])
    const quiet = await scene.sentinel(['--quiet', 'exec', ...long])
    const refused = await scene.sentinel(['--quiet', 'exec', 'prod', '--', 'true'])

    assert.match(loud.stderr, /^note: /m)
    assert.doesNotMatch(quiet.stderr, /^note: /m)
    assert.equal(quiet.stdout, 'done\n')
    assert.match(refused.stderr, /^error: .*\nhint: /m)
  })
})

suite('exec inside exec', { concurrency: 2 }, () => {
  const inner = (...flags: string[]) => {
    const gate = `"$SENTINEL" --allow-endpoint-override exec ${flags.join(' ')} dev`
    return ['exec', '--keep-aws-config', 'dev', '--', 'sh', '-c', `${gate} -- sh -c 'exit 4'`]
  }

  test('is refused, and says inside of what', async () => {
    await using scene = await openScene()
    const { status, stderr } = await scene.sentinel(inner())
    assert.equal(status, 2)
    assert.match(
      stderr,
      /^error: already inside sentinel \w{20} for profile dev\nhint: .*--nested/m,
    )
    assert.equal(scene.answered('AssumeRole'), 1)
  })

  test('runs with --nested', async () => {
    await using scene = await openScene()
    const { status, stderr } = await scene.sentinel(inner('--nested'))
    assert.equal(status, 4, stderr)
    assert.equal(scene.answered('AssumeRole'), 2)
  })
})

/** The commands that the first page of help lists, without their arguments. */
function commandsOf(help: string): string[] {
  const list = help.slice(help.indexOf('Commands:'), help.indexOf('For more info'))
  return [...list.matchAll(/^ {2}([a-z][a-z ]*[a-z]) /gm)].map(([, name = '']) => name)
}

async function pagesOf(scene: Scene, commands: readonly string[]): Promise<string[]> {
  const pages = commands.map(async (command) => {
    const result = await scene.sentinel([...command.split(' '), '--help'], { isPlain: true })
    assert.equal(result.status, 0)
    return result.stdout
  })
  return Promise.all(pages)
}
