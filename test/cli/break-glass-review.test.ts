import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import type { BreakGlassReview } from '../../src/domain/break-glass.ts'
import { HOUR } from '../../src/domain/time.ts'
import { SentinelError } from '../../src/errors.ts'
import type { BreakGlassStore } from '../../src/ports/break-glass-store.ts'
import type { MemoryBreakGlassStore } from '../../src/stores/memory/break-glass-store.ts'
import {
  anEvent,
  anEventId,
  anEventReview,
  aStoreOfStatuses,
  aStoreWithEvents,
} from '../fixtures/break-glass.ts'
import { POLICY, sentinel } from '../fixtures/break-glass-cli.ts'
import { aBreakGlassRule, anSSOPrincipal, aPrincipal, NOON, users } from '../fixtures/policies.ts'
import { theParty, WAITING } from '../fixtures/requests.ts'

const OVER = anEvent({ id: anEventId('over'), startedAt: NOON - 2 * HOUR })
const carol = aPrincipal('carol')

const justified = ['breakglass', 'review', 'over', '--outcome', 'justified', '--comment', 'it was']
const misuse = ['breakglass', 'review', 'over', '--outcome', 'misuse', '--comment', 'it was not']

async function reviewsIn(store: BreakGlassStore): Promise<readonly BreakGlassReview[]> {
  return (await store.get(OVER.id, WAITING))?.reviews ?? []
}

/** The events that are still open to the store, whatever their status. */
async function openIn(store: MemoryBreakGlassStore): Promise<readonly string[]> {
  const open: string[] = []
  for await (const { event } of store.list({ which: 'open' }, WAITING)) open.push(event.id)
  return open
}

