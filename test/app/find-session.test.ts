import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { findSession, findSessionId } from '../../src/app/find-session.ts'
import type { SessionId } from '../../src/domain/session.ts'
import { ALICE, aSession, aStoreWith } from '../fixtures/sessions.ts'

const BEEF = 'beef00000000000b' as SessionId

suite('findSession', () => {
  test('finds one by its id, and by the beginning of it', async () => {
    const store = await aStoreWith(aSession(), aSession({ id: BEEF }))
    assert.equal((await findSession(store, BEEF)).id, BEEF)
    assert.equal((await findSession(store, 'beef')).id, BEEF)
    assert.equal((await findSession(store, ALICE.slice(0, 15))).id, ALICE)
  })

  test('takes a whole id at its word', async () => {
    const find = () => assert.fail('nothing need be looked for')
    assert.equal(await findSessionId({ find }, BEEF), BEEF)
  })

  test('names those that begin so, and says when there may be more', async () => {
    const ids = Array.from(
      { length: 12 },
      (_, index) => `beef${index.toString(16).padStart(12, '0')}`,
    )
    const some = await aStoreWith(...ids.slice(0, 2).map((id) => aSession({ id: id as SessionId })))
    const many = await aStoreWith(...ids.map((id) => aSession({ id: id as SessionId })))
    await assert.rejects(findSessionId(some, 'beef'), {
      code: 'SESSION_AMBIGUOUS',
      message: `several sessions begin with beef: ${ids[0]}, ${ids[1]}`,
    })
    await assert.rejects(findSessionId(many, 'beef'), {
      code: 'SESSION_AMBIGUOUS',
      message: /beef000000000009, and perhaps more$/,
    })
  })

  test('says when there is none', async () => {
    const store = await aStoreWith()
    await assert.rejects(findSession(store, 'beef'), {
      code: 'SESSION_NOT_FOUND',
      message: 'no session begins with beef',
    })
    await assert.rejects(findSession(store, BEEF), {
      code: 'SESSION_NOT_FOUND',
      message: `no session has the id ${BEEF}`,
    })
  })

  test('asks the store for nothing that is no id', async () => {
    const find = () => assert.fail('the store was asked')
    await assert.rejects(findSessionId({ find }, 'lock#all'), { code: 'USAGE' })
  })
})
