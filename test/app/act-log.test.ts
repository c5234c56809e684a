import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { openActLog } from '../../src/app/act-log.ts'
import type { LogRecord } from '../../src/domain/log-record.ts'
import { SentinelError } from '../../src/errors.ts'
import { aPrincipal } from '../fixtures/policies.ts'
import { theParty } from '../fixtures/requests.ts'

const acted = { type: 'request.cancelled', subject_id: 'r-1', profile: 'prod' } as const
const policy = { reference: 'policy.yaml', version: 3, sha256: 'ab' }
const circumstances = { actor: theParty(aPrincipal('bob')), policy, location: 'memory:' }

suite('the log of acts', () => {
  test('says who, under which policy and where beside what', async () => {
    const records: LogRecord[] = []
    const record = async (one: LogRecord) => void records.push(one)
    const log = openActLog({ record, notices: { warn: assert.fail } }, circumstances)
    await log.write(acted)
    log.assertWritten()
    assert.deepEqual(records, [
      {
        ...acted,
        user: 'bob',
        person: 'iam:111122223333/bob',
        principal: 'arn:aws:iam::111122223333:user/bob',
        principal_id: 'AIDABOB',
        policy,
        grant_store: 'memory:',
      },
    ])
  })

  test('warns once of a log that cannot be written, and remembers how much is missing', async () => {
    const warnings: string[] = []
    const record = async () => {
      throw new SentinelError('LOG_UNAVAILABLE', 'no space is left')
    }
    const notices = { warn: (text: string) => void warnings.push(text) }
    const log = openActLog({ record, notices }, circumstances)
    for (let count = 0; count < 3; count += 1) await log.write(acted)
    assert.deepEqual(warnings, ['no space is left: it is done all the same'])
    assert.throws(() => log.assertWritten(), { code: 'LOG_UNAVAILABLE', message: /3 records/ })
  })

  test('hides no bug', async () => {
    const record = () => Promise.reject(new TypeError('not a record'))
    const log = openActLog({ record, notices: { warn: assert.fail } }, circumstances)
    await assert.rejects(log.write(acted), TypeError)
  })
})
