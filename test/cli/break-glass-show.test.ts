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
import { aPrincipal, NOON } from '../fixtures/policies.ts'
import { theParty } from '../fixtures/requests.ts'

suite('sentinel breakglass show', () => {
  test('shows everything that is known of one', async () => {
    const event = anEvent({ startedAt: NOON - 2 * HOUR })
    const closed = { at: NOON - HOUR - 1000, by: 'bob', reason: 'mended' }
    const store = await aStoreWithEvents({ event, closed, reviews: [anEventReview(event)] })
    const { status, stdout, stderr } = await sentinel('breakglass show live', { store })
    assert.equal(status, 0)
    assert.equal(stderr, '')
    assert.equal(
      stdout,
      `id             liveaaaaaaaaaaaaaaaa
status         reviewed
invoker        alice (iam:111122223333/alice)
principal      arn:aws:iam::111122223333:user/alice
profile        prod
role           arn:aws:iam::444455556666:role/Prod
reason         incident
justification  orders are lost since ten to noon
duration       1h
rule           on-call
started at     2026-01-14T10:00:00Z
ended at       2026-01-14T10:59:59Z
closed         by bob at 2026-01-14T10:59:59Z: mended
review by      2026-01-17T10:59:59Z
review         justified, by carol at 2026-01-14T11:01:00Z: the pager agrees
`,
    )
  })

  test('says how to end a live one, and who reviews one that is over', async () => {
    const store = await aStoreOfStatuses()
    const live = await sentinel('breakglass show live', { store })
    assert.equal(live.stderr, 'note: to end it: sentinel breakglass close liveaaaaaaaaaaaaaaaa\n')
    const over = await sentinel('breakglass show unreviewed', { store })
    assert.match(over.stderr, /^note: to be reviewed by carol: sentinel breakglass review unrev/)
    const ended = await sentinel('breakglass show ended', { store })
    assert.equal(ended.stderr, '')
  })

  test('prints the same as JSON, reviews that do not count included', async () => {
    const event = anEvent({ startedAt: NOON - 2 * HOUR })
    const forged = anEventReview(event, { seal: '0'.repeat(64) })
    const own = anEventReview(event, { reviewer: theParty(aPrincipal()) })
    const store = await aStoreWithEvents({ event, reviews: [forged, own] })
    const { stdout } = await sentinel('breakglass show live --output json', { store })
    const { status, review_outcome, closed_by, reviews } = JSON.parse(stdout)
    assert.deepEqual([status, review_outcome, closed_by], ['unreviewed', null, null])
    assert.deepEqual(
      reviews.map(({ reviewer, counts }: Record<string, unknown>) => [reviewer, counts]),
      [
        ['carol', false],
        ['alice', false],
      ],
    )
    const text = await sentinel('breakglass show live', { store })
    assert.match(text.stdout, /^review +DOES NOT COUNT: justified, by carol at /m)
  })

  test('escapes what would repaint the terminal', async () => {
    const event = anEvent({ justification: 'x\u009b2J\nstatus         reviewed' })
    const { stdout } = await sentinel('breakglass show live', {
      store: await aStoreWithEvents({ event }),
    })
    assert.match(stdout, /^justification {2}x\\u009b2J\\nstatus +reviewed$/m)
  })

  const refusals: [what: string, id: string, exit: number, stderr: RegExp][] = [
    [
      'several ids that begin so',
      'twin',
      4,
      /error: several break-glass events begin with twin: twina+, twinb\w+\nhint: give more/,
    ],
    [
      'an id that none has',
      'z'.repeat(20),
      4,
      /no break-glass event has the id z{20}\nhint: .*list/,
    ],
    ['a beginning that none has', 'zzzz', 4, /no break-glass event begins with zzzz\n/],
    ['too few characters', 'liv', 2, /not the id of a break-glass event: "liv"\nhint: ids are 20/],
    ['what is no id', 'Alice-1', 2, /not the id of a break-glass event: "Alice-1"/],
    ['too many characters', 'a'.repeat(21), 2, /not the id of a break-glass event/],
  ]
  for (const [what, id, exit, expected] of refusals) {
    test(`refuses ${what}`, async () => {
      const store = await aStoreWithEvents(
        { event: anEvent({ id: anEventId('twina') }) },
        { event: anEvent({ id: anEventId('twinb') }) },
      )
      const { status, stdout, stderr } = await sentinel(`breakglass show ${id}`, { store })
      assert.equal(status, exit)
      assert.equal(stdout, '')
      assert.match(stderr, expected)
    })
  }
})
