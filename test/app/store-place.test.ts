import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { choosePlace } from '../../src/app/store-place.ts'

const TABLE = 'dynamodb:eu-central-1:sessions'

/** A region is left out in one way of writing a table, and is the same table. */
const resolve = (location: string) =>
  location.replace(/^dynamodb:(?!.*:)/, 'dynamodb:eu-central-1:')

function choose(policy: string | undefined, flag?: string): string | undefined {
  const configured = flag === undefined ? undefined : { location: flag, origin: '--session-table' }
  return choosePlace('sessions', policy, { configured, resolve })
}

suite('choosePlace', () => {
  test('is nowhere when nobody names a place', () => {
    assert.equal(choose(undefined), undefined)
  })

  test('is where a flag says, in full', () => {
    assert.equal(choose(undefined, 'dynamodb:sessions'), TABLE)
  })

  test('is where the policy says', () => {
    assert.equal(choose('dynamodb:sessions'), TABLE)
  })

  test('lets a flag repeat the policy, in another way of writing too', () => {
    assert.equal(choose(TABLE, 'dynamodb:sessions'), TABLE)
  })

  for (const other of ['dynamodb:others', 'dynamodb:us-east-1:sessions', 'memory:', 'sqlite:/x']) {
    test(`lets no flag lead elsewhere: ${other}`, () => {
      assert.throws(() => choose(TABLE, other), {
        code: 'CONFIG_INVALID',
        message: `the policy keeps sessions in ${TABLE}, and --session-table says ${resolve(other)}`,
      })
    })
  }
})
