import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { inheritedProfiles, whileResolving } from '../../src/aws/resolving.ts'

suite('whileResolving', () => {
  test('tells whatever is started meanwhile, and takes it back', async () => {
    const env: NodeJS.ProcessEnv = {}
    const seen = await whileResolving(env, 'prod', async () => ({ ...env }))
    assert.deepEqual(inheritedProfiles(seen), ['prod'])
    assert.deepEqual(env, {})
  })

  test('takes it back after a failure too', async () => {
    const env: NodeJS.ProcessEnv = { SENTINEL_RESOLVING: 'outer' }
    const failing = whileResolving(env, 'prod', async () => Promise.reject(new Error('no')))
    await assert.rejects(failing, /no/)
    assert.deepEqual(env, { SENTINEL_RESOLVING: 'outer' })
  })

  test('adds to what the Sentinels above are resolving, whatever the names hold', async () => {
    const names = ['a,b', 'a%2Cb', 'a b', '=', 'ä', '\ud800x']
    const env: NodeJS.ProcessEnv = {}
    const nest = async ([name, ...rest]: string[]): Promise<readonly string[]> =>
      name === undefined ? inheritedProfiles(env) : whileResolving(env, name, () => nest(rest))
    assert.deepEqual(
      await nest(names),
      names.map((name) => name.toWellFormed()),
    )
  })

  test('takes a value that nobody encoded as it stands', () => {
    assert.deepEqual(inheritedProfiles({ SENTINEL_RESOLVING: '100%' }), ['100%'])
  })
})
