import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { openActLog } from '../../src/app/act-log.ts'
import { beginBreakGlass } from '../../src/app/begin-break-glass.ts'
import type { LogRecord } from '../../src/domain/log-record.ts'
import { SentinelError } from '../../src/errors.ts'
import type { BreakGlassStore } from '../../src/ports/break-glass-store.ts'
import { MemoryBreakGlassStore } from '../../src/stores/memory/break-glass-store.ts'
import { FakeClock } from '../fixtures/app/clock.ts'
import { anEventId } from '../fixtures/break-glass.ts'
import { aBreakGlassRule, aPolicy, aPrincipal, PROD } from '../fixtures/policies.ts'
import { sha256, theParty, WAITING } from '../fixtures/requests.ts'

const principal = aPrincipal()
const party = theParty(principal)
const wish = { profile: 'prod', reasonCode: 'incident', justification: 'x'.repeat(20) } as const
const plan = { rule: aBreakGlassRule(), roleArn: PROD, duration: 3600 }

/** Begins an event on `store`, and gathers in `happened` what was written in which order. */
function begin(store: BreakGlassStore, record: (record: LogRecord) => Promise<void>) {
  const notices = { warn: (text: string) => assert.fail(text) }
  const policy = { reference: 'policy.yaml', sha256: 'ab' }
  const deps = {
    store,
    policy: aPolicy(),
    clock: new FakeClock(),
    digest: sha256,
    newId: () => anEventId('newa'),
    log: openActLog({ record, notices }, { actor: party, policy, location: 'memory:' }),
  }
  return beginBreakGlass(deps, { invoker: { principal, party }, wish, plan })
}

function failingStore(error: Error): BreakGlassStore {
  const store = new MemoryBreakGlassStore()
  return Object.assign(store, { begin: () => Promise.reject(error) })
}

suite('beginBreakGlass', () => {
  test('begins nothing that is not recorded', async () => {
    const store = new MemoryBreakGlassStore()
    const error = new SentinelError('LOG_UNAVAILABLE', 'the disk is full')
    await assert.rejects(
      begin(store, () => Promise.reject(error)),
      error,
    )
    assert.deepEqual(await store.find('', WAITING), [])
  })

  test('has the record written when the event begins', async () => {
    const happened: string[] = []
    const store = new MemoryBreakGlassStore()
    const inOrder = Object.assign(new MemoryBreakGlassStore(), {
      begin: async (...args: Parameters<BreakGlassStore['begin']>) => {
        happened.push('began')
        await store.begin(...args)
      },
    })
    await begin(inOrder, async ({ type }) => void happened.push(type))
    assert.deepEqual(happened, ['break_glass.started', 'began'])
  })

  test('says that nobody knows when the store does not answer', async () => {
    const records: LogRecord[] = []
    const error = new SentinelError('STORE_UNAVAILABLE', 'no answer in 10 s')
    await assert.rejects(
      begin(failingStore(error), async (record) => void records.push(record)),
      (thrown: SentinelError) => {
        assert.equal(thrown.code, 'STORE_UNAVAILABLE')
        assert.match(thrown.message, /no answer in 10 s; whether .* newa+ began is not known/)
        assert.match(thrown.hint ?? '', /sentinel breakglass show newa+$/)
        return true
      },
    )
    const [, second] = records
    assert.deepEqual(
      [second?.type, second?.outcome, second?.code, second?.expires_at],
      ['break_glass.refused', 'failed', 'STORE_UNAVAILABLE', undefined],
    )
  })

  test('tells why nothing began even if that cannot be recorded', async () => {
    const error = new SentinelError('BREAK_GLASS_REFUSED', 'not again before noon')
    let count = 0
    const record = async () => {
      count += 1
      if (count > 1) throw new SentinelError('LOG_UNAVAILABLE', 'the disk is full')
    }
    await assert.rejects(begin(failingStore(error), record), error)
    assert.equal(count, 2)
  })

  test('passes a bug on, with a record that it failed', async () => {
    const types: string[] = []
    const bug = new TypeError('x is not a function')
    await assert.rejects(
      begin(failingStore(bug), async ({ type, outcome }) => void types.push(`${type} ${outcome}`)),
      bug,
    )
    assert.deepEqual(types, ['break_glass.started undefined', 'break_glass.refused failed'])
  })
})
