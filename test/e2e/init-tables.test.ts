import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { suite, test } from 'node:test'
import { BINARY, openScene, POLICY, type Scene } from '../fixtures/scene.ts'

const STORED = `${POLICY}stores: { sessions: "dynamodb:eu-west-1:of-the-policy" }\n`

const SCRIPT = '/usr/bin/script'

const asked = (scene: Scene) => scene.aws.journal.length

suite('init tables', () => {
  test('asks first, and without anybody to ask it is an error that names --yes', async () => {
    await using scene = await openScene()
    for (const flags of [[], ['--no-interaction']]) {
      const { status, stdout, stderr } = await scene.sentinel(['init', 'tables', ...flags])
      assert.equal(status, 5)
      assert.equal(stdout, '')
      assert.match(stderr, /^error: this needs a yes, and nobody can be asked\nhint: .*--yes$/m)
    }
    assert.equal(asked(scene), 0)
  })

  const terminal = { skip: !existsSync(SCRIPT) && 'needs script of util-linux' }
  test(
    'asks on the terminal, where Enter is a no and Ctrl-C an interruption',
    terminal,
    async () => {
      await using scene = await openScene()
      for (const [keys, message] of Object.entries({
        '\r': /error:.* nothing was created: the answer was no/,
        '\x03': /error:.* the question was not answered/,
      })) {
        const line = `${BINARY} init tables --region eu-west-1`
        const running = scene.launch([SCRIPT, '-qfec', line, '/dev/null'])
        await running.saw(/Create dynamodb:eu-west-1:sentinel-sessions/)
        running.process.stdin?.write(keys)
        const { status, stdout } = await running.ended
        assert.equal(status, 130)
        assert.match(stdout, message)
      }
      assert.equal(asked(scene), 0)
    },
  )

  test('--plan prints what would be created, and asks AWS for nothing', async () => {
    await using scene = await openScene()
    const args = ['init', 'tables', '--plan', '--aws-profile', 'base']
    const { status, stdout } = await scene.sentinel(args)
    assert.equal(status, 0)
    assert.match(stdout, /^dynamodb:eu-central-1:sentinel-sessions: would be created/)
    assert.match(stdout, /gsi-live: live, started_at \(keys only\)/)
    assert.match(stdout, /^dynamodb:eu-central-1:sentinel-breakglass: would be created/m)
    assert.match(stdout, /gsi-open: open, created_at \(keys only\)/)
    const wide = stdout.split('\n').filter((line) => line.length > 80)
    assert.deepEqual(wide, [], 'what is broader than a terminal')

    const json = await scene.sentinel([...args, '--output', 'json'])
    const { tables } = JSON.parse(json.stdout)
    assert.partialDeepStrictEqual(tables, [
      {
        keeps: 'sessions',
        name: 'sentinel-sessions',
        region: 'eu-central-1',
        key: 'id',
        ttl_attribute: 'ttl',
        outcome: 'planned',
      },
      { keeps: 'requests', name: 'sentinel-requests' },
      { keeps: 'break_glass', name: 'sentinel-breakglass' },
    ])
    assert.equal(tables[0].indexes.length, 5)
    assert.equal(asked(scene), 0)
  })

  test('--format prints a template, and asks AWS for nothing, with no profile at all', async () => {
    await using scene = await openScene({ config: '', credentials: '' })
    const terraform = await scene.sentinel(['init', 'tables', '--format', 'terraform'])
    assert.match(terraform.stdout, /^resource "aws_dynamodb_table" "sentinel_sessions" \{$/m)
    assert.match(terraform.stdout, /"sentinel_requests" \{$.*"sentinel_break_glass" \{$/ms)
    const args = ['init', 'tables', '--format', 'cloudformation', '--request-table', 'mine']
    const { Resources } = JSON.parse((await scene.sentinel(args)).stdout)
    assert.deepEqual(Object.keys(Resources), ['SentinelRequests'], 'only what a flag names')
    assert.equal(Resources.SentinelRequests.Properties.TableName, 'mine')
    assert.equal(asked(scene), 0)
  })

  test('--iam prints the policy of a role, and asks AWS for nothing', async () => {
    await using scene = await openScene({ config: '', credentials: '' })
    const arn = 'arn:aws:dynamodb:eu-central-1:444455556666:table/mine'
    const flags = ['--request-table', arn, '--breakglass-table', 'theirs']
    const { status, stdout, stderr } = await scene.sentinel(
      ['init', 'tables', '--iam', 'approver', '--region', 'eu-west-1', ...flags],
      { env: { SENTINEL_POLICY: undefined } },
    )
    assert.equal(status, 0, stderr)
    const { Statement } = JSON.parse(stdout)
    const [review] = Statement.filter(({ Sid }: { Sid: string }) => Sid === 'Review')
    assert.deepEqual(review.Resource, [arn])
    assert.deepEqual(review.Condition['ForAllValues:StringLike']['dynamodb:LeadingKeys'], [
      ['review#*#$', '{aws:userid}'].join(''),
      'outbox#*',
    ])
    assert.match(stdout, /"arn:aws:dynamodb:eu-west-1:ACCOUNT:table\/theirs"/)
    assert.match(stderr, /^note: .*number of the account.*ACCOUNT$/m)
    assert.equal(asked(scene), 0)
  })

  test('leaves out what the policy keeps elsewhere, and says so', async () => {
    const policy = `${POLICY}stores: { sessions: local, requests: "dynamodb:eu-west-1:asked" }\n`
    await using scene = await openScene({ policy })
    const args = ['init', 'tables', '--plan', '--region', 'eu-central-1', '--output', 'json']
    const { status, stdout, stderr } = await scene.sentinel(args)
    assert.equal(status, 0, stderr)
    const names = JSON.parse(stdout).tables.map(({ location }: { location: string }) => location)
    assert.deepEqual(names, [
      'dynamodb:eu-west-1:asked',
      'dynamodb:eu-central-1:sentinel-breakglass',
    ])
    assert.match(stderr, /^note: sessions are kept in local, which is no table$/m)
  })

  test('takes the table of a flag, else of the policy, else of the settings', async () => {
    const places: Record<string, [string[], string, Record<string, string | undefined>]> = {
      'a flag': [['--session-table', 'eu-north-1:of-the-flag'], 'eu-north-1:of-the-flag', {}],
      'a location': [['--session-store', 'dynamodb:of-the-flag'], 'us-east-2:of-the-flag', {}],
      'the policy': [[], 'eu-west-1:of-the-policy', {}],
      'a setting': [[], 'eu-west-2:of-the-setting', { SENTINEL_POLICY: undefined }],
    }
    await using scene = await openScene({ policy: STORED })
    for (const [who, [flags, location, env]] of Object.entries(places)) {
      const { stdout, stderr } = await scene.sentinel(
        ['init', 'tables', '--plan', '--region', 'us-east-2', ...flags],
        { env: { SENTINEL_SESSION_STORE: 'dynamodb:eu-west-2:of-the-setting', ...env } },
      )
      assert.ok(stdout.startsWith(`dynamodb:${location}: `), `${who}: ${stdout}${stderr}`)
    }
  })

  test('makes a table of anchors where log_anchor, or a flag, names one', async () => {
    await using scene = await openScene()
    const plan = async (...flags: string[]) => {
      const env = flags.length > 0 ? {} : { SENTINEL_LOG_ANCHOR: 'dynamodb:eu-west-1:heads' }
      const args = ['init', 'tables', '--plan', '--region', 'eu-west-1', ...flags]
      const { stdout } = await scene.sentinel([...args, '--output', 'json'], { env })
      const { tables } = JSON.parse(stdout) as { tables: { keeps: string; location: string }[] }
      return tables.map(({ keeps, location }) => `${keeps} ${location}`)
    }

    const [, , , fourth] = await plan()
    assert.equal(fourth, 'anchors dynamodb:eu-west-1:heads')
    assert.deepEqual(await plan('--anchor-table', 'mine'), ['anchors dynamodb:eu-west-1:mine'])
  })

  test('does not read a policy in SSM for a plan', async () => {
    await using scene = await openScene()
    const env = { SENTINEL_POLICY: 'ssm:/sentinel/policy' }
    const { status, stderr } = await scene.sentinel(['init', 'tables', '--plan'], { env })
    assert.equal(status, 5)
    assert.match(stderr, /^error: the policy, which may name the tables, is in SSM\nhint: /m)
    assert.equal(asked(scene), 0)
  })

  const mistakes: Record<string, [string, number, RegExp]> = {
    'a store that is no table': ['--session-store local', 2, /--session-store keeps .* no table/],
    'a table that is none': ['--session-table a/b', 2, /--session-table is not the name/],
    'two places': ['--session-table a --session-store local', 2, /both given/],
    'a table of requests that is none': ['--request-table a/b', 2, /--request-table is not the/],
    'a table of anchors that is none': ['--anchor-table a/b', 2, /--anchor-table is not the/],
    'one table for two kinds': [
      '--plan --request-table one --session-table one',
      5,
      /sessions and access requests are both to be kept in dynamodb:.*:one$/m,
    ],
    'a role nobody has': ['--iam auditor', 2, /no role .*: "auditor"/],
    'two documents': ['--iam approver --format terraform', 2, /--format and --iam are both/],
    'a format nobody has': ['--format pulumi', 2, /no format of templates: "pulumi"/],
    'a key by its bare id': ['--kms-key 0a1b', 2, /--kms-key is neither an ARN nor/],
    'a profile that is not there': ['--yes', 5, /there is no profile "default"/],
  }
  for (const [what, [flags, status, message]] of Object.entries(mistakes)) {
    test(`refuses ${what}`, async () => {
      await using scene = await openScene()
      const result = await scene.sentinel(['init', 'tables', ...flags.split(' ')])
      assert.equal(result.status, status, result.stderr)
      assert.match(result.stderr, message)
      assert.match(result.stderr, /^hint: /m)
      assert.equal(asked(scene), 0)
    })
  }
})
