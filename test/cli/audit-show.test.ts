import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import type { LoggedRecord } from '../../src/domain/log-record.ts'
import { HOUR, toTimestamp } from '../../src/domain/time.ts'
import { aRecord, MemoryArchive } from '../fixtures/archive.ts'
import { sentinel } from '../fixtures/audit-cli.ts'
import { NOON } from '../fixtures/policies.ts'

const ISSUED = aRecord({
  type: 'issued',
  user: 'alice',
  person: 'iam:111122223333/alice',
  profile: 'dev',
  mode: 'server',
  effect: 'allow',
  outcome: 'issued',
  basis: 'policy',
  rule: 'developers',
  rule_index: 0,
  reason: 'developers may use dev',
  policy: { reference: 'policy.yaml', sha256: 'ab' },
  request_id: 'issuedissuedissued22',
  session_id: '00000000000a11ce',
})
const SERVED = aRecord({
  ...{ type: 'served', user: 'alice', profile: 'dev', mode: 'server', seq: 2 },
  ...{ request_id: ISSUED.request_id!, count: 12, session_id: '00000000000a11ce' },
})
const REFUSED = aRecord({
  ...{ type: 'refused', outcome: 'refused', code: 'POLICY_DENIED', seq: 3 },
  ...{ user: 'bob', person: 'sso:bob', profile: 'prod', mode: 'cli', effect: 'deny' },
  ...{ basis: 'policy', reason: 'profile prod is refused: no rule allows it' },
  ...{ request_id: 'refusedrefusedrefuse', time: toTimestamp(NOON - 3 * HOUR) },
})
const REPEATED = aRecord({
  ...{ type: 'refused', outcome: 'refused', code: 'POLICY_DENIED', seq: 4 },
  ...{ user: 'bob', profile: 'prod', mode: 'cli', of: REFUSED.request_id!, repeats: 4 },
})
const FAILED = aRecord({
  ...{ type: 'refused', outcome: 'failed', code: 'STS_UNAVAILABLE', profile: 'prod', seq: 5 },
  ...{ reason: 'STS did not answer', mode: 'credential_process' },
})
const STARTED = aRecord({
  ...{ type: 'break_glass.started', user: 'alice', profile: 'prod', seq: 6 },
  ...{ subject_id: 'bgbgbgbgbgbgbgbgbgbg', reason_code: 'incident' },
  justification: 'the database is on fire',
})
const STOP = aRecord({ type: 'stop', exit_status: 0, seq: 7 })

const ALL = [ISSUED, SERVED, REFUSED, REPEATED, FAILED, STARTED, STOP]

const seqsIn = (stdout: string) => JSON.parse(stdout).map(({ seq }: LoggedRecord) => seq)

