import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { ERRORS, type ErrorCode, SentinelError } from '../../src/errors.ts'
import { INTERNAL_ERROR, toErrorReply, UNAUTHORIZED } from '../../src/server/error-reply.ts'

const CODES = Object.keys(ERRORS) as ErrorCode[]

suite('toErrorReply', () => {
  test('writes each code as AWS writes codes, on one line of four fields', () => {
    const { status, body } = toErrorReply(new SentinelError('BASE_CREDENTIALS_EXPIRED', 'x'))
    const message = ERRORS.BASE_CREDENTIALS_EXPIRED.when
    assert.equal(status, 403)
    assert.equal(
      body,
      `{"Code":"BaseCredentialsExpired","Message":"${message}",` +
        `"code":"BaseCredentialsExpired","message":"${message}"}`,
    )
  })

  test('never says a message, a hint or a cause, whatever the code', () => {
    for (const code of CODES) {
      const { body } = toErrorReply(
        new SentinelError(code, 'INNER arn:aws:iam::111122223333:role/x', {
          hint: 'INNER /home/alice',
          cause: new Error('INNER'),
        }),
      )
      assert.doesNotMatch(body, /INNER/, code)
    }
  })

  test('knows no status but 401, 403, 500 and 503', () => {
    for (const code of CODES) {
      const { status } = toErrorReply(new SentinelError(code, 'x', { reply: 'y' }))
      assert.ok([401, 403, 500, 503].includes(status), `${code}: ${status}`)
    }
  })

  test('says the same of every 401 and every 500, whatever they would say', () => {
    for (const code of CODES.filter((code) => ERRORS[code].status === 401)) {
      assert.equal(toErrorReply(new SentinelError(code, 'x', { reply: 'y' })), UNAUTHORIZED)
    }
    for (const code of CODES.filter((code) => ERRORS[code].status === 500)) {
      assert.equal(toErrorReply(new SentinelError(code, 'x', { reply: 'y' })), INTERNAL_ERROR)
    }
  })

  test('escapes what a terminal would obey', () => {
    const reply = 'a\u009b31m\u202e"b"\n\u{1f600}é\u007f'
    const { body } = toErrorReply(new SentinelError('POLICY_DENIED', 'x', { reply }))
    assert.match(body, /^[ -~]+$/)
    assert.equal(JSON.parse(body).Message, reply)
  })
})