suite('sentinel breakglass review', () => {
  test('files what a reviewer says, and takes the event off the open ones', async () => {
    const store = await aStoreWithEvents({ event: OVER })
    const { status, stdout } = await sentinel(justified, { store, by: carol })
    assert.equal(status, 0)
    assert.equal(
      stdout,
      `reviewed break-glass event ${OVER.id} of alice for prod as justified by carol\n`,
    )
    const said = { at: NOON, reviewer: theParty(carol), comment: 'it was' }
    assert.deepEqual(await reviewsIn(store), [anEventReview(OVER, said)])
    assert.deepEqual(await openIn(store), [])
  })

  test('announces and records it', async () => {
    const store = await aStoreWithEvents({ event: OVER })
    const { delivered, records } = await sentinel(misuse, { store, by: carol })
    assert.deepEqual(
      delivered.map(({ event, fields }) => [
        event,
        fields.status,
        fields.reviewed_by,
        fields.review_outcome,
        fields.review_comment,
      ]),
      [['break_glass.reviewed', 'reviewed', 'carol', 'misuse', 'it was not']],
    )
    assert.deepEqual(
      records.map(({ type, user, subject_id, verdict, comment }) => [
        type,
        user,
        subject_id,
        verdict,
        comment,
      ]),
      [['break_glass.reviewed', 'carol', OVER.id, 'misuse', 'it was not']],
    )
  })

  test('takes an overdue one, and one that no rule wants reviewed', async () => {
    for (const id of ['overdue', 'ended']) {
      const store = await aStoreOfStatuses()
      const line = [...justified.with(2, id), '--output', 'json']
      const { stdout } = await sentinel(line, { store, by: carol })
      const { outcome, event } = JSON.parse(stdout)
      assert.deepEqual([outcome, event.status], ['reviewed', 'reviewed'])
    }
  })

  test('waits for the end of a live one', async () => {
    const store = await aStoreWithEvents({ event: anEvent() })
    const { status, stderr } = await sentinel(justified.with(2, 'live'), { store, by: carol })
    assert.equal(status, 4)
    assert.match(stderr, /is live until 2026-01-14T12:45:00Z, and is reviewed when it is over\n/)
    assert.match(stderr, /hint: wait, or end it with: sentinel breakglass close livea+\n/)
  })

  suite('is not for', () => {
    const invoker = theParty(anSSOPrincipal('carol', 'Developer'))
    const refused: [what: string, by: ReturnType<typeof aPrincipal>, stderr: RegExp][] = [
      ['the invoker', anSSOPrincipal('carol', 'Developer'), /is your own \(sso:carol\)/],
      [
        'the invoker by another permission set',
        anSSOPrincipal('carol', 'Admin'),
        /is your own \(sso:carol\)/,
      ],
      ['an approver, where the rule names reviewers', aPrincipal('bob'), /not among the reviewers/],
      ['anybody else', aPrincipal('mallory'), /you \(iam:.*mallory\) are not among the reviewers/],
    ]
    for (const [what, by, expected] of refused) {
      test(what, async () => {
        const store = await aStoreWithEvents({ event: { ...OVER, invoker } })
        const { status, stderr, records } = await sentinel(justified, { store, by })
        assert.equal(status, 3)
        assert.match(stderr, expected)
        assert.match(stderr, /hint: have it reviewed by carol\n/)
        assert.deepEqual([await reviewsIn(store), records], [[], []])
      })
    }
  })

  suite('goes by the policy as it is now:', () => {
    const by = async (name: string, breakGlass: typeof POLICY.breakGlass) => {
      const store = await aStoreWithEvents({ event: OVER })
      const policy = { ...POLICY, breakGlass }
      return (await sentinel(justified, { store, policy, by: aPrincipal(name) })).status
    }

    test('the reviewers of the rule by its name', async () => {
      const other = aBreakGlassRule({ name: 'other', reviewers: users('mallory') })
      const same = aBreakGlassRule({ reviewers: users('dave') })
      assert.equal(await by('dave', [other, same]), 0)
      assert.equal(await by('mallory', [other, same]), 3)
      assert.equal(await by('carol', [other, same]), 3)
    })

    test('the approvers where the rule names nobody, or is gone', async () => {
      const { reviewers: _, ...rule } = aBreakGlassRule()
      for (const breakGlass of [[rule], []]) {
        assert.equal(await by('bob', breakGlass), 0)
        assert.equal(await by('carol', breakGlass), 3)
      }
    })
  })

  suite('stands once it is there:', () => {
    test('the same again is done already', async () => {
      const store = await aStoreWithEvents({ event: OVER })
      await sentinel(justified, { store, by: carol })
      const again = await sentinel(justified, { store, by: carol })
      assert.equal(again.status, 0)
      assert.match(
        again.stdout,
        /was reviewed already as justified by carol at 2026-01-14T12:00:00Z: nothing is changed/,
      )
      assert.deepEqual(again.records, [])
      assert.equal((await reviewsIn(store)).length, 1)
    })

    test('the other outcome is refused, whoever comes with it', async () => {
      const policy = { ...POLICY, breakGlass: [aBreakGlassRule({ reviewers: users('*') })] }
      const store = await aStoreWithEvents({ event: OVER })
      await sentinel(justified, { store, policy, by: carol })
      for (const by of [carol, aPrincipal('dave')]) {
        const { status, stderr } = await sentinel(misuse, { store, policy, by })
        assert.equal(status, 3)
        assert.match(stderr, /was reviewed as justified by carol at .*, and that stays/)
      }
      assert.equal((await reviewsIn(store)).length, 1)
    })

    test('one that is seen late holds all the same', async () => {
      const store = await aStoreWithEvents({ event: OVER, reviews: [anEventReview(OVER)] })
      const get = store.get.bind(store)
      const late = Object.assign(store, {
        get: async (...args: Parameters<typeof get>) => {
          const filed = await get(...args)
          return filed && { ...filed, reviews: [] }
        },
      })
      const same = await sentinel(justified, { store: late, by: carol })
      assert.match(same.stdout, /was reviewed already as justified/)
      const other = await sentinel(misuse, { store: late, by: carol })
      assert.equal(other.status, 3)
    })

    test('one under the same UserId that does not count is told', async () => {
      const forged = anEventReview(OVER, { seal: '0'.repeat(64) })
      const store = await aStoreWithEvents({ event: OVER, reviews: [forged] })
      const { status, stderr } = await sentinel(justified, { store, by: carol })
      assert.equal(status, 3)
      assert.match(stderr, /a review under your UserId is there that does not count/)
    })

    test('it is taken off the open ones by the next, if its reviewer died before that', async () => {
      const store = await aStoreWithEvents({ event: OVER, reviews: [anEventReview(OVER)] })
      assert.deepEqual(await openIn(store), [OVER.id])
      await sentinel(justified, { store, by: carol })
      assert.deepEqual(await openIn(store), [])
    })

    test('it holds though nobody may take it off', async () => {
      const store = await aStoreWithEvents({ event: OVER })
      const error = new SentinelError('STORE_UNAVAILABLE', 'access denied')
      Object.assign(store, { settle: () => Promise.reject(error) })
      const { status, stderr } = await sentinel(justified, { store, by: carol })
      assert.deepEqual([status, stderr], [0, ''])
      assert.equal((await reviewsIn(store)).length, 1)
    })
  })

  test('goes on when the log cannot be written, and says so', async () => {
    const store = await aStoreWithEvents({ event: OVER })
    const error = new SentinelError('LOG_UNAVAILABLE', 'the disk is full')
    const record = () => Promise.reject(error)
    const { status, stdout } = await sentinel(justified, { store, by: carol, record })
    assert.equal(status, 6)
    assert.match(stdout, /^reviewed break-glass event/)
    assert.equal((await reviewsIn(store)).length, 1)
  })

  const mistakes: [what: string, line: string[], stderr: RegExp][] = [
    ['no outcome', ['breakglass', 'review', 'over', '--comment', 'x'], /--outcome is required/],
    ['no comment', justified.slice(0, 5), /--comment is required/],
    ['an unknown outcome', justified.with(4, 'misused'), /"misused"\nhint: did you mean misuse\?/],
    ['a long comment', justified.with(6, 'x'.repeat(501)), /--comment has 501 characters/],
    ['no id', ['breakglass', 'review', ...justified.slice(3)], /<id> is missing/],
  ]
  for (const [what, line, expected] of mistakes) {
    test(`refuses ${what}`, async () => {
      const { status, stderr } = await sentinel(line)
      assert.equal(status, 2)
      assert.match(stderr, expected)
    })
  }
})
