import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { assertNotNested } from '../../src/child/nesting.ts'
import { hasCode } from '../../src/errors.ts'

const INSIDE = { SENTINEL_ACTIVE: '00112233445566ff', SENTINEL_ACTIVE_PROFILE: 'prod' }

suite('a gateway inside a gateway', () => {
  test('is a usage error that names the outer one and the flag', () => {
    assert.throws(
      () => assertNotNested(INSIDE, { nested: false }),
      (error) =>
        hasCode(error, 'USAGE') &&
        error.message === 'already inside sentinel 00112233445566ff for profile prod' &&
        error.hint?.includes('--nested') === true,
    )
  })

  test('is refused when only the id is left of the outer one', () => {
    assert.throws(
      () => assertNotNested({ SENTINEL_ACTIVE: 'x' }, { nested: false }),
      (error) => hasCode(error, 'USAGE') && error.message === 'already inside sentinel x',
    )
  })

  test('is let through when asked for', () => {
    assert.doesNotThrow(() => assertNotNested(INSIDE, { nested: true }))
  })

  test('is not seen in an environment without one, or with an empty mark', () => {
    assert.doesNotThrow(() => assertNotNested({}, { nested: false }))
    assert.doesNotThrow(() => assertNotNested({ SENTINEL_ACTIVE: '' }, { nested: false }))
  })
})
