import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import type { LoggedRecord } from '../../src/domain/log-record.ts'
import { aRecord, MemoryArchive } from '../fixtures/archive.ts'
import { sentinel } from '../fixtures/audit-cli.ts'

const ISSUED = aRecord({
  ...{ type: 'issued', user: 'alice', profile: 'dev', rule: 'developers' },
  ...{ reason: 'developers may use dev', request_id: 'issuedissuedissued22' },
})
const SERVED = aRecord({
  ...{ type: 'served', user: 'alice', profile: 'dev' },
  ...{ request_id: ISSUED.request_id!, count: 12 },
})
const REFUSED = aRecord({
  ...{ type: 'refused', outcome: 'refused', user: 'bob', profile: 'prod' },
  ...{ reason: 'profile prod is refused: no rule allows it' },
  request_id: 'refusedrefusedrefuse',
})
const REPEATED = aRecord({
  ...{ type: 'refused', outcome: 'refused', code: 'POLICY_DENIED', user: 'bob' },
  ...{ profile: 'prod', of: REFUSED.request_id!, repeats: 4 },
})
const FAILED = aRecord({
  ...{ type: 'refused', outcome: 'failed', profile: 'prod', reason: 'STS did not answer' },
})
const STARTED = aRecord({
  ...{ type: 'break_glass.started', user: 'alice', profile: 'prod' },
  ...{ subject_id: 'bgbgbgbgbgbgbgbgbgbg', reason_code: 'incident' },
  justification: 'the database is on fire',
})
const STOP = aRecord({ type: 'stop', exit_status: 0 })
const LONG = aRecord({
  ...{ type: 'break_glass.started', user: 'bartholomew.longfellow', seq: 8 },
  ...{ profile: 'production-payments', subject_id: 'longlonglonglonglong' },
  ...{ reason_code: 'incident', justification: 'a'.repeat(1000) },
})

const ALL = [ISSUED, SERVED, REFUSED, REPEATED, FAILED, STARTED, STOP]

suite('records of the log in rows', () => {
  test('cuts nothing for whoever filters lines, and says each thing once', async () => {
    const archive = new MemoryArchive(ALL)
    const { status, stdout, stderr } = await sentinel(['audit', 'show'], { archive })
    assert.equal(status, 0)
    assert.equal(stderr, '')
    assert.equal(
      stdout,
      `\
TIME                  WHAT                 USER      PROFILE  ID                    WHY
2026-01-14T12:00:00Z  issued               alice     dev      issuedissuedissued22  developers: developers may use dev
2026-01-14T12:00:00Z  served ×12           alice     dev      issuedissuedissued22  credentials of issuedissuedissued22
2026-01-14T12:00:00Z  refused              bob       prod     refusedrefusedrefuse  no rule allows it
2026-01-14T12:00:00Z  refused ×4           bob       prod     -                     as refusedrefusedrefuse: POLICY_DENIED
2026-01-14T12:00:00Z  failed               -         prod     -                     STS did not answer
2026-01-14T12:00:00Z  break_glass.started  alice     prod     bgbgbgbgbgbgbgbgbgbg  incident: the database is on fire
`,
    )
  })

  test('fits a terminal of 80 columns, with why in a line of its own', async () => {
    const { stdout } = await sentinel(['audit', 'show', '--all'], {
      archive: new MemoryArchive([...ALL, LONG]),
      stdoutWindow: { columns: 80, rows: 24 },
    })
    assert.equal(
      stdout,
      `\
TIME                  WHAT                 USER      PROFILE  ID
2026-01-14T12:00:00Z  issued               alice     dev      issuedis
  developers: developers may use dev
2026-01-14T12:00:00Z  served ×12           alice     dev      issuedis
  credentials of issuedissuedissued22
2026-01-14T12:00:00Z  refused              bob       prod     refusedr
  no rule allows it
2026-01-14T12:00:00Z  refused ×4           bob       prod     -
  as refusedrefusedrefuse: POLICY_DENIED
2026-01-14T12:00:00Z  failed               -         prod     -
  STS did not answer
2026-01-14T12:00:00Z  break_glass.started  alice     prod     bgbgbgbg
  incident: the database is on fire
2026-01-14T12:00:00Z  stop                 -         -        -
  exit status 0
2026-01-14T12:00:00Z  break_glass.started  bartholomew.…  production-…  longlong
  incident: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa…
`,
    )
  })

  for (const columns of [20, 48, 79, 80, 100, 120, 200]) {
    test(`has no line that is wider than a terminal of ${columns} columns`, async () => {
      const { stdout } = await sentinel(['audit', 'show', '--all'], {
        archive: new MemoryArchive([...ALL, LONG]),
        stdoutWindow: { columns, rows: 24 },
      })
      for (const line of stdout.split('\n')) assert.ok(line.length <= columns, line)
      assert.match(stdout, columns < 48 ? /incident: / : /break_glass\.started/)
    })
  }

  test('has why in the same line where there is room', async () => {
    const { stdout } = await sentinel(['audit', 'show', '--type', 'issued'], {
      archive: new MemoryArchive(ALL),
      stdoutWindow: { columns: 120, rows: 40 },
    })
    assert.equal(
      stdout,
      `\
TIME                  WHAT                 USER      PROFILE  ID        WHY
2026-01-14T12:00:00Z  issued               alice     dev      issuedis  developers: developers may use dev
`,
    )
  })

  const reasons: [record: Partial<LoggedRecord>, why: string][] = [
    [{ reason: 'rule "r 1" allows it: as ever', rule: 'r 1' }, 'r 1: as ever'],
    [{ reason: 'rule "r" allows it', rule: 'r' }, 'r'],
    [
      { type: 'refused', reason: 'profile p is refused: rule "r" denies it', rule: 'r' },
      'r denies it',
    ],
    [
      { ...{ basis: 'approval', grant_id: 'grant', rule: 'r' }, reason: 'approval grant lifts it' },
      'approval grant lifts it',
    ],
    [
      { ...{ basis: 'approval', grant_id: 'grant', rule: 'r' }, reason: 'so it is' },
      'r: approval grant: so it is',
    ],
    [{ type: 'witness', heads: { mzxw6ytboi3damrqgaya: '1:ab' } }, '1 other stream'],
  ]
  for (const [record, why] of reasons) {
    test(`says why, each thing once: ${why}`, async () => {
      const archive = new MemoryArchive([aRecord({ type: 'issued', profile: 'p', ...record })])
      const { stdout } = await sentinel(['audit', 'show', '--all'], { archive })
      assert.equal(
        stdout
          .trimEnd()
          .split('\n')[1]
          ?.replace(/^.* - {2,}/, ''),
        why,
      )
    })
  }
})
