import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { type Check, diagnose } from '../../src/app/doctor.ts'
import { checksOf, type Patient } from '../../src/app/doctor-checks.ts'
import { MINUTE } from '../../src/domain/time.ts'
import { SentinelError } from '../../src/errors.ts'
import { NOON } from '../fixtures/policies.ts'

const DOWN = new SentinelError('STORE_UNAVAILABLE', 'it did not answer', { hint: 'try again' })

const POLICY = {
  reference: 'file:/p.yaml',
  sha256: 'ab'.repeat(32),
  rules: 2,
  problems: [],
  warnings: 0,
}
const LOG = { path: '/log', bytes: 3 * 2 ** 20, rotated: 0, rotatedBytes: 0, isTorn: false }
const SHIPPING = { receiver: 'logs.example', lines: 9, dropped: 0, behind: 0 }

/** A machine on which all is well, but for `ills`. */
function patient(ills: Partial<Patient> = {}): Patient {
  return {
    now: () => NOON,
    settings: async () => ({ path: '/c.yaml', isThere: true }),
    policy: async () => POLICY,
    log: async () => LOG,
    shipping: async () => SHIPPING,
    anchors: async () => ({ location: 'dynamodb:eu-central-1:anchors' }),
    store: async (kind) => ({ location: `dynamodb:eu-central-1:${kind}`, isMade: true }),
    identity: async () => ({ profile: 'prod', principal: 'arn:alice', account: '111122223333' }),
    ...ills,
  }
}

/** What is found about one thing. */
async function find(name: string, ills: Partial<Patient>) {
  const found = await diagnose(checksOf(patient(ills)))
  return found.find(({ check }) => check === name) ?? assert.fail(`no check ${name}`)
}

suite('diagnose', () => {
  const check = (name: string, look: Check['look']): Check => ({ name, look })

  test('hides nothing behind a check that fails, or that has no end', async () => {
    const found = await diagnose(
      [
        check('silent', () => new Promise(() => {})),
        check('down', () => Promise.reject(DOWN)),
        check('broken', () => Promise.reject(new TypeError('x is not a function'))),
        check('well', async () => ({ verdict: 'ok', detail: 'fine' })),
      ],
      50,
    )
    assert.deepEqual(
      found.map(({ check, verdict, detail }) => [check, verdict, detail]),
      [
        ['silent', 'failed', 'no answer within 0.05 seconds'],
        ['down', 'failed', 'it did not answer'],
        ['broken', 'failed', 'a bug: TypeError: x is not a function'],
        ['well', 'ok', 'fine'],
      ],
    )
    assert.equal(found[1]?.hint, 'try again')
    assert.deepEqual(found[1]?.facts, { code: 'STORE_UNAVAILABLE' })
  })

  test('tells a check that its time is over', async () => {
    let heard: AbortSignal | undefined
    const look = (signal: AbortSignal) => {
      heard = signal
      return new Promise<never>(() => {})
    }
    await diagnose([check('silent', look)], 10)
    assert.ok(heard?.aborted)
  })
})

