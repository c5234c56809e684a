import assert from 'node:assert/strict'
import { createServer, type Server, type Socket } from 'node:net'
import { suite, test } from 'node:test'
import { getCACertificates, setDefaultCACertificates } from 'node:tls'
import { createPost, type PostSettings } from '../../src/notify/post.ts'
import { openConnectProxy, TLS } from '../fixtures/aws/connect-proxy.ts'
import { openScriptedServer } from '../fixtures/aws/scripted-server.ts'
import { WAITING } from './receivers.ts'

const PATH = '/services/T0/s3cr3t-path'
const BODY = '{"told":"s3cr3t-body"}'

function send(
  address: string,
  { signal = WAITING, ...settings }: Partial<PostSettings> & { signal?: AbortSignal } = {},
): Promise<number> {
  const post = createPost({ version: '1.2.3', ...settings })
  const headers = { 'Content-Type': 'application/json', 'X-Kept': 's3cr3t-header' }
  return post({ receiver: 'webhook there', address, headers, body: BODY }, signal)
}

/** A server that does to each connection what `act` says, once the request has begun. */
async function openRawServer(act: (socket: Socket) => void) {
  const sockets = new Set<Socket>()
  const server: Server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    socket.once('data', () => act(socket))
  })
  const { promise, resolve } = Promise.withResolvers<void>()
  server.listen(0, '127.0.0.1', resolve)
  await promise
  const address = server.address()
  assert.ok(typeof address === 'object' && address)
  return {
    url: `http://127.0.0.1:${address.port}${PATH}`,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      await server[Symbol.asyncDispose]()
    },
  }
}

/** Trusts the test's certificate as a machine would that has it installed. */
function trusting(): Disposable {
  const before = getCACertificates('default')
  setDefaultCACertificates([...before, TLS.cert])
  return { [Symbol.dispose]: () => setDefaultCACertificates(before) }
}

