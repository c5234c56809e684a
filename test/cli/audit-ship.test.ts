import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { SentinelError } from '../../src/errors.ts'
import { sentinel } from '../fixtures/ship-cli.ts'

const SHIPPED = {
  ...{ path: '/state/decisions.jsonl', receiver: 'logs.example' },
  ...{ lines: 12, dropped: 0, isElsewhere: false },
}

suite('sentinel audit ship', () => {
  test('says how much was shipped, and how far it has come', async () => {
    const { status, stdout, stderr } = await sentinel(['audit', 'ship'], {
      async ship(onProgress) {
        onProgress(7)
        return SHIPPED
      },
    })
    assert.equal(status, 0)
    assert.equal(stdout, 'shipped 12 lines of /state/decisions.jsonl to logs.example\n')
    assert.match(stderr, /7 lines shipped/)
  })

  test('says so for programs', async () => {
    const { stdout, flags } = await sentinel(
      ['audit', 'ship', '--log-file', 'here.jsonl', '--output', 'json'],
      { ship: async () => SHIPPED },
    )
    assert.deepEqual(JSON.parse(stdout), {
      ...{ log: '/state/decisions.jsonl', receiver: 'logs.example' },
      ...{ lines: 12, dropped: 0, busy: false },
    })
    assert.deepEqual({ ...flags }, { 'log-file': 'here.jsonl' })
  })

  const ENDS: [what: string, shipped: object, stdout: RegExp][] = [
    ['one line', { lines: 1 }, /^shipped 1 line of /],
    ['nothing new', { lines: 0 }, /^nothing in \S+ is new to logs\.example$/m],
    ['another process', { lines: 0, isElsewhere: true }, /^another process ships .*: nothing is/],
  ]
  for (const [what, shipped, text] of ENDS) {
    test(`says of ${what} what there is to say`, async () => {
      const ship = async () => ({ ...SHIPPED, ...shipped })
      const { status, stdout } = await sentinel(['audit', 'ship'], { ship })
      assert.equal(status, 0)
      assert.match(stdout, text)
    })
  }

  test('warns of what the receiver did not keep', async () => {
    const ship = async () => ({ ...SHIPPED, dropped: 3, why: 'older than 14 days' })
    const { status, stderr } = await sentinel(['audit', 'ship'], { ship })
    assert.equal(status, 0)
    assert.match(stderr, /^warning: logs\.example did not keep 3 lines: older than 14 days$/m)
  })

  test('ends with 6 and the reason when the receiver is down', async () => {
    const down = new SentinelError('SHIPPING_FAILED', 'logs.example answered 503', { hint: 'wait' })
    const ship = () => Promise.reject(down)
    const { status, stdout, stderr } = await sentinel(['audit', 'ship'], { ship })
    assert.equal(status, 6)
    assert.equal(stdout, '')
    assert.equal(stderr, 'error: logs.example answered 503\nhint: wait\n')
  })
})
