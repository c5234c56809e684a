import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import type { LoadedPolicy } from '../../src/app/policy-keeper.ts'
import { SessionRuleBook } from '../../src/app/session-rules.ts'
import { MINUTE, SECOND } from '../../src/domain/time.ts'
import { aPolicy } from '../fixtures/policies.ts'

function loaded(overrides: Parameters<typeof aPolicy>[0]): LoadedPolicy {
  const fetchedAt = { wall: 0, monotonic: 0 }
  return { policy: aPolicy(overrides), reference: 'file:p', sha256: 'x', fetchedAt }
}

suite('SessionRuleBook', () => {
  test('gives a minute of grace and a quarter of an hour of outage, unless told otherwise', () => {
    const book = new SessionRuleBook({}, () => undefined)
    assert.deepEqual(book.current(), {
      grace: MINUTE,
      outage: 'allow',
      outageMax: 15 * MINUTE,
      isRequired: false,
    })
  })

  test('follows the settings', () => {
    const settings = { grace: 10, outage: 'deny', outageMax: 60 } as const
    const book = new SessionRuleBook(settings, () => loaded({}))
    assert.partialDeepStrictEqual(book.current(), {
      grace: 10 * SECOND,
      outage: 'deny',
      outageMax: MINUTE,
    })
  })

  test('follows the policy over the settings, as it is now', () => {
    let policy = loaded({ sessionGrace: 90, sessionOutage: 'deny' })
    const book = new SessionRuleBook({ grace: 10, outage: 'allow' }, () => policy)
    assert.partialDeepStrictEqual(book.current(), { grace: 90 * SECOND, outage: 'deny' })

    policy = loaded({ sessionGrace: 30 })
    assert.partialDeepStrictEqual(book.current(), { grace: 30 * SECOND, outage: 'allow' })
  })

  test('knows whether the deciding rule demands a session', () => {
    const book = new SessionRuleBook({}, () => undefined)
    book.sees({ effect: 'require_server_session' })
    assert.equal(book.current().isRequired, true)
    book.sees({ effect: 'allow' })
    assert.equal(book.current().isRequired, false)
  })

  test('makes its rules once for the same policy', () => {
    const policy = loaded({})
    const book = new SessionRuleBook({}, () => policy)
    assert.equal(book.current(), book.current())
  })
})
