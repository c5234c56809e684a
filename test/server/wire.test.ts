import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { connect, createServer, type Socket } from 'node:net'
import { suite, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { SentinelError } from '../../src/errors.ts'
import {
  CANARY,
  CHAINS,
  credentials,
  exchange,
  goodHeaders,
  openGateway,
  REFUSAL,
  requestText,
  SERVED,
  splitAnswers,
} from './gateway.ts'

for (const [kind, layers] of Object.entries(CHAINS)) {
  suite(`on the wire, ${kind}`, () => {
    const open = (overrides: Parameters<typeof openGateway>[0] = {}) =>
      openGateway({ layers, ...overrides })

    test('an answer is exactly this, without a date and not to be kept', async () => {
      await using gateway = await open()
      const headers = [...goodHeaders(gateway.port), 'Connection: close']
      assert.equal(
        await exchange(gateway.port, requestText(gateway.port, { headers })),
        'HTTP/1.1 200 OK\r\n' +
          'Content-Type: application/json\r\n' +
          'Content-Length: 156\r\n' +
          'Cache-Control: no-store\r\n' +
          'Connection: close\r\n' +
          '\r\n' +
          JSON.stringify(SERVED),
      )
    })

    for (const [code, status, retryAfter] of [
      ['POLICY_DENIED', 403, undefined],
      ['STS_UNAVAILABLE', 503, '1'],
      ['USAGE', 500, undefined],
    ] as const) {
      test(`a ${status} says ${retryAfter ? 'when' : 'not'} to ask again`, async () => {
        const refuse = async () => {
          throw new SentinelError(code, 'x')
        }
        await using gateway = await open({ supply: { serve: refuse } })
        const text = requestText(gateway.port)
        const [answer] = splitAnswers(await exchange(gateway.port, text, { answers: 1 }))
        assert.equal(answer?.status, status)
        assert.equal(/\r\nretry-after: (.*)/i.exec(answer.head)?.[1], retryAfter)
        assert.match(answer.head, /\r\nContent-Type: application\/json\r\n/)
        assert.match(answer.head, /\r\nCache-Control: no-store\r\n/)
      })
    }

    test('one connection serves one request after the other', async () => {
      await using gateway = await open()
      const socket = connect(gateway.port, '127.0.0.1')
      for (let turn = 0; turn < 3; turn += 1) {
        socket.write(requestText(gateway.port))
        const [chunk] = (await once(socket, 'data')) as [Buffer]
        assert.match(chunk.toString(), /^HTTP\/1\.1 200 /)
      }
      socket.destroy()
    })

    test('a request may come in pieces', async () => {
      await using gateway = await open()
      const socket = connect(gateway.port, '127.0.0.1')
      for (const piece of requestText(gateway.port).match(/[\s\S]{1,20}/g) ?? []) {
        socket.write(piece)
        await sleep(2)
      }
      const [chunk] = (await once(socket, 'data')) as [Buffer]
      assert.match(chunk.toString(), /^HTTP\/1\.1 200 /)
      socket.destroy()
    })

    test('a header cannot be smuggled in through another’s value', async () => {
      await using gateway = await open()
      const [, ...rest] = goodHeaders(gateway.port)
      const headers = [`Host: 127.0.0.1:${gateway.port}\r\nHost: evil.example`, ...rest]
      assert.equal(await exchange(gateway.port, requestText(gateway.port, { headers })), REFUSAL)
    })

    test('a body is not read as the next request', async () => {
      await using gateway = await open()
      const inner = requestText(gateway.port)
      const headers = [...goodHeaders(gateway.port), `Content-Length: ${inner.length}`]
      const text = requestText(gateway.port, { headers, body: inner })
      assert.equal(await exchange(gateway.port, text), REFUSAL)
      assert.deepEqual(gateway.peers, [])
    })

    test('pipelined requests are answered in order, up to the first refusal', async () => {
      let turn = 0
      const supply = {
        // The first takes longest.
        serve: async () => {
          turn += 1
          const accountId = `${turn}`
          await sleep(20 / turn)
          return { ...credentials, accountId }
        },
      }
      await using gateway = await open({ supply })
      const good = requestText(gateway.port)
      const bad = requestText(gateway.port, { line: 'HEAD /credentials HTTP/1.1' })

      for (const end of [bad, 'garbage\r\n\r\n', 'CONNECT x:1 HTTP/1.1\r\n\r\n']) {
        turn = 0
        const received = await exchange(gateway.port, good.repeat(3) + end + good)
        const answers = splitAnswers(received)
        assert.deepEqual(
          answers.slice(0, 3).map(({ body }) => JSON.parse(body).AccountId),
          ['1', '2', '3'],
        )
        assert.equal(answers.length, 4)
        assert.ok(received.endsWith(REFUSAL))
      }
    })

    test('5,000 pipelined requests are not worked on at once', async () => {
      let active = 0
      let most = 0
      const supply = {
        serve: async () => {
          active += 1
          most = Math.max(most, active)
          await sleep(5)
          active -= 1
          return credentials
        },
      }
      await using gateway = await open({ supply })
      const received = await exchange(gateway.port, requestText(gateway.port).repeat(5000))
      assert.ok(most <= 8, `${most} at once`)
      assert.equal(splitAnswers(received).length, 9)
      assert.ok(received.endsWith(REFUSAL))
    })

    test('a handler that answers nobody any more hurts nobody else', async () => {
      const waiting = Promise.withResolvers<void>()
      const supply = {
        serve: async () => {
          await waiting.promise
          return credentials
        },
      }
      await using gateway = await open({ supply })
      const socket = connect(gateway.port, '127.0.0.1')
      socket.write(requestText(gateway.port))
      await sleep(20)
      socket.resetAndDestroy()
      await sleep(20)
      waiting.resolve()
      const [answer] = splitAnswers(
        await exchange(gateway.port, requestText(gateway.port), { answers: 1 }),
      )
      assert.equal(answer?.status, 200)
      assert.deepEqual(gateway.bugs, [])
    })

    test('a tunnel that is reset is no error', async () => {
      await using gateway = await open()
      for (let turn = 0; turn < 20; turn += 1) {
        const socket = connect(gateway.port, '127.0.0.1').on('error', () => {})
        await once(socket, 'connect')
        socket.write('CONNECT x:1 HTTP/1.1\r\n\r\n')
        socket.resetAndDestroy()
      }
      const text = requestText(gateway.port)
      assert.match(await exchange(gateway.port, text, { answers: 1 }), /^HTTP\/1\.1 200 /)
    })

    test('a refused client that goes on sending may read why, but not stay', async () => {
      await using gateway = await open()
      const socket = connect({ port: gateway.port, host: '127.0.0.1', allowHalfOpen: true })
      let received = ''
      socket.on('data', (chunk) => {
        received += chunk.toString('latin1')
      })
      socket.write('nonsense\r\n\r\n')
      await once(socket, 'end')
      const refusedAt = performance.now()

      // The server has said all it will say. Sending on fails once it has closed its end, too.
      const failed = once(socket, 'close').catch(() => {})
      const sending = setInterval(() => socket.write('x'), 20)
      await failed
      clearInterval(sending)
      const lingered = performance.now() - refusedAt
      assert.equal(received, REFUSAL)
      assert.ok(lingered > 250 && lingered < 1800, `${lingered} ms`)
    })

    test('more than 512 connections push out their own, not a client that asks', async () => {
      const waiting = Promise.withResolvers<typeof credentials>()
      await using gateway = await open({ supply: { serve: () => waiting.promise } })
      const text = requestText(gateway.port)
      const early = exchange(gateway.port, text, { answers: 1 })

      let closed = 0
      const silent: Socket[] = []
      while (silent.length < 600) {
        const socket = connect(gateway.port, '127.0.0.1').on('error', () => {})
        socket.resume().on('close', () => {
          closed += 1
        })
        silent.push(socket)
        // Not faster than they are accepted, or the kernel makes some of them wait a second.
        if (silent.length % 50 === 0) await sleep(5)
      }
      const late = exchange(gateway.port, text, { answers: 1 })
      // Well before the silent ones are cut for being slow.
      for (let turn = 0; turn < 100 && closed < 600 + 2 - 512; turn += 1) await sleep(10)
      assert.ok(closed >= 600 + 2 - 512, `${closed} closed`)

      waiting.resolve(credentials)
      for (const received of await Promise.all([early, late])) {
        assert.match(received, new RegExp(CANARY))
      }
      for (const socket of silent) socket.destroy()
    })
  })
}

suite('listening', () => {
  test('says that a port is taken', async () => {
    const taken = createServer().listen(0, '127.0.0.1')
    await once(taken, 'listening')
    const { port } = taken.address() as { port: number }
    await assert.rejects(openGateway({ port }), { code: 'PORT_UNAVAILABLE' })
    taken.close()
  })

  test('happens on 127.0.0.1 alone', async () => {
    await using gateway = await openGateway()
    assert.match(gateway.url, /^http:\/\/127\.0\.0\.1:\d+\/credentials$/)
    await assert.rejects(exchange(gateway.port, '', { host: '127.0.0.2' }), {
      code: 'ECONNREFUSED',
    })
  })

  test('ends at once, whatever its connections wait for', async () => {
    const gateway = await openGateway({ supply: { serve: () => new Promise(() => {}) } })
    const busy = exchange(gateway.port, requestText(gateway.port))
    const slow = exchange(gateway.port, 'GET /cred')
    const tunnel = exchange(gateway.port, 'CONNECT x:1 HTTP/1.1\r\n\r\n')
    await sleep(50)

    const start = performance.now()
    await gateway[Symbol.asyncDispose]()
    // Their own timeouts would end them too, but after seconds.
    assert.ok(performance.now() - start < 1000)
    assert.deepEqual(await Promise.all([busy, slow]), ['', ''])
    await tunnel
    await assert.rejects(exchange(gateway.port, ''), { code: 'ECONNREFUSED' })
    await gateway[Symbol.asyncDispose]()
  })

  test('is not inherited by a child', { skip: process.platform !== 'linux' }, async () => {
    await using gateway = await openGateway()
    const port = gateway.port.toString(16).toUpperCase().padStart(4, '0')
    const row = new RegExp(`:${port} 00000000:0000 0A(?:\\s+\\S+){5}\\s+(\\d+)`)
    const inode = row.exec(readFileSync('/proc/net/tcp', 'latin1'))?.[1]
    assert.ok(inode)

    const list = 'for fd in /proc/$$/fd/*; do readlink $fd; done'
    const child = spawnSync('sh', ['-c', list], { stdio: ['inherit', 'pipe', 'inherit'] })
    const descriptors = child.stdout.toString()
    assert.match(descriptors, /\S/)
    assert.ok(!descriptors.includes(`socket:[${inode}]`))
  })
})
