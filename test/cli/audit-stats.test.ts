import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { aRecord, MemoryArchive } from '../fixtures/archive.ts'
import { sentinel } from '../fixtures/audit-cli.ts'

const issued = (user: string, more = {}) =>
  aRecord({
    ...{ type: 'issued', outcome: 'issued', user, profile: 'dev', rule: 'developers' },
    ...{ effect: 'allow', request_id: user, ...more },
  })
const refused = (user: string, more = {}) =>
  aRecord({
    ...{ type: 'refused', outcome: 'refused', code: 'POLICY_DENIED', user, profile: 'prod' },
    ...{ effect: 'deny', request_id: user, time: '2026-01-14T09:30:00.000Z', ...more },
  })
const RECORDS = [
  issued('alice'),
  aRecord({ type: 'served', profile: 'dev', request_id: 'alice', count: 1200 }),
  ...[issued('alice'), issued('alice'), refused('alice')],
  refused('bob'),
  aRecord({ type: 'refused', outcome: 'refused', profile: 'prod', of: 'bob', repeats: 1 }),
  refused('bob', { outcome: 'failed', code: 'STS_UNAVAILABLE' }),
]

const archive = () => new MemoryArchive(RECORDS)

suite('sentinel audit stats', () => {
  test('counts by user, profile, rule and hour', async () => {
    const { status, stdout, stderr } = await sentinel(['audit', 'stats'], { archive: archive() })
    assert.equal(status, 0)
    assert.equal(stderr, '')
    assert.equal(
      stdout,
      `\
2026-01-14T09:30:00Z to 2026-01-14T12:00:00Z

TOTAL             ISSUED  SERVED  REFUSED  FAILED
                       3    1200        3       1

USER              ISSUED  SERVED  REFUSED  FAILED
alice                  3    1200        1       0
bob                    0       0        2       1

PROFILE           ISSUED  SERVED  REFUSED  FAILED
prod                   0       0        3       1
dev                    3    1200        0       0

RULE              ISSUED  SERVED  REFUSED  FAILED
(no rule)              0       0        3       1
developers             3    1200        0       0

HOUR (UTC)        ISSUED  SERVED  REFUSED  FAILED
09                     0       0        2       1
12                     3    1200        1       0
`,
    )
  })

  test('draws bars on a terminal, as long as it is wide', async () => {
    for (const [columns, alice, bob] of [
      [61, '████████▒▒', '▒▒▒▒▒░░░'],
      [71, '███████████████▒▒▒▒▒', '▒▒▒▒▒▒▒▒▒▒░░░░░'],
      [58, '', ''],
    ] as const) {
      const { stdout } = await sentinel(['audit', 'stats', '--by', 'user'], {
        archive: archive(),
        stdoutWindow: { columns, rows: 40 },
      })
      const rows = stdout.split('\n').filter((line) => /^(alice|bob) /.test(line))
      assert.deepEqual(
        rows.map((line) => line.slice(51)),
        [alice, bob],
      )
      assert.ok(stdout.split('\n').every((line) => line.length <= columns))
      assert.match(stdout, /\n█ issued {2}▒ refused {2}░ failed\n$/)
    }
  })

  test('shows so many rows, and the others in one', async () => {
    const records = ['a', 'b', 'c', 'd'].flatMap((user, index) =>
      Array.from({ length: 4 - index }, () => issued(user)),
    )
    const argv = ['audit', 'stats', '--by', 'user', '--limit', '2']
    const { stdout } = await sentinel(argv, { archive: new MemoryArchive(records) })
    assert.match(stdout, /\na +4 .*\nb +3 .*\n\(others\) +3 +0 +0 +0\n$/)
    const { stdout: json } = await sentinel([...argv, '--format', 'json'], {
      archive: new MemoryArchive(records),
    })
    const [section] = JSON.parse(json).sections
    assert.equal(section.rows.length, 2)
    assert.deepEqual(section.others, { issued: 3, served: 0, refused: 0, failed: 0 })
  })

  test('prints JSON with all that there is', async () => {
    const argv = ['audit', 'stats', '--by', 'rule,outcome', '--output', 'json']
    const { stdout } = await sentinel(argv, { archive: archive() })
    const zero = { issued: 0, served: 0, refused: 0, failed: 0 }
    assert.deepEqual(JSON.parse(stdout), {
      from: '2026-01-14T09:30:00.000Z',
      to: '2026-01-14T12:00:00.000Z',
      total: { issued: 3, served: 1200, refused: 3, failed: 1 },
      sections: [
        {
          by: 'rule',
          rows: [
            { ...zero, key: null, refused: 3, failed: 1 },
            { ...zero, key: 'developers', issued: 3, served: 1200 },
          ],
        },
        {
          by: 'outcome',
          rows: [
            { ...zero, key: 'issued', issued: 3 },
            { ...zero, key: 'refused POLICY_DENIED', refused: 2 },
            { ...zero, key: 'failed STS_UNAVAILABLE', failed: 1 },
            { ...zero, key: 'refused', refused: 1 },
            { ...zero, key: 'served', served: 1200 },
          ],
        },
      ],
    })
  })

  test('prints CSV without formulas, with a total', async () => {
    const records = [issued('=1+1'), issued('x', { user: undefined })]
    const { stdout } = await sentinel(['audit', 'stats', '--by', 'user', '--format', 'csv'], {
      archive: new MemoryArchive(records),
    })
    assert.equal(
      stdout,
      `by,key,sum,issued,served,refused,failed\n` +
        `user,,one,1,0,0,0\nuser,'=1+1,one,1,0,0,0\n,,total,2,0,0,0\n`,
    )
  })

  test('keeps a hostile name to its line', async () => {
    const { stdout } = await sentinel(['audit', 'stats', '--by', 'profile'], {
      archive: new MemoryArchive([issued('a', { profile: `x\n\u001b[2J${'y'.repeat(99)}` })]),
    })
    assert.match(stdout, /\nx\\n\\u001b\[2Jy+… +1 /)
  })

  test('filters as audit show does', async () => {
    const argv = ['audit', 'stats', '--user', 'bob', '--by', 'outcome', '--format', 'json']
    const { stdout } = await sentinel(argv, { archive: archive() })
    assert.deepEqual(JSON.parse(stdout).total, { issued: 0, served: 0, refused: 2, failed: 1 })
  })

  test('says when nothing matches', async () => {
    const { status, stdout, stderr } = await sentinel(['audit', 'stats', '--user', 'nobody'])
    assert.deepEqual([status, stdout], [0, ''])
    assert.equal(stderr, 'note: decisions.jsonl has no record that matches\n')
  })

  test('ends with 130 when it is interrupted', async () => {
    const interrupted = AbortSignal.abort()
    assert.equal(
      (await sentinel(['audit', 'stats'], { archive: archive(), interrupted })).status,
      130,
    )
  })

  test('refuses files of a log and a log at once', async () => {
    const { status, stderr } = await sentinel(['audit', 'stats', 'a.jsonl', '--log-file', 'b'])
    assert.equal(status, 2)
    assert.match(
      stderr,
      /^error: --log-file and files are both given\nhint: name the files alone\n/,
    )
  })

  for (const [by, message] of [
    ['users', 'unknown key "users"'],
    ['user,', 'unknown key ""'],
    ['user,rule,user', '--by names user twice'],
  ] as const) {
    test(`refuses --by ${by}`, async () => {
      const { status, stderr } = await sentinel(['audit', 'stats', '--by', by])
      assert.equal(status, 2)
      assert.equal(stderr.split('\n')[0], `error: ${message}`)
    })
  }
})
