import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import type { Check, Finding } from '../../src/app/doctor.ts'
import { SentinelError } from '../../src/errors.ts'
import { sentinel } from '../fixtures/ship-cli.ts'

const check = (name: string, found: Finding): Check => ({ name, look: async () => found })
const WELL = check('settings', { verdict: 'ok', detail: '/c.yaml', facts: { path: '/c.yaml' } })
const LATE = check('shipping', { verdict: 'warning', detail: 'it lags', hint: 'ship it' })
const DOWN: Check = {
  name: 'sessions',
  look: () => Promise.reject(new SentinelError('STORE_UNAVAILABLE', 'no answer')),
}

suite('sentinel doctor', () => {
  test('has a line for each check, and the next step below it', async () => {
    const { status, stdout } = await sentinel(['doctor'], { checks: [WELL, LATE, DOWN] })
    assert.equal(status, 1)
    assert.equal(
      stdout,
      `\
ok       settings  /c.yaml
warning  shipping  it lags
                   hint: ship it
failed   sessions  no answer
`,
    )
  })

  test('is content with warnings', async () => {
    assert.equal((await sentinel(['doctor'], { checks: [WELL, LATE] })).status, 0)
  })

  test('tells programs the same', async () => {
    const { status, stdout } = await sentinel(['doctor', '--output', 'json'], {
      checks: [WELL, LATE, DOWN],
    })
    assert.equal(status, 1)
    assert.deepEqual(JSON.parse(stdout), {
      ok: false,
      checks: [
        { check: 'settings', verdict: 'ok', detail: '/c.yaml', path: '/c.yaml' },
        { check: 'shipping', verdict: 'warning', detail: 'it lags', hint: 'ship it' },
        { check: 'sessions', verdict: 'failed', detail: 'no answer', code: 'STORE_UNAVAILABLE' },
      ],
    })
  })

  test('keeps a detail on its line, whatever it quotes', async () => {
    const odd = check('log', { verdict: 'failed', detail: 'a\nok  policy  fine\u001b[2J' })
    const { stdout } = await sentinel(['doctor'], { checks: [odd] })
    assert.equal(stdout, 'failed  log  a\\nok  policy  fine\\u001b[2J\n')
  })

  test('looks at what the command line names', async () => {
    const { flags } = await sentinel(['doctor', 'prod', '--offline', '--policy', 'p.yaml'], {})
    assert.deepEqual({ ...flags }, { profile: 'prod', offline: true, policy: 'p.yaml' })
  })
})
