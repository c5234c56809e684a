import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { suite, test } from 'node:test'
import { runDemoClient } from '../../src/demo/demo-client.ts'
import { DEMO_KEYS } from '../../src/demo/world.ts'
import { toSeconds } from '../../src/domain/time.ts'
import { openStory } from './story.ts'

const TOKEN = 'demo-gateway-token'
const MAIN = `
  import { runDemoClient } from ${JSON.stringify(new URL('../../src/demo/demo-client.ts', import.meta.url).href)}
  process.exitCode = await runDemoClient({ env: process.env, print: (line) => console.log(line), isRepeated: false })
`

/** A credentials endpoint such as the gateway's, with `key` behind it. */
async function openGateway(key: object) {
  const tokens: (string | undefined)[] = []
  const server = createServer((request, response) => {
    tokens.push(request.headers.authorization)
    response.setHeader('content-type', 'application/json')
    response.end(JSON.stringify(key))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    tokens,
    uri: `http://127.0.0.1:${port}/credentials`,
    async [Symbol.asyncDispose]() {
      server.close()
      server.closeAllConnections()
    },
  }
}

/** Runs the client in a process and an environment of its own, as `exec` would run it. */
async function run(env: Record<string, string>) {
  const node = ['--import', 'tsx', '--input-type', 'module', '--eval', MAIN]
  const child = spawn(process.execPath, node, {
    env: {
      AWS_REGION: 'eu-central-1',
      AWS_EC2_METADATA_DISABLED: 'true',
      AWS_CONFIG_FILE: '/dev/null',
      AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
      ...env,
    },
    stdio: ['ignore', 'pipe', 'inherit'],
    timeout: 30_000,
  })
  const closed = once(child, 'close')
  const stdout = await text(child.stdout)
  const [status] = await closed
  return { status, stdout }
}

const { accessKeyId, secretAccessKey, sessionToken } = DEMO_KEYS.carol
const CAROL = {
  AccessKeyId: accessKeyId,
  SecretAccessKey: secretAccessKey,
  Token: sessionToken,
  Expiration: toSeconds(Date.now() + 3_600_000),
}

suite('demo client', () => {
  test("finds credentials as the SDK's own chain does, and says who it is", async () => {
    await using aws = await openStory()
    await using gateway = await openGateway(CAROL)
    const result = await run({
      AWS_ENDPOINT_URL_STS: aws.url,
      AWS_CONTAINER_CREDENTIALS_FULL_URI: gateway.uri,
      AWS_CONTAINER_AUTHORIZATION_TOKEN: TOKEN,
      AWS_IGNORE_CONFIGURED_ENDPOINT_URLS: 'true',
    })
    assert.deepEqual(
      { ...result, stdout: JSON.parse(result.stdout) },
      {
        status: 0,
        stdout: {
          account: '111122223333',
          arn: 'arn:aws:sts::111122223333:assumed-role/AWSReservedSSO_Developer_0123456789abcdef/carol@corp.example',
          accessKeyId: 'ASIADEMOCARO…',
        },
      },
    )
    assert.equal(result.stdout.split('\n').length, 2)
    assert.deepEqual(gateway.tokens, [TOKEN])
  })

  test('shows what the SDK says when there are no credentials', async () => {
    await using aws = await openStory()
    const { status, stdout } = await run({ AWS_ENDPOINT_URL_STS: aws.url })
    assert.equal(status, 1)
    assert.match(
      stdout,
      /^CredentialsProviderError: Could not load credentials from any providers\n$/,
    )
    assert.equal(aws.journal.length, 0)
  })

  test('shows what STS says when it refuses', async () => {
    await using aws = await openStory()
    aws.expire(accessKeyId)
    await using gateway = await openGateway(CAROL)
    const { status, stdout } = await run({
      AWS_ENDPOINT_URL_STS: aws.url,
      AWS_CONTAINER_CREDENTIALS_FULL_URI: gateway.uri,
    })
    assert.deepEqual(
      [status, stdout],
      [1, 'ExpiredToken: The security token included in the request is expired\n'],
    )
  })

  test('sends real credentials nowhere', async () => {
    await using aws = await openStory()
    await using gateway = await openGateway({ ...CAROL, AccessKeyId: 'ASIAIOSFODNN7EXAMPLE' })
    const { status, stdout } = await run({
      AWS_ENDPOINT_URL_STS: aws.url,
      AWS_CONTAINER_CREDENTIALS_FULL_URI: gateway.uri,
    })
    assert.equal(status, 1)
    assert.match(stdout, /not of the stand-in AWS/)
    assert.equal(aws.journal.length, 0)
  })

  test('talks to loopback only', async () => {
    const elsewhere = [
      undefined,
      '',
      'nonsense',
      'https://sts.amazonaws.com',
      'https://127.0.0.1:1',
      'http://127.0.0.1.example',
      'http://127.0.0.1@sts.example',
    ]
    for (const endpoint of elsewhere) {
      const lines: string[] = []
      const print = (line: string) => lines.push(line)
      assert.equal(
        await runDemoClient({ env: { AWS_ENDPOINT_URL_STS: endpoint }, print, isRepeated: false }),
        1,
      )
      assert.deepEqual(lines, [`AWS_ENDPOINT_URL_STS is not the stand-in AWS: "${endpoint ?? ''}"`])
    }
  })
})
