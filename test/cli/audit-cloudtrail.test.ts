import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import type { OpenedTrail } from '../../src/audit-deps.ts'
import type { CheckedPolicy } from '../../src/deps.ts'
import { HOUR, MINUTE } from '../../src/domain/time.ts'
import { SentinelError } from '../../src/errors.ts'
import type { Trail } from '../../src/ports/trail.ts'
import { MemoryArchive } from '../fixtures/archive.ts'
import { sentinel } from '../fixtures/audit-cli.ts'
import { aPolicy, NOON } from '../fixtures/policies.ts'
import { FakeTrail, issued, PROD, recordedEvent } from '../fixtures/trail.ts'

const policy: CheckedPolicy = {
  reference: 'policy.yaml',
  sha256: 'ab',
  policy: aPolicy({
    profiles: [
      { profile: 'prod', role: PROD },
      { profile: 'dev*', role: 'arn:aws:iam::444455556666:role/team/*' },
    ],
  }),
  problems: [],
  warnings: [],
}
const noPolicy = new SentinelError('CONFIG_INVALID', 'no policy is configured')

const trailOf = (trail: Trail, account = '444455556666'): OpenedTrail => ({
  trail,
  account,
  regions: ['eu-central-1', 'us-east-1'],
})

const SIX = ['stamped', 'unstamped', 'chained', 'copied-stamp', 'service', 'denied-with-parameters']

/** A world of every kind of session, and an issuance that nobody saw. */
const aWorld = (names = SIX) => ({
  policy,
  archive: new MemoryArchive([
    issued(),
    issued({
      request_id: 'aaaaaaaaaaaaaaaaaa22',
      access_key_id: 'ASIAEXAMPLENEVER0001',
      time: '2026-01-14T10:00:00.000Z',
      user: 'bob',
      seq: 3,
    }),
  ]),
  trail: trailOf(new FakeTrail(names.map((name) => recordedEvent(name)))),
})

const run = (args: readonly string[], scene: Parameters<typeof sentinel>[1] = aWorld()) =>
  sentinel(['audit', 'cloudtrail', ...args], scene)