suite('the checks of doctor', () => {
  test('find nothing where all is well', async () => {
    const found = await diagnose(checksOf(patient()))
    assert.deepEqual(
      found.map(({ check, verdict }) => `${verdict} ${check}`),
      [
        'ok settings',
        'ok policy',
        'ok identity',
        'ok log',
        'ok shipping',
        'ok anchors',
        'ok sessions',
        'ok requests',
        'ok break-glass',
      ],
    )
    assert.ok(found.every(({ hint }) => hint === undefined))
  })

  const FINDINGS: [what: string, name: string, ills: Partial<Patient>, verdict: string, RegExp][] =
    [
      [
        'settings by default',
        'settings',
        { settings: async () => ({ path: '/c.yaml', isThere: false }) },
        'ok',
        /no \/c\.yaml$/,
      ],
      [
        'a policy with problems',
        'policy',
        { policy: async () => ({ ...POLICY, problems: [{ line: 7, message: 'no effect' }] }) },
        'failed',
        /^file:\/p\.yaml:7: no effect$/,
      ],
      [
        'a policy with warnings',
        'policy',
        { policy: async () => ({ ...POLICY, version: 3, warnings: 1 }) },
        'warning',
        /\(version 3, sha256 abababababab, 2 rules, 1 warning\)$/,
      ],
      [
        'a prompt that nobody may answer',
        'identity',
        { identity: () => Promise.reject(new SentinelError('INTERACTION_REQUIRED', 'a code')) },
        'warning',
        /^a code$/,
      ],
      ['no profile', 'identity', { identity: async () => undefined }, 'warning', /no profile/],
      [
        'base credentials that fail',
        'identity',
        { identity: () => Promise.reject(DOWN) },
        'failed',
        /answer/,
      ],
      [
        'a log that is not there yet',
        'log',
        { log: async () => ({ path: '/log', rotated: 0, rotatedBytes: 0, isTorn: false }) },
        'ok',
        /^\/log \(not begun yet\)$/,
      ],
      [
        'older files of the log',
        'log',
        { log: async () => ({ ...LOG, rotated: 2, rotatedBytes: 1536 }) },
        'ok',
        /^\/log \(3 MiB, and 2 older files of 1\.5 KiB\)$/,
      ],
      [
        'a torn line',
        'log',
        { log: async () => ({ ...LOG, isTorn: true }) },
        'warning',
        /middle of a line$/,
      ],
      ['no shipping', 'shipping', { shipping: async () => undefined }, 'ok', /stays here/],
      [
        'lines that wait for a moment',
        'shipping',
        { shipping: async () => ({ ...SHIPPING, behind: 2048, oldest: NOON - MINUTE }) },
        'ok',
        /2 KiB wait, the first for 1m/,
      ],
      [
        'lines that wait for long',
        'shipping',
        { shipping: async () => ({ ...SHIPPING, behind: 2048, oldest: NOON - 16 * MINUTE }) },
        'warning',
        /2 KiB wait, the first for 16m/,
      ],
      [
        'shipping that failed',
        'shipping',
        {
          shipping: async () => ({
            ...SHIPPING,
            behind: 1,
            oldest: NOON,
            shipper: { host: 'laptop', pid: 7 },
            lastFailure: {
              at: '2026-01-14T11:59:00.000Z',
              code: 'SHIPPING_FAILED',
              message: 'down',
            },
          }),
        },
        'warning',
        /process 7 on laptop ships; failed at 2026-01-14T11:59:00\.000Z: down/,
      ],
      [
        'another target than before',
        'shipping',
        { shipping: async () => ({ ...SHIPPING, before: 'old.example' }) },
        'ok',
        /logs\.example \(it went to old\.example before\)/,
      ],
      ['no anchors', 'anchors', { anchors: async () => undefined }, 'ok', /no log_anchor/],
      [
        'anchors out of reach',
        'anchors',
        { anchors: () => Promise.reject(DOWN) },
        'failed',
        /answer/,
      ],
      [
        'a database that is not there yet',
        'requests',
        { store: async () => ({ location: 'sqlite:/s.db', isMade: false }) },
        'ok',
        /made when it is first needed/,
      ],
      ['no store', 'sessions', { store: async () => undefined }, 'ok', /no store/],
      [
        'a store behind a policy out of reach',
        'sessions',
        { store: async () => 'unknown' },
        'skipped',
        /policy/,
      ],
      [
        'a store out of reach',
        'break-glass',
        { store: () => Promise.reject(DOWN) },
        'failed',
        /answer/,
      ],
      [
        'what only AWS could tell',
        'policy',
        { policy: async () => 'offline' },
        'skipped',
        /--offline/,
      ],
    ]
  for (const [what, name, ills, verdict, detail] of FINDINGS) {
    test(`tell of ${what}`, async () => {
      const found = await find(name, ills)
      assert.equal(found.verdict, verdict)
      assert.match(found.detail, detail)
    })
  }

  test('say how far shipping lags in numbers', async () => {
    const shipping = async () => ({ ...SHIPPING, dropped: 1, behind: 2048, oldest: NOON - 1500 })
    const { facts, detail } = await find('shipping', { shipping })
    assert.partialDeepStrictEqual(facts, { lag_bytes: 2048, lag_seconds: 1, dropped: 1, lines: 9 })
    assert.match(detail, /1 line not kept there; never shipped yet/)
  })
})