suite('post', () => {
  test('posts the body with its headers, and says who it is', async () => {
    await using server = await openScriptedServer(() => ({ status: 202 }))
    assert.equal(await send(`${server.url}${PATH}`), 202)
    const [{ method, path, headers, body } = assert.fail('nothing came')] = server.received
    assert.deepEqual({ method, path, body }, { method: 'POST', path: PATH, body: BODY })
    assert.equal(headers['content-type'], 'application/json')
    assert.equal(headers['content-length'], String(BODY.length))
    assert.equal(headers['user-agent'], 'sentinel/1.2.3')
    assert.equal(headers['transfer-encoding'], undefined)
  })

  test('follows no redirect', async () => {
    await using inside = await openScriptedServer(() => ({}))
    for (const status of [301, 302, 303, 307, 308]) {
      await using server = await openScriptedServer(() => ({
        status,
        headers: { location: `${inside.url}/inside` },
      }))
      assert.equal(await send(`${server.url}${PATH}`), status)
    }
    assert.equal(inside.connections, 0)
  })

  test('speaks https with who shows a certificate that is trusted', async () => {
    using _ = trusting()
    await using server = await openScriptedServer(() => ({}), TLS)
    assert.equal(await send(`${server.url}${PATH}`), 200)
    assert.equal(server.received.length, 1)
  })

  test('sends nothing to who shows a certificate that is not, whatever the environment says', async (t) => {
    await using server = await openScriptedServer(() => ({}), TLS)
    process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0'
    t.after(() => delete process.env.NODE_TLS_REJECT_UNAUTHORIZED)
    await assert.rejects(send(`${server.url}${PATH}`), {
      code: 'NOTIFICATION_FAILED',
      message: 'webhook there could not be reached: DEPTH_ZERO_SELF_SIGNED_CERT',
    })
    assert.deepEqual(server.received, [])
  })

  test('sends nothing to who shows a certificate of somebody else', async () => {
    using _ = trusting()
    await using server = await openScriptedServer(() => ({}), TLS)
    await using proxy = await openConnectProxy(server.port)
    await assert.rejects(send(`https://hooks.example${PATH}`, { proxy: proxy.url }), {
      message: 'webhook there could not be reached: ERR_TLS_CERT_ALTNAME_INVALID',
    })
    assert.deepEqual(proxy.tunnels, ['hooks.example:443'])
    assert.deepEqual(server.received, [])
  })

  test('goes through the proxy, but not to this machine', async () => {
    using _ = trusting()
    await using server = await openScriptedServer(() => ({}), TLS)
    await using proxy = await openConnectProxy(server.port)
    // A name that the certificate has, and that leads nowhere else here.
    const named = `https://sts.eu-central-1.amazonaws.com${PATH}`
    assert.equal(await send(named, { proxy: proxy.url }), 200)
    assert.equal(await send(`https://localhost:${server.port}${PATH}`, { proxy: proxy.url }), 200)
    assert.deepEqual(proxy.tunnels, ['sts.eu-central-1.amazonaws.com:443'])
    assert.equal(server.received.length, 2)
  })

  const FORBIDDEN = [
    'http://hooks.example/x',
    'http://10.0.0.1/x',
    'http://169.254.169.254/latest/meta-data',
    'http://127.0.0.1.evil.example/x',
    'http://[::2]/x',
    'https://user:pass@hooks.example/x',
    'ftp://hooks.example/x',
    'file:///etc/passwd',
    'hooks.example',
    '',
  ]
  for (const address of FORBIDDEN) {
    test(`posts nothing to "${address}"`, async () => {
      await assert.rejects(send(address), {
        code: 'NOTIFICATION_REFUSED',
        message: 'webhook there is not an address to post to',
      })
    })
  }

  test('takes localhost for this machine, whatever a resolver says', async () => {
    await using server = await openScriptedServer(() => ({ status: 204 }))
    assert.equal(await send(`http://localhost:${server.port}${PATH}`), 204)
  })

  test('gives up on who does not answer in time', async () => {
    await using server = await openScriptedServer(() => 'hang')
    await assert.rejects(send(`${server.url}${PATH}`, { timeoutMs: 50 }), {
      code: 'NOTIFICATION_FAILED',
      message: 'webhook there did not answer in time',
    })
  })

  test('gives up on who drips an answer', async () => {
    await using server = await openRawServer((socket) => {
      const drip = setInterval(() => socket.write('X'), 10)
      socket.write('HTTP/1.1 200 OK\r\n')
      socket.on('close', () => clearInterval(drip))
    })
    await assert.rejects(send(server.url, { timeoutMs: 100 }), { message: /in time/ })
  })

  test('stops when the time for it is over', async () => {
    await using server = await openScriptedServer(() => 'hang')
    const controller = new AbortController()
    setTimeout(() => controller.abort(), 30)
    await assert.rejects(send(`${server.url}${PATH}`, { signal: controller.signal }), {
      code: 'NOTIFICATION_FAILED',
      message: 'webhook there was given up, as the time for it was over',
    })
  })

  test('is content with the status of an answer that never ends', async () => {
    let written = 0
    await using server = await openRawServer((socket) => {
      socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n')
      const pour = () => {
        while (!socket.destroyed) {
          written += 16_384
          if (!socket.write(`4000\r\n${'x'.repeat(16_384)}\r\n`)) return
        }
      }
      socket.on('drain', pour)
      pour()
    })
    assert.equal(await send(server.url), 200)
    // No more than what the kernel takes on its own.
    assert.ok(written < 64 * 1024 * 1024, `${written} bytes`)
  })

  const BROKEN: [what: string, act: (socket: Socket) => void, code: RegExp][] = [
    ['is reset', (socket) => socket.resetAndDestroy(), /: (ECONNRESET|EPIPE)$/],
    ['ends without an answer', (socket) => socket.end(), /: ECONNRESET$/],
    ['answers garbage', (socket) => socket.end('\0\0 It works! s3cr3t-answer\r\n\r\n'), /: HPE_/],
    [
      'answers with endless headers',
      (socket) => socket.end(`HTTP/1.1 200 OK\r\nX: ${'x'.repeat(100_000)}\r\n\r\n`),
      /: HPE_HEADER_OVERFLOW$/,
    ],
  ]
  for (const [what, act, message] of BROKEN) {
    test(`may try again when the connection ${what}`, async () => {
      await using server = await openRawServer(act)
      await assert.rejects(send(server.url), { code: 'NOTIFICATION_FAILED', message })
    })
  }

  test('may try again when nobody listens', async () => {
    const server = await openRawServer(() => {})
    await server[Symbol.asyncDispose]()
    await assert.rejects(send(server.url), { message: /: ECONNREFUSED$/ })
  })

  test('keeps addresses, headers and bodies out of its errors', async () => {
    for (const [, act] of BROKEN) {
      await using server = await openRawServer(act)
      const error = await send(server.url).catch((caught: unknown) => caught)
      assert.ok(error instanceof Error)
      const { cause } = error
      const everything = JSON.stringify([error, error.message, error.stack, cause])
      assert.doesNotMatch(everything, /s3cr3t/)
      // Nor anything with more inside than it shows.
      assert.deepEqual(Object.keys(cause ?? {}).toSorted(), ['code', 'name'])
    }
  })
})