suite('sentinel audit show', () => {
  const filters: [what: string, args: string[], seqs: number[]][] = [
    ['of a user', ['--user', 'bob'], [3, 4]],
    ['of a person', ['--user', 'sso:*'], [3]],
    ['for a profile', ['--profile', 'dev'], [1, 2]],
    ['of a rule', ['--rule', 'developers'], [1]],
    ['in a mode', ['--mode', 'credential_process'], [5]],
    ['of an effect', ['--effect', 'deny'], [3]],
    ['of an outcome', ['--outcome', 'failed'], [5]],
    ['on a basis', ['--basis', 'policy'], [1, 3]],
    ['of a session', ['--session', '00000000000a'], [1, 2]],
    ['of a request, with its repeats', ['--request', 'refused'], [3, 4]],
    ['of a stamped request', ['--request', `sentinel=alice=policy=${ISSUED.request_id}`], [1, 2]],
    ['of an event', ['--request', 'bgbg'], [6]],
    ['of one type', ['--type', 'served'], [2]],
    ['of several types', ['--type', 'stop,break_glass.*,request.*'], [6, 7]],
    ['of every type', ['--all'], [1, 2, 3, 4, 5, 6, 7]],
    ['since a while ago', ['--since', '2h'], [1, 2, 4, 5, 6]],
    ['until a time', ['--until', '2026-01-14T12:00:00Z'], [3]],
    ['in a period', ['--since', '4h', '--until', '2h'], [3]],
    ['the newest', ['--limit', '2'], [5, 6]],
    ['the newest that match', ['--limit', '1', '--user', 'bob'], [4]],
    ['whatever all filters let through', ['--user', 'alice', '--profile', 'prod'], [6]],
  ]
  for (const [what, args, seqs] of filters) {
    test(`shows those ${what}: ${args.join(' ')}`, async () => {
      const argv = ['audit', 'show', '--format', 'json', ...args]
      const { status, stdout } = await sentinel(argv, { archive: new MemoryArchive(ALL) })
      assert.equal(status, 0)
      assert.deepEqual(seqsIn(stdout), seqs)
    })
  }

  test('prints whole records as JSON', async () => {
    const argv = ['audit', 'show', '--limit', '1', '--user', 'bob', '--output', 'json']
    const { stdout } = await sentinel(argv, { archive: new MemoryArchive(ALL) })
    assert.deepEqual(JSON.parse(stdout), [REPEATED])
  })

  test('marks what was taken back, and shows it only to those who ask', async () => {
    const archive = () => new MemoryArchive([ISSUED, REFUSED], [ISSUED])
    const { stdout } = await sentinel(['audit', 'show', '--annulled'], { archive: archive() })
    assert.match(stdout, / issued .* not carried out: develop/)
    const hidden = await sentinel(['audit', 'show', '--format', 'json'], { archive: archive() })
    assert.deepEqual(seqsIn(hidden.stdout), [3])
    const argv = ['audit', 'show', '--annulled', '--format', 'csv', '--type', 'issued']
    const { stdout: csv } = await sentinel(argv, { archive: archive() })
    const [names = '', values = ''] = csv.split('\n')
    assert.equal(values.split(',')[names.split(',').indexOf('annulled')], 'true')
  })

  test('prints CSV in which nothing is a formula, and nothing repaints a terminal', async () => {
    const hostile = aRecord({
      ...{
        type: 'request.created',
        user: '=HYPERLINK("http://evil.example")',
        profile: '@SUM(A1)',
      },
      justification: '-1+cmd|\u001b[2J,"x"',
      policy: { reference: '+ssm:/x', version: 3 },
    })
    const archive = new MemoryArchive([hostile])
    const { stdout } = await sentinel(['audit', 'show', '--format', 'csv'], { archive })
    const [names, ...lines] = stdout.split('\n')
    assert.match(
      names ?? '',
      /^time,type,user,person,.*,policy_reference,policy_version,.*,annulled,/,
    )
    assert.deepEqual(lines.slice(1), [''])
    assert.ok(lines[0]?.includes(`,"'=HYPERLINK(""http://evil.example"")",,,,'@SUM(A1),`), stdout)
    assert.ok(lines[0]?.includes(`,'+ssm:/x,3,`), stdout)
    assert.ok(lines[0]?.includes(`"'-1+cmd|\\u001b[2J,""x"""`), stdout)
  })

  test('prints no control character in a table, and keeps each record to its line', async () => {
    const hostile = aRecord({ type: 'issued', user: 'a\nb\u001b[2J', profile: '\u202eprod\t' })
    const odd = {
      ...hostile,
      user: 5,
      profile: null,
      rule: ['x'],
      time: {},
    } as unknown as LoggedRecord
    for (const record of [hostile, odd]) {
      const archive = new MemoryArchive([record])
      const { status, stdout } = await sentinel(['audit', 'show'], { archive })
      assert.equal(status, 0)
      assert.match(stdout, /^[^\p{Cc}\p{Bidi_Control}]*\n[^\p{Cc}\p{Bidi_Control}]*\n$/u)
    }
  })

  test('says so when nothing matches, where nobody takes it for a record', async () => {
    const { status, stdout, stderr } = await sentinel(['audit', 'show', '--user', 'nobody'])
    assert.deepEqual([status, stdout], [0, ''])
    assert.equal(stderr, 'note: decisions.jsonl has no record that matches\n')
    const { stdout: json } = await sentinel(['audit', 'show', '--format', 'json'])
    assert.equal(json, '[]\n')
  })

  test('reads the files that are named, or the log that is', async () => {
    const { selection } = await sentinel(['audit', 'show', 'old.jsonl', 'new.jsonl'])
    assert.deepEqual(selection, { files: ['old.jsonl', 'new.jsonl'], 'log-file': undefined })
    const { selection: named } = await sentinel(['audit', 'show', '--log-file', 'x.jsonl'])
    assert.deepEqual(named, { files: [], 'log-file': 'x.jsonl' })
  })

  test('parses only lines that may match', async () => {
    const archive = new MemoryArchive(ALL)
    await sentinel(['audit', 'show', '--user', 'bob'], { archive })
    assert.equal(archive.parsed, 2)
  })

  test('follows what is written, one line of JSON a record, until Ctrl-C', async () => {
    const archive = new MemoryArchive(ALL)
    const interruption = new AbortController()
    const argv = ['audit', 'show', '--follow', '--limit', '1', '--user', 'bob', '--output', 'json']
    const seen: string[] = []
    const { status, signal, stdout } = await sentinel(argv, {
      archive,
      interrupted: interruption.signal,
      reader(text) {
        seen.push(text)
        if (seen.length === 1) archive.write({ ...REFUSED, seq: 8 })
        else interruption.abort()
        return true
      },
    })
    assert.deepEqual([status, signal], [undefined, 'SIGINT'])
    assert.deepEqual(
      stdout
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line).seq),
      [4, 8],
    )
  })

  test('stops when nobody reads any more', { timeout: 5000 }, async () => {
    for (const extra of [[], ['--follow']]) {
      const archive = new MemoryArchive(ALL)
      const { status } = await sentinel(['audit', 'show', ...extra], {
        archive,
        reader: () => false,
      })
      assert.equal(status, 0)
    }
  })

  test('ends with 130 when a long reading is interrupted', async () => {
    const { status } = await sentinel(['audit', 'show'], {
      archive: new MemoryArchive(ALL),
      interrupted: AbortSignal.abort(),
    })
    assert.equal(status, 130)
  })

  test('shows on a terminal how far it has come', async () => {
    const { stderr } = await sentinel(['audit', 'show', '--user', 'nobody'], {
      archive: new MemoryArchive(ALL),
      stderrWindow: { columns: 80, rows: 24 },
    })
    assert.ok(stderr.includes('\r42 % of the decision log read\u001b[K'), stderr)
    assert.ok(stderr.includes('\r\u001b[Knote: decisions.jsonl has no record'), stderr)
  })

  const mistakes: [args: string[], message: RegExp, hint: RegExp][] = [
    [['--effect', 'alow'], /unknown effect "alow"/, /did you mean allow\?/],
    [['--outcome', 'x'], /unknown outcome "x"/, /--outcome is one of issued, refused, failed/],
    [['--basis', 'breakglass'], /unknown basis/, /did you mean break_glass\?/],
    [['--mode', 'serve'], /unknown mode/, /did you mean server\?/],
    [['--type', 'issued,refuse'], /unknown type "refuse"/, /did you mean refused\?/],
    [['--type', 'x.*'], /unknown type "x\.\*"/, /--type is one of issued, /],
    [['--since', '1d', '--until', '2d'], /--until 2d is not after --since 1d/, /counted back/],
    [['--since', 'noon'], /--since is neither/, /write 2h/],
    [['--limit', '0'], /--limit is not a number of records/, /from 1 to 100000/],
    [['--limit', '1000000'], /--limit is not a number/, /leave it out to see all/],
    [['a', '--log-file', 'b'], /--log-file and files are both given/, /name the files alone/],
    [['--all', '--type', 'stop'], /--all and --type contradict/, /leave one/],
    [['--follow', '--until', '1h'], /--follow and --until contradict/, /leave one/],
    [['--folow'], /unknown option --folow/, /did you mean --follow\?/],
  ]
  for (const [args, message, hint] of mistakes) {
    test(`refuses ${args.join(' ')}`, async () => {
      const { status, stderr } = await sentinel(['audit', 'show', ...args])
      assert.equal(status, 2)
      const [error = '', next = ''] = stderr.split('\n')
      assert.match(error, message)
      assert.match(next, hint)
    })
  }
})
