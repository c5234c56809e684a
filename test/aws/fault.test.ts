import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { nameOfFault, toFault } from '../../src/aws/fault.ts'

suite('nameOfFault', () => {
  const faults: [what: string, error: unknown, name: string][] = [
    [
      'a service’s no by its code',
      Object.assign(new Error('no'), { name: 'AccessDenied', $metadata: { httpStatusCode: 403 } }),
      'AccessDenied',
    ],
    [
      'a connection that failed by the system’s code',
      Object.assign(new Error('connect 127.0.0.1:9'), { code: 'ECONNREFUSED' }),
      'ECONNREFUSED',
    ],
    ['a call that took too long', new DOMException('late', 'TimeoutError'), 'TimeoutError'],
    ['what is no error', 'no', 'string'],
  ]
  for (const [what, error, name] of faults) {
    test(`names ${what}`, () => {
      assert.equal(nameOfFault(toFault(error)), name)
    })
  }
})
