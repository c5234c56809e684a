import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { link, originOf } from '../../src/audit/chain.ts'
import { BODY_MAX, encodeBody } from '../../src/audit/encode-record.ts'
import { parseRecord } from '../../src/audit/parse-record.ts'
import type { LogRecord } from '../../src/domain/log-record.ts'
import { Secret } from '../../src/domain/secret.ts'
import { pick, random, scaled } from '../fixtures/random.ts'

const ORIGIN = { time: '2026-01-14T09:00:00.000Z', host: 'host.example', pid: 4711 }

const STREAM = 'mfzwizltoq3tsnbqgaya'

const TEXT_FIELDS = [
  'user',
  'person',
  'principal',
  'principal_id',
  'profile',
  'role_arn',
  'account',
  'rule',
  'reason',
  'code',
  'request_id',
  'source_identity',
  'access_key_id',
  'session_id',
  'expires_at',
  'grant_id',
  'grant_store',
  'grant_rule',
  'of',
  'version',
  'session_user',
  'lock',
  'subject_person',
  'justification',
  'comment',
  'receiver',
] as const satisfies (keyof LogRecord)[]

suite('encodeBody', () => {
  test('writes any Unicode as ASCII on one line, and exactly', () => {
    const seed = 20_260_114
    const next = random(seed)
    for (let round = 0; round < scaled(10_000); round++) {
      const texts = Object.fromEntries(TEXT_FIELDS.map((field) => [field, randomText(next)]))
      const record = { type: 'issued', ...texts, policy: { reference: randomText(next) } } as const

      const body = encodeBody(record, ORIGIN)

      const about = `seed ${seed}, round ${round}`
      assert.match(body, /^[\x20-\x7e]+$/, about)
      const { time, host, pid, ...written } = JSON.parse(`{${body}}`)
      assert.deepEqual(written, record, about)
      const { line } = link(body, STREAM, originOf(STREAM))
      assert.partialDeepStrictEqual(parseRecord(Buffer.from(line), 'a log'), record, about)
    }
  })

  test('escapes what a terminal or a line reader would act on', () => {
    const body = encodeBody(
      { type: 'refused', reason: 'a\n\u001b[2J\u007f\u009b\u202e\u2028"\\' },
      ORIGIN,
    )

    assert.ok(body.includes(String.raw`"reason":"a\n\u001b[2J\u007f\u009b\u202e\u2028\"\\"`), body)
  })

  test('writes fields in one order, whatever theirs was, and leaves out what is undefined', () => {
    const record = { user: 'alice', exit_status: 0, profile: undefined, type: 'stop' } as const

    assert.equal(
      encodeBody(record as unknown as LogRecord, ORIGIN),
      '"time":"2026-01-14T09:00:00.000Z","type":"stop","user":"alice","exit_status":0,' +
        '"host":"host.example","pid":4711',
    )
  })

  test("keeps a record's own time", () => {
    const time = '2026-01-14T08:00:00.000Z'

    assert.equal(JSON.parse(`{${encodeBody({ type: 'start', time }, ORIGIN)}}`).time, time)
  })

  test('never writes a field that records do not have', () => {
    const record = { type: 'issued', session_token: 'FwoGZXIvYXdzEXAMPLE' } as LogRecord

    assert.ok(!encodeBody(record, ORIGIN).includes('EXAMPLE'))
  })

  test('refuses a record that holds a secret, at any depth, without telling it', () => {
    const secret = new Secret('wJalrXUtnFEMI') as unknown as string
    const records: LogRecord[] = [
      { type: 'issued', reason: secret },
      { type: 'issued', policy: { reference: secret } },
    ]
    for (const record of records) {
      assert.throws(
        () => encodeBody(record, ORIGIN),
        (error) =>
          error instanceof TypeError && /secret/.test(error.message) && !/wJal/.test(error.message),
      )
    }
  })

  test('refuses what JSON would change into something else', () => {
    for (const value of [Number.NaN, Infinity, null, () => 1]) {
      const record = { type: 'served', count: value } as unknown as LogRecord
      assert.throws(() => encodeBody(record, ORIGIN), TypeError)
    }
  })

  test('cuts a long text at a whole character and marks it', () => {
    const { reason } = JSON.parse(
      `{${encodeBody({ type: 'refused', reason: '😀'.repeat(5_000) }, ORIGIN)}}`,
    )

    assert.match(reason, /^(😀)+…$/u)
    assert.ok(reason.length > 100, String(reason.length))
  })

  test('cuts the long texts of a record, not the short ones', () => {
    const roleArn = `arn:aws:iam::444455556666:role/${'p'.repeat(64)}`
    const long = '\u0000'.repeat(100_000)
    const record: LogRecord = { type: 'refused', profile: long, reason: long, role_arn: roleArn }

    assert.equal(JSON.parse(`{${encodeBody(record, ORIGIN)}}`).role_arn, roleArn)
  })

  test('makes every record fit, with each of its fields as long as can be', () => {
    const long = '\u{1f600}'.repeat(10_000)
    const texts = Object.fromEntries(TEXT_FIELDS.map((field) => [field, long]))
    const most = Number.MAX_SAFE_INTEGER
    const record: LogRecord = {
      type: 'issued',
      ...texts,
      policy: { reference: long, version: most, sha256: long },
      mode: 'credential_process',
      effect: 'require_server_session',
      outcome: 'refused',
      basis: 'break_glass',
      peer: 'unknown',
      rule_index: most,
      stale_policy: true,
      stamped: true,
      endpoint_override: true,
      duration_seconds: most,
      repeats: most,
      count: most,
      exit_status: most,
    }

    const body = encodeBody(record, { ...ORIGIN, host: long })

    assert.ok(body.length <= BODY_MAX, String(body.length))
    assert.equal(JSON.parse(`{${body}}`).exit_status, most)
  })
})

/** Up to 16 units from all of Unicode, lone surrogates and controls included. */
function randomText(next: () => number): string {
  const ranges = [0x80, 0x80, 0x100, 0x3000, 0x10000, 0x110000]
  let text = ''
  for (let length = Math.floor(next() * 9); length > 0; length--) {
    text += String.fromCodePoint(Math.floor(next() * pick(next, ranges)))
  }
  return text
}
