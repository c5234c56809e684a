import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { inspect } from 'node:util'
import { type ErrorCode, SentinelError } from '../../../src/errors.ts'
import { tableError } from '../../../src/stores/dynamodb/faults.ts'

const LOCATION = 'dynamodb:eu-central-1:sentinel-sessions'
const CALL = { location: LOCATION, action: 'UpdateItem' }

/** An error as the SDK throws it. */
function failure(name: string, status?: number, more: object = {}): Error {
  return Object.assign(new Error('said DynamoDB: s3cr3t'), {
    name,
    ...(status !== undefined && { $metadata: { httpStatusCode: status, requestId: '0-0' } }),
    $response: { body: 's3cr3t' },
    ...more,
  })
}

suite('tableError', () => {
  const table: [error: Error, code: ErrorCode, message: RegExp, hint: RegExp][] = [
    [
      failure('ResourceNotFoundException', 400),
      'STORE_NOT_FOUND',
      /the table .* does not exist/,
      /sentinel init tables --session-table eu-central-1:sentinel-sessions$/,
    ],
    [failure('ValidationException', 400), 'STORE_INVALID', /not the keys/, /sentinel init tables/],
    [
      failure('AccessDeniedException', 400),
      'STORE_UNAVAILABLE',
      /denies UpdateItem/,
      /allow dynamodb:BatchGetItem, dynamodb:PutItem, dynamodb:UpdateItem on the table/,
    ],
    ...[
      'ProvisionedThroughputExceededException',
      'ThrottlingException',
      'RequestLimitExceeded',
    ].map((name): (typeof table)[number] => [
      failure(name, 400),
      'STORE_UNAVAILABLE',
      /throttled/,
      /limits of the table/,
    ]),
    [failure('Anything', 429), 'STORE_UNAVAILABLE', /throttled/, /again/],
    [failure('ExpiredTokenException', 400), 'STORE_UNAVAILABLE', /have expired/, /log in again/],
    [failure('UnrecognizedClientException', 400), 'STORE_UNAVAILABLE', /not know/, /log in again/],
    [failure('CredentialsProviderError'), 'STORE_UNAVAILABLE', /not know/, /log in again/],
    [failure('InvalidSignatureException', 400), 'STORE_UNAVAILABLE', /signature/, /clock/],
    [failure('InternalServerError', 500), 'STORE_UNAVAILABLE', /trouble of its own/, /again/],
    [failure('ServiceUnavailable', 503), 'STORE_UNAVAILABLE', /trouble of its own/, /again/],
    [failure('TimeoutError'), 'STORE_UNAVAILABLE', /did not answer in time/, /again/],
    [failure('AbortError'), 'STORE_UNAVAILABLE', /did not answer in time/, /again/],
    [failure('Error', undefined, { code: 'ETIMEDOUT' }), 'STORE_UNAVAILABLE', /in time/, /network/],
    [
      failure('Error', undefined, { code: 'ECONNREFUSED' }),
      'STORE_UNAVAILABLE',
      /cannot be reached \(ECONNREFUSED\)/,
      /network/,
    ],
    [failure('SyntaxError', 200), 'STORE_UNAVAILABLE', /something that is not DynamoDB/, /network/],
    [failure('SyntaxError'), 'STORE_UNAVAILABLE', /something that is not DynamoDB/, /network/],
    [failure('Puzzling', 302), 'STORE_UNAVAILABLE', /something that is not DynamoDB/, /network/],
    [failure('Puzzling', 400), 'STORE_UNAVAILABLE', /refused the call \(Puzzling/, /again/],
    [failure('constructor', 400), 'STORE_UNAVAILABLE', /refused the call \(constructor/, /again/],
    [failure('<script>', 400), 'STORE_UNAVAILABLE', /refused the call \(Error/, /again/],
    [new TypeError('x is not a function'), 'STORE_UNAVAILABLE', /be asked \(TypeError\)/, /again/],
  ]
  for (const [error, code, message, hint] of table) {
    const { name, code: system = '' } = error as Error & { code?: string }
    test(`makes ${code} of ${name} ${system}: ${message.source}`, () => {
      const translated = tableError(error, CALL, false)
      assert.equal(translated.code, code)
      assert.match(translated.message, message)
      assert.ok(translated.message.includes(LOCATION))
      assert.match(translated.hint ?? '', hint)
      assert.doesNotMatch(inspect(translated, { depth: 9 }), /s3cr3t/)
    })
  }

  test('names the index that is missing, however DynamoDB says so', () => {
    const call = { ...CALL, action: 'Query', index: 'gsi-live' }
    for (const name of ['ValidationException', 'ResourceNotFoundException']) {
      const error = tableError(failure(name, 400), call, false)
      assert.equal(error.code, 'STORE_NOT_FOUND')
      assert.match(error.message, /index gsi-live/)
    }
    const denied = tableError(failure('AccessDeniedException', 400), call, false)
    assert.match(denied.hint ?? '', /allow dynamodb:Query, dynamodb:Scan on the indexes/)
  })

  test('says that there was no answer in time of whatever a given up call threw', () => {
    const error = tableError(failure('Error', undefined, { code: 'ECONNRESET' }), CALL, true)
    assert.match(error.message, /did not answer in time/)
  })

  test('passes on what whoever gives the credentials says, under its own code', () => {
    const expired = new SentinelError('BASE_CREDENTIALS_EXPIRED', 'the session ended', {
      hint: 'run: aws sso login',
    })
    const error = tableError(expired, CALL, false)
    assert.equal(error.code, 'STORE_UNAVAILABLE')
    assert.match(error.message, /the session ended$/)
    assert.equal(error.hint, 'run: aws sso login')
  })

  test('keeps of a failure its name, code, status and request id', () => {
    const error = tableError(failure('InternalServerError', 500, { code: 'X' }), CALL, false)
    assert.deepEqual(error.cause, {
      name: 'InternalServerError',
      code: 'X',
      status: 500,
      requestId: '0-0',
    })
  })

  test('survives what is no error at all', () => {
    assert.equal(tableError('s3cr3t', CALL, false).code, 'STORE_UNAVAILABLE')
    assert.equal(tableError(undefined, CALL, false).code, 'STORE_UNAVAILABLE')
  })

  test('names the command that makes a table of its kind', () => {
    const arn = 'arn:aws:dynamodb:eu-central-1:111122223333:table/r'
    const places = [
      [{ kind: 'requests', location: 'dynamodb:eu-central-1:r' }, '--request-table eu-central-1:r'],
      [{ kind: 'requests', location: arn }, `--request-table ${arn}`],
      [{ kind: 'break_glass', location: 'dynamodb:b' }, '--breakglass-table b'],
    ] as const
    for (const [place, flag] of places) {
      const call = { ...place, action: 'Query', index: 'gsi-day' }
      for (const name of ['ResourceNotFoundException', 'ValidationException']) {
        const { hint } = tableError(failure(name, 400), call, false)
        assert.equal(hint?.replace(/^.*(?= init tables)/, ''), ` init tables ${flag}`)
      }
    }
  })
})
