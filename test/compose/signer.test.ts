import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { keepCredentials } from '../../src/compose/signer.ts'
import { HOUR } from '../../src/domain/time.ts'
import { FakeClock } from '../fixtures/app/clock.ts'
import { session } from '../fixtures/app/profiles.ts'

suite('the credentials that sign calls of our own', () => {
  /** Those that live an hour, and whether somebody might have been asked for each. */
  function kept(prompts: 'allowed' | 'never') {
    const clock = new FakeClock()
    const asked: boolean[] = []
    const credentials = keepCredentials({ clock: clock as never }, prompts, async (options) => {
      asked.push(options.mayPrompt)
      return session(`ASIA${asked.length}`, clock.aws() + HOUR)
    })
    return { clock, asked, credentials }
  }

  test('may cost a person an answer once, at the start', async () => {
    const { clock, asked, credentials } = kept('allowed')
    await credentials()
    await credentials()
    assert.deepEqual(asked, [true])
    clock.advance(HOUR)
    await credentials()
    assert.deepEqual(asked, [true, false])
  })

  test('cost nobody an answer behind their back, who still may be asked for the next', async () => {
    const { clock, asked, credentials } = kept('allowed')
    const first = await credentials(undefined, 'never')
    assert.equal(await credentials(), first)
    clock.advance(HOUR)
    await credentials()
    assert.deepEqual(asked, [false, true])
  })

  test('never cost an answer where nobody may be asked', async () => {
    const { asked, credentials } = kept('never')
    await credentials()
    assert.deepEqual(asked, [false])
  })
})
