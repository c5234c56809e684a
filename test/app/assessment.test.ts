import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { type Known, learn } from '../../src/app/assessment.ts'
import type { LoadedPolicy } from '../../src/app/policy-keeper.ts'
import { anIdentity } from '../fixtures/app/issuing.ts'
import { aPolicy, NOON } from '../fixtures/policies.ts'

const IDENTITY = anIdentity()
const POLICY: LoadedPolicy = {
  policy: aPolicy(),
  reference: 'file:p',
  sha256: 'a',
  fetchedAt: { wall: NOON, monotonic: 0 },
}
const nobody = () => Promise.reject(new Error('nobody'))
const nothing = () => Promise.reject(new Error('no policy'))

suite('learn', () => {
  test('gives the identity, and notes both', async () => {
    const known: Known = {}
    assert.equal(await learn(known, Promise.resolve(IDENTITY), Promise.resolve(POLICY)), IDENTITY)
    assert.deepEqual(known, { identity: IDENTITY, policy: POLICY })
  })

  test('notes who asks when the policy fails', async () => {
    const known: Known = {}
    await assert.rejects(learn(known, Promise.resolve(IDENTITY), nothing()), /no policy/)
    assert.deepEqual(known, { identity: IDENTITY })
  })

  test('notes the policy when who asks fails', async () => {
    const known: Known = {}
    await assert.rejects(learn(known, nobody(), Promise.resolve(POLICY)), /nobody/)
    assert.deepEqual(known, { policy: POLICY })
  })

  test('tells of the first when both fail, and leaves neither behind', async () => {
    const known: Known = {}
    await assert.rejects(learn(known, nobody(), nothing()), /nobody/)
    assert.deepEqual(known, {})
  })

  test('does not go on before both have ended', async () => {
    const { promise, resolve } = Promise.withResolvers<LoadedPolicy>()
    const learning = learn({}, nobody(), promise)
    learning.catch(() => {})
    const first = await Promise.race([learning.catch(() => 'learned'), Promise.resolve('waiting')])
    assert.equal(first, 'waiting')
    resolve(POLICY)
    await assert.rejects(learning, /nobody/)
  })
})
