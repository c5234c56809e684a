import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { openOrderLog } from '../../src/app/session-orders.ts'
import type { LogRecord } from '../../src/domain/log-record.ts'
import { SentinelError } from '../../src/errors.ts'

const operator = { by: 'carol' }

suite('the log of orders', () => {
  const ordered = { type: 'session.locked', lock: 'everyone', reason: 'incident' } as const

  test('says who and where beside what; the log itself says when', async () => {
    const records: LogRecord[] = []
    const record = async (one: LogRecord) => void records.push(one)
    const log = openOrderLog({ record, notices: { warn: assert.fail } }, operator, 'memory:')
    await log.write(ordered)
    log.assertWritten()
    assert.deepEqual(records, [{ ...ordered, user: 'carol', session_store: 'memory:' }])
  })

  test('warns once of a log that cannot be written, and remembers how much is missing', async () => {
    const warnings: string[] = []
    const record = async () => {
      throw new SentinelError('LOG_UNAVAILABLE', 'no space is left')
    }
    const notices = { warn: (text: string) => void warnings.push(text) }
    const log = openOrderLog({ record, notices }, operator, 'memory:')
    for (let count = 0; count < 3; count += 1) await log.write(ordered)
    assert.deepEqual(warnings, ['no space is left: the order goes on'])
    assert.throws(() => log.assertWritten(), {
      code: 'LOG_UNAVAILABLE',
      message: /3 records of it/,
    })
  })

  test('hides no bug', async () => {
    const record = () => Promise.reject(new TypeError('not a record'))
    const log = openOrderLog({ record, notices: { warn: assert.fail } }, operator, 'memory:')
    await assert.rejects(log.write(ordered), TypeError)
  })
})
