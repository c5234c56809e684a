import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { SSMPolicySource } from '../../src/aws/ssm-policy.ts'
import { Secret } from '../../src/domain/secret.ts'
import { SentinelError } from '../../src/errors.ts'
import { openHome } from '../fixtures/aws/home.ts'
import { openRoom, QUIETLY } from '../fixtures/aws/room.ts'
import { type Answer, openScriptedServer } from '../fixtures/aws/scripted-server.ts'

const NAME = '/sentinel/policies/default'
const KEYS = {
  accessKeyId: 'ASIACORP',
  secretAccessKey: new Secret('s3cr3t'),
  sessionToken: new Secret('t0k3n'),
}
const { signal } = QUIETLY

const json = (body: unknown, status = 200): Answer => ({
  status,
  headers: { 'content-type': 'application/x-amz-json-1.1' },
  body: JSON.stringify(body),
})
const holding = (Value: string, Version = 7) => json({ Parameter: { Name: NAME, Value, Version } })
const failing = (code: string, status = 400) => json({ __type: code, message: code }, status)

/** The source over an SSM that gives `answer` to everything. */
async function openSource(
  answer: Answer | 'hang',
  options: Partial<ConstructorParameters<typeof SSMPolicySource>[0]> = {},
) {
  await using stack = new AsyncDisposableStack()
  const server = stack.use(await openScriptedServer(() => answer))
  stack.use(openHome({}, { AWS_ENDPOINT_URL_SSM: server.url }))
  const { transport, clock } = stack.use(openRoom())
  const source = new SSMPolicySource({
    transport,
    region: 'eu-central-1',
    parameter: NAME,
    profile: 'prod',
    credentials: async () => KEYS,
    ...options,
  })
  const opened = stack.move()
  return { source, server, clock, [Symbol.asyncDispose]: () => opened.disposeAsync() }
}

suite('SSMPolicySource', () => {
  test('reads the text and its version, decrypted', async () => {
    await using world = await openSource(holding('version: "1"\n'))
    assert.deepEqual(await world.source.fetch(signal), { text: 'version: "1"\n', version: 7 })
    const [request] = world.server.received
    assert.deepEqual(JSON.parse(request?.body ?? ''), { Name: NAME, WithDecryption: true })
    assert.match(String(request?.headers.authorization), /ASIACORP\/\d+\/eu-central-1\/ssm/)
    assert.equal(world.source.reference, `ssm:eu-central-1:${NAME}`)
  })

  test('reads a policy that is stored compressed', async () => {
    const value = `#sentinel:gzip+base64\n${gzipSync('version: "1"\n').toString('base64')}`
    await using world = await openSource(holding(value))
    assert.equal((await world.source.fetch(signal)).text, 'version: "1"\n')
  })

  test('takes the ARN of a parameter for its name', async () => {
    const parameter = `arn:aws:ssm:eu-central-1:111122223333:parameter${NAME}`
    await using world = await openSource(holding('x'), { parameter })
    await world.source.fetch(signal)
    assert.equal(JSON.parse(world.server.received[0]?.body ?? '').Name, parameter)
    assert.equal(world.source.reference, `ssm:eu-central-1:${parameter}`)
  })

  test('is not made for an ARN of another region', async () => {
    const parameter = `arn:aws:ssm:us-east-1:111122223333:parameter${NAME}`
    await assert.rejects(openSource(holding('x'), { parameter }), {
      code: 'CONFIG_INVALID',
      hint: `name the policy as ssm:us-east-1:${parameter}`,
    })
  })

  test('asks for credentials at each fetch', async () => {
    let count = 0
    const credentials = async () => ({ ...KEYS, accessKeyId: `ASIA${++count}` })
    await using world = await openSource(holding('x'), { credentials })
    await world.source.fetch(signal)
    await world.source.fetch(signal)
    const signers = world.server.received.map(
      ({ headers }) => /Credential=(\w+)/.exec(String(headers.authorization))?.[1],
    )
    assert.deepEqual(signers, ['ASIA1', 'ASIA2'])
  })

  test('fails as its credentials do', async () => {
    const gone = new SentinelError('BASE_CREDENTIALS_EXPIRED', 'log in')
    await using world = await openSource(holding('x'), {
      credentials: () => Promise.reject(gone),
    })
    await assert.rejects(world.source.fetch(signal), gone)
  })

  const failures: [what: string, answer: Answer, code: string, hint: RegExp][] = [
    ['no parameter', failing('ParameterNotFound'), 'POLICY_NOT_FOUND', /name and the region/],
    ['no such version', failing('ParameterVersionNotFound'), 'POLICY_NOT_FOUND', /name/],
    ['no permission', failing('AccessDeniedException'), 'POLICY_UNAVAILABLE', /kms:Decrypt/],
    ['no key', failing('InvalidKeyId'), 'POLICY_UNAVAILABLE', /kms:Decrypt/],
    ['ended credentials', failing('ExpiredTokenException'), 'POLICY_UNAVAILABLE', /log in/],
    ['throttling', failing('ThrottlingException'), 'POLICY_UNAVAILABLE', /try again/],
    ['a fault', failing('InternalServerError', 500), 'POLICY_UNAVAILABLE', /try again/],
    ['no value', json({ Parameter: { Name: NAME } }), 'POLICY_UNAVAILABLE', /try again/],
    ['no JSON', { body: 'It works!' }, 'POLICY_UNAVAILABLE', /try again/],
    ['a policy too large', holding('x'.repeat(65_537)), 'POLICY_INVALID', /shorten/],
  ]
  for (const [what, answer, code, hint] of failures) {
    test(`makes ${code} of ${what}`, async () => {
      await using world = await openSource(answer)
      await assert.rejects(world.source.fetch(signal), { code, hint })
    })
  }

  test('gives up on an SSM that never answers', async () => {
    await using world = await openSource('hang', { timeoutMs: 100 })
    await assert.rejects(world.source.fetch(signal), { code: 'POLICY_UNAVAILABLE' })
  })

  test('stops when nobody wants the policy any more', async () => {
    await using world = await openSource('hang')
    const controller = new AbortController()
    const fetching = world.source.fetch(controller.signal)
    setTimeout(() => controller.abort(), 50)
    await assert.rejects(fetching, { code: 'INTERRUPTED' })
  })

  test('teaches the clock what time it is at AWS', async () => {
    const answer = holding('x')
    const date = new Date(Date.now() - 3_600_000).toUTCString()
    await using world = await openSource({ ...answer, headers: { ...answer.headers, date } })
    await world.source.fetch(signal)
    assert.throws(() => world.clock.aws(), { code: 'CLOCK_SKEWED', message: /ahead of AWS/ })
  })
})
