import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { inspect } from 'node:util'
import { stsError } from '../../src/aws/sts-errors.ts'
import type { ErrorCode } from '../../src/errors.ts'

const ROLE = 'arn:aws:iam::444455556666:role/Prod'
const CALL = { action: 'AssumeRole', roleArn: ROLE, duration: 3600, secrets: ['s3cr3t', 't0k3n'] }

/** An error as the SDK throws it. */
function failure(name: string, status?: number, message = 'said STS', more: object = {}): Error {
  return Object.assign(new Error(message), {
    name,
    ...(status !== undefined && { $metadata: { httpStatusCode: status, requestId: '0-0' } }),
    ...more,
  })
}

suite('stsError', () => {
  const table: [name: string, status: number | undefined, code: ErrorCode, hint?: RegExp][] = [
    ['ExpiredToken', 403, 'BASE_CREDENTIALS_EXPIRED'],
    ['ExpiredTokenException', 400, 'BASE_CREDENTIALS_EXPIRED'],
    ['InvalidClientTokenId', 403, 'BASE_CREDENTIALS_EXPIRED'],
    ['UnrecognizedClientException', 400, 'BASE_CREDENTIALS_EXPIRED'],
    ['AccessDenied', 403, 'STS_REFUSED', /sts:AssumeRole.*sts:SetSourceIdentity.*trust policy/],
    ['AccessDeniedException', 400, 'STS_REFUSED', /sts:SetSourceIdentity/],
    ['SignatureDoesNotMatch', 403, 'STS_REFUSED', /secret key/],
    ['RequestExpired', 400, 'STS_REFUSED', /clock/],
    ['InvalidIdentityToken', 400, 'STS_REFUSED', /token/],
    ['IDPRejectedClaim', 403, 'STS_REFUSED', /token/],
    ['RegionDisabledException', 403, 'STS_REFUSED', /--region/],
    ['ValidationError', 400, 'STS_REFUSED'],
    ['PackedPolicyTooLarge', 400, 'STS_REFUSED'],
    ['IDPCommunicationError', 400, 'STS_UNAVAILABLE'],
    ['Throttling', 400, 'STS_UNAVAILABLE'],
    ['ThrottlingException', 400, 'STS_UNAVAILABLE'],
    ['RequestLimitExceeded', 400, 'STS_UNAVAILABLE'],
    ['SlowDown', 429, 'STS_UNAVAILABLE'],
    ['Unknown', 429, 'STS_UNAVAILABLE'],
    ['InternalFailure', 500, 'STS_UNAVAILABLE'],
    ['AccessDenied', 503, 'STS_UNAVAILABLE'],
    ['Unknown', 302, 'STS_UNAVAILABLE'],
    ['SyntaxError', 200, 'STS_UNAVAILABLE'],
    ['TimeoutError', undefined, 'STS_UNAVAILABLE'],
    ['Error', undefined, 'STS_UNAVAILABLE'],
    ['constructor', 400, 'STS_REFUSED'],
  ]
  for (const [name, status, code, hint = /./] of table) {
    test(`makes ${code} of ${name}${status === undefined ? '' : ` with status ${status}`}`, () => {
      const error = stsError(failure(name, status), CALL)
      assert.equal(error.code, code)
      assert.match(error.hint ?? '', hint)
      assert.match(error.message, new RegExp(RegExp.escape(ROLE)))
    })
  }

  test('marks a refusal of a duration that the role may not allow', () => {
    const error = stsError(failure('ValidationError', 400), { ...CALL, duration: 7200 })
    assert.deepEqual(error.cause, {
      name: 'ValidationError',
      status: 400,
      requestId: '0-0',
      durationTooLong: true,
    })
    assert.match(error.hint ?? '', /shorter/)
  })

  test('does not blame the duration when every role allows it', () => {
    const { cause } = stsError(failure('ValidationError', 400), CALL)
    assert.ok(!Object.hasOwn(cause as object, 'durationTooLong'))
  })

  test('repeats what STS says about a permission, without the credentials in it', () => {
    const said = 'alice may not sts:TagSession (s3cr3t, t0k3n)'
    const { message } = stsError(failure('AccessDenied', 403, said), CALL)
    assert.match(message, /alice may not sts:TagSession \(\[secret\], \[secret\]\)$/)
  })

  test('gives a hint about the device when a code of it was refused', () => {
    const { hint } = stsError(failure('AccessDenied', 403), { ...CALL, isMFA: true })
    assert.match(hint ?? '', /next code/)
  })

  test('keeps nothing else of what the SDK threw', () => {
    const thrown = failure('SignatureDoesNotMatch', 403, 'x-amz-security-token:t0k3n', {
      $response: { body: '<SecretAccessKey>s3cr3t</SecretAccessKey>' },
    })
    const shown = inspect(stsError(thrown, CALL), { depth: 10, showHidden: true })
    assert.doesNotMatch(shown, /s3cr3t|t0k3n/)
  })
})
