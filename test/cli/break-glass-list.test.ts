import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { HOUR } from '../../src/domain/time.ts'
import {
  anEvent,
  anEventId,
  anEventReview,
  aStoreOfStatuses,
  aStoreWithEvents,
} from '../fixtures/break-glass.ts'
import { sentinel } from '../fixtures/break-glass-cli.ts'
import { anSSOPrincipal, NOON } from '../fixtures/policies.ts'
import { theParty } from '../fixtures/requests.ts'

/** The profiles of what is listed with `flags`: each is named for the status of its event. */
async function listed(flags: string): Promise<readonly string[]> {
  const store = await aStoreOfStatuses()
  const { stdout } = await sentinel(`breakglass list --format json ${flags}`.trim(), { store })
  return JSON.parse(stdout).map(({ profile }: { profile: string }) => profile)
}

const stdoutWindow = { columns: 80, rows: 24 }

suite('sentinel breakglass list', () => {
  test('lists what is live or to be reviewed, on 80 columns', async () => {
    const { status, stdout } = await sentinel('breakglass list', {
      store: await aStoreOfStatuses(),
      stdoutWindow,
    })
    assert.equal(status, 0)
    assert.equal(
      stdout,
      `ID        STATUS      USER       PROFILE    REASON       ENDS
liveaaaa  live        alice      live       incident     2026-01-14T12:45Z
unreview  unreviewed  alice      unreviewed  incident     2026-01-14T11:00Z
overduea  overdue     alice      overdue     incident     2026-01-11T11:00Z
`,
    )
    for (const line of stdout.split('\n')) assert.ok(line.length <= 80, line)
  })

  test('cuts names that 80 columns are not enough for', async () => {
    const invoker = { ...anEvent().invoker, user: 'bartholomew,aaaaaaaaa' }
    const event = anEvent({ invoker, profile: 'production-payments', reasonCode: 'maintenance' })
    const store = await aStoreWithEvents({ event })
    const { stdout } = await sentinel('breakglass list', { store, stdoutWindow })
    const [, row = ''] = stdout.split('\n')
    const cells = 'liveaaaa  live        bartholomew…  production-…  maintenance  2026-01-14T12:45Z'
    assert.equal(row, cells)
    assert.equal(row.length, 80)
  })

  test('cuts nothing for whoever filters lines', async () => {
    const invoker = { ...anEvent().invoker, user: 'bartholomew,aaaaaaaaa' }
    const event = anEvent({ invoker, profile: 'production-payments' })
    const { stdout } = await sentinel('breakglass list', {
      store: await aStoreWithEvents({ event }),
    })
    assert.equal(
      stdout,
      `ID                    STATUS      USER                   PROFILE              REASON       ENDS
liveaaaaaaaaaaaaaaaa  live        bartholomew,aaaaaaaaa  production-payments  incident     2026-01-14T12:45Z
`,
    )
  })

  test('names each so that its beginning will do', async () => {
    const store = await aStoreOfStatuses()
    const { stdout } = await sentinel('breakglass list', { store, stdoutWindow })
    for (const line of stdout.split('\n').slice(1, -1)) {
      const { status } = await sentinel(`breakglass show ${line.split(' ')[0]}`, { store })
      assert.equal(status, 0, line)
    }
  })

  const filters: [flags: string, profiles: string[]][] = [
    ['', ['live', 'unreviewed', 'overdue']],
    ['--status live', ['live']],
    ['--status unreviewed', ['unreviewed']],
    ['--status overdue', ['overdue']],
    ['--status reviewed', ['reviewed']],
    ['--status ended', ['ended']],
    ['--since 2h', ['live', 'unreviewed']],
    ['--since 2026-01-14T08:00:00Z', ['live', 'unreviewed', 'ended', 'reviewed']],
    ['--profile reviewed', ['reviewed']],
    ['--profile reviewed --status live', []],
    ['--user alice', ['live', 'unreviewed', 'ended', 'reviewed', 'overdue']],
    ['--user iam:111122223333/alice --status ended', ['ended']],
    ['--user bob', []],
    ['--limit 1', ['live']],
    ['--limit 1 --status overdue', ['overdue']],
    ['--limit 2 --since 100d', ['live', 'unreviewed']],
  ]
  for (const [flags, profiles] of filters) {
    test(`lists ${profiles.join(', ') || 'nothing'} with ${flags || 'no filter'}`, async () => {
      assert.deepEqual(await listed(flags), profiles)
    })
  }

  test('finds a person under each permission set', async () => {
    const store = await aStoreWithEvents(
      ...['Developer', 'Admin'].map((permissionSet, index) => ({
        event: anEvent({
          id: anEventId(permissionSet.toLowerCase()),
          invoker: theParty(anSSOPrincipal('alice', permissionSet)),
          startedAt: NOON - index * HOUR,
        }),
      })),
      { event: anEvent() },
    )
    const { stdout } = await sentinel('breakglass list --user sso:alice --format csv', { store })
    assert.match(stdout, /^id,status,.*\ndeveloper[^\n]*\nadmin[^\n]*\n$/)
  })

  test('warns of what is overdue', async () => {
    const store = await aStoreOfStatuses()
    const { stderr } = await sentinel('breakglass list --breakglass-table bg', { store })
    assert.equal(
      stderr,
      'warning: break-glass event overdueaaaaaaaaaaaaa of alice for overdue was to be reviewed ' +
        'until 2026-01-14T11:00:00Z\nhint: have it reviewed: sentinel breakglass review ' +
        'overdueaaaaaaaaaaaaa --outcome OUTCOME --comment WHY --breakglass-table bg\n',
    )
  })

  test('says that there is nothing', async () => {
    assert.match(
      (await sentinel('breakglass list')).stderr,
      /note: memory: has no break-glass event that is live or to be reviewed\n/,
    )
    assert.match(
      (await sentinel('breakglass list --user bob')).stderr,
      /note: memory: has no break-glass event that matches\n/,
    )
  })

  test('prints all of it as CSV, and what a spreadsheet would run as text', async () => {
    const event = anEvent({ justification: '=cmd|"/c calc"!A1, twenty characters' })
    const review = anEventReview(event, { at: NOON + HOUR })
    const store = await aStoreWithEvents({ event, reviews: [review] })
    const { stdout } = await sentinel('breakglass list --format csv', { store })
    const [heading, row] = stdout.split('\n')
    assert.match(heading ?? '', /^id,status,user,person,.*,review_outcome,review_comment$/)
    assert.match(row ?? '', /,"'=cmd\|""\/c calc""!A1, twenty characters",3600,on-call,/)
  })

  test('refuses what is no status, with what is near', async () => {
    const { status, stderr } = await sentinel('breakglass list --status overdeu')
    assert.equal(status, 2)
    assert.match(stderr, /unknown status "overdeu"\nhint: did you mean overdue\?/)
  })
})