suite('sentinel audit cloudtrail', () => {
  test('shows what is unmanaged first, in 80 columns, and ends with 1', async () => {
    const { status, stdout, stderr } = await run([])
    assert.equal(status, 1)
    assert.equal(
      stdout,
      `\
SESSION     TIME               ROLE                      BY
unmanaged   2026-01-14T11:40Z  444455556666/Prod         lambda.amazonaws.com
unmanaged   2026-01-14T11:10Z  444455556666/Prod         user/mallory
claimed     2026-01-14T11:55Z  444455556666/Prod         user/mallory
chained     2026-01-14T11:20Z  444455556666/Deploy       alice
never seen  2026-01-14T10:00Z  444455556666/Prod         bob
managed     2026-01-14T11:00Z  444455556666/Prod         alice
`,
    )
    assert.equal(
      stderr,
      `\
note: 2 unmanaged, 1 claimed, 1 chained, 1 never seen, 1 managed; 1 call that failed
note: looked at 6 events of 444455556666 in eu-central-1, us-east-1, 2026-01-13T12:00:00Z to 2026-01-14T12:00:00Z
warning: 1 session with a stamp for which the log does not vouch: another machine's log may, or it is forged
hint: give the logs of other machines too: sentinel audit cloudtrail FILE…
`,
    )
  })

  test('fits a terminal of 80 columns, however long names are, and cuts nothing elsewhere', async () => {
    const long = 'x'.repeat(64)
    const event = recordedEvent('unstamped', {
      roleArn: `arn:aws:iam::444455556666:role/team/${long}`,
      caller: `arn:aws:sts::111122223333:assumed-role/${long}/${long}`,
    })
    const world = { ...aWorld(), trail: trailOf(new FakeTrail([event])) }
    const shown = await run([], { ...world, stdoutWindow: { columns: 80, rows: 24 } })
    const lengths = shown.stdout.split('\n').map(({ length }) => length)
    assert.equal(Math.max(...lengths), 80)
    const { stdout } = await run([], world)
    assert.ok(stdout.includes(` 444455556666/${long}  assumed-role/${long}/${long}\n`), stdout)
  })

  test('ends with 0 when all is managed', async () => {
    const { status, stderr } = await run([], aWorld(['stamped', 'chained']))
    assert.equal(status, 0)
    assert.match(stderr, /note: 0 unmanaged, 1 chained, 1 never seen, 1 managed\n/)
  })

  test('ends with 1 for a stamp alone that the log does not vouch for', async () => {
    const { status, stderr } = await run([], { ...aWorld(['copied-stamp']) })
    assert.equal(status, 1)
    assert.match(stderr, /0 unmanaged, 1 claimed/)
  })

  test('ends with 6 when what could not be read may be anything, unless more is known', async () => {
    const unreadable = { ...aWorld(), trail: trailOf(new FakeTrail(['unreadable'])) }
    const { status, stderr } = await run([], unreadable)
    assert.equal(status, 6)
    assert.match(
      stderr,
      /warning: 6 events could not be read, and may be unmanaged sessions\nhint: /,
    )
    const both = new FakeTrail(['unreadable', recordedEvent('unstamped')])
    assert.equal((await run([], { ...aWorld(), trail: trailOf(both) })).status, 1)
  })

  test('prints JSON with everything that is known of a session', async () => {
    const { stdout } = await run(['--format', 'json'], aWorld(['copied-stamp', 'stamped']))
    const [claimed, , managed] = JSON.parse(stdout)
    assert.deepEqual(claimed, {
      status: 'claimed',
      time: '2026-01-14T11:55:00.000Z',
      role_arn: PROD,
      user: null,
      profile: null,
      request_id: null,
      caller: 'arn:aws:iam::111122223333:user/mallory',
      detail: 'request mzxw6ytboi3damrqgaya was issued at another time, with another access key',
      access_key_id: 'ASIAEXAMPLEFORGED011',
      session_name: 'alice-mzxw6ytboi3damrqgaya',
      source_identity: 'sentinel=alice=policy=mzxw6ytboi3damrqgaya',
      caller_source_identity: null,
      caller_access_key_id: 'AKIAEXAMPLEMALLORY01',
      event: 'AssumeRole',
      event_id: '7f1c2d3e-4a5b-4c6d-8e7f-000000000011',
      region: 'eu-central-1',
      source_ip: '203.0.113.7',
      user_agent: recordedEvent('copied-stamp').userAgent,
    })
    assert.partialDeepStrictEqual(managed, {
      status: 'managed',
      time: '2026-01-14T11:00:00.412Z',
      user: 'alice',
      profile: 'prod',
      request_id: 'mzxw6ytboi3damrqgaya',
      detail: null,
    })
  })

  test('prints CSV that no spreadsheet takes for formulas', async () => {
    const event = recordedEvent('unstamped', { sessionName: '=cmd|x', userAgent: 'a,"b"\u001b[2J' })
    const scene = { ...aWorld(), trail: trailOf(new FakeTrail([event])) }
    const { stdout } = await run(['--format', 'csv'], scene)
    const [heading, row] = stdout.split('\n')
    assert.match(heading!, /^status,time,role_arn,user,profile,request_id,caller,detail,/)
    assert.match(row!, /,'=cmd\|x,.*,"a,""b""\\u001b\[2J"$/)
  })

  test('escapes what would repaint a terminal', async () => {
    const event = recordedEvent('unstamped', { caller: 'x\u001b[2J\ny' })
    const { stdout } = await run([], { ...aWorld(), trail: trailOf(new FakeTrail([event])) })
    assert.match(stdout, / x\\u001b\[2J\\ny\n/)
  })

  test('looks in the regions of the profiles that are bound or were issued', async () => {
    const { trailSelection } = await run([])
    assert.equal(trailSelection?.regions, undefined)
    assert.deepEqual(trailSelection?.profiles, ['prod'])
  })

  test('looks in the regions that are named, and at those roles as well', async () => {
    const event = recordedEvent('unstamped', { roleArn: 'arn:aws:iam::444455556666:role/A,B' })
    const other = recordedEvent('saml', { roleArn: 'arn:aws:iam::444455556666:role/Other' })
    const scene = { ...aWorld(), trail: trailOf(new FakeTrail([event, other])) }
    const roles = 'arn:aws:iam::444455556666:role/A,B,*:role/Oth*'
    const args = ['--role', roles, '--regions', 'eu-west-1,us-gov-west-1']
    const { stdout, trailSelection } = await run(args, scene)
    assert.deepEqual(trailSelection?.regions, ['eu-west-1', 'us-gov-west-1'])
    assert.match(stdout, /unmanaged .* 444455556666\/A,B /)
    assert.match(stdout, /unmanaged .* 444455556666\/Other /)
  })

  test('reads the logs that are named, or the one of the settings', async () => {
    assert.deepEqual((await run(['a.jsonl', 'b.jsonl.gz'])).selection?.files, [
      'a.jsonl',
      'b.jsonl.gz',
    ])
    const own = (await run(['--log-file', 'x.jsonl'])).selection
    assert.deepEqual(own?.files, [])
    assert.equal(own?.['log-file'], 'x.jsonl')
  })

  test('does without a policy, and says so', async () => {
    const { policy: _, ...world } = aWorld(['stamped', 'unstamped'])
    const { status, stdout, stderr } = await run([], { ...world, policyFault: noPolicy })
    assert.equal(status, 1)
    assert.match(
      stderr,
      /warning: the policy's roles are left out: no policy is configured\nhint: /,
    )
    assert.match(stdout, /unmanaged .*user\/mallory/)
  })

  test('does not do without a policy that is named', async () => {
    const fault = new SentinelError('POLICY_NOT_FOUND', 'there is no policy in x.yaml')
    const { status, stdout } = await run(['--policy', 'x.yaml'], {
      ...aWorld(),
      policyFault: fault,
    })
    assert.equal(status, 5)
    assert.equal(stdout, '')
  })

  test('does not say that all is well where nothing is protected', async () => {
    const scene = { ...aWorld(), archive: new MemoryArchive([]), policyFault: noPolicy }
    const { status, stdout, stderr, trailSelection } = await run([], scene)
    assert.equal(status, 2)
    assert.equal(stdout, '')
    assert.match(stderr, /error: no role is known that is to be entered through Sentinel\nhint: /)
    assert.equal(trailSelection, undefined)
  })

  test('says of which roles the trail shows a part only', async () => {
    const trail = trailOf(new FakeTrail([]), '111122223333')
    const { stderr } = await run([], { ...aWorld(), trail })
    assert.match(
      stderr,
      /warning: this is the trail of account 111122223333: of roles in 444455556666 it shows only/,
    )
    assert.doesNotMatch((await run([])).stderr, /this is the trail/)
  })

  test('says how many were not looked up', async () => {
    const { stdout, stderr } = await run(['--limit-lookups', '0'], aWorld([]))
    assert.match(stdout, /^unchecked .*alice$/m)
    assert.match(stderr, /warning: 2 issuances not seen made, and not looked up\nhint: .*--limit-l/)
  })

  test('shows progress on a terminal, and takes it away', async () => {
    const scene = { ...aWorld(), stderrWindow: { columns: 80, rows: 24 } }
    const { stderr } = await run(['--format', 'csv'], scene)
    assert.match(stderr, /50 % of the decision log read/)
    assert.match(stderr, /\r\d+ events? looked at, \d sessions? of protected roles/)
    assert.ok(stderr.includes('\rlooking up access key 1 of 1\u001b[K'))
    assert.ok(stderr.includes('\r\u001b[Knote: '))
  })

  test('passes on that CloudTrail does not answer, with 6', async () => {
    const hint = 'allow cloudtrail:LookupEvents to the caller'
    const trail: Trail = {
      async *lookup() {
        yield* []
        throw new SentinelError('TRAIL_UNAVAILABLE', 'CloudTrail could not be asked', { hint })
      },
    }
    const { status, stdout, stderr } = await run([], { ...aWorld(), trail: trailOf(trail) })
    assert.equal(status, 6)
    assert.equal(stdout, '')
    assert.match(
      stderr,
      /error: CloudTrail could not be asked\nhint: allow cloudtrail:LookupEvents/,
    )
  })

  test('ends with 130 when it is interrupted', async () => {
    const interruption = new AbortController()
    const trail: Trail = {
      async *lookup(_query, signal) {
        yield* []
        interruption.abort()
        if (signal.aborted) throw new SentinelError('INTERRUPTED', 'looking was interrupted')
      },
    }
    const scene = { ...aWorld(), trail: trailOf(trail), interrupted: interruption.signal }
    assert.equal((await run([], scene)).status, 130)
  })

  const mistakes: [what: string, args: string[], stderr: RegExp][] = [
    [
      'more than 90 days',
      ['--since', '91d'],
      /error: CloudTrail keeps events for 90 days.*\nhint: /,
    ],
    [
      'a future',
      ['--since', '2026-01-15T00:00:00Z'],
      /error: --since 2026-01-15T00:00:00Z is yet to come/,
    ],
    [
      'an end before the beginning',
      ['--since', '1h', '--until', '2h'],
      /error: --until 2h is not after --since 1h\n/,
    ],
    ['a since that is no time', ['--since', 'yesterday'], /error: --since is neither/],
    ['a role that is no ARN', ['--role', 'Prod'], /error: --role is not the ARN of a role: "Prod"/],
    ['a region that is none', ['--regions', 'everywhere'], /--regions has what is no region/],
    ['lookups that are no number', ['--limit-lookups', '-1'], /--limit-lookups needs a value/],
    ['lookups of half a one', ['--limit-lookups=0.5'], /error: --limit-lookups is not a number/],
    ['an unknown format', ['--format', 'tabel'], /did you mean table\?/],
    ['a log twice', ['a.jsonl', '--log-file', 'b'], /--log-file and files are both given/],
  ]
  for (const [what, args, expected] of mistakes) {
    test(`refuses ${what}`, async () => {
      const { status, stderr, selection } = await run(args)
      assert.equal(status, 2)
      assert.match(stderr, expected)
      assert.equal(selection, undefined, 'the log was opened')
    })
  }

  test('looks until a time, and to the very 90th day', async () => {
    const trail = new FakeTrail([])
    const since = new Date(NOON - 90 * 24 * HOUR).toISOString()
    const until = new Date(NOON - HOUR).toISOString()
    await run(['--since', since, '--until', until], { ...aWorld(), trail: trailOf(trail) })
    const [query] = trail.queries
    assert.equal(query?.since, NOON - 90 * 24 * HOUR - MINUTE)
    assert.equal(query.until, NOON - HOUR + MINUTE)
  })
})
