import assert from 'node:assert/strict'
import { connect, type Socket } from 'node:net'
import { suite, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { scaled } from '../fixtures/random.ts'
import { exchange, openGateway, requestText } from './gateway.ts'

/** HTTP-3, with the half second that a loaded machine may take on top. */
const CUT_WITHIN_MS = 3500

/** Resolves with how long the server lets `socket` live. */
function lifetime(socket: Socket): Promise<number> {
  const start = performance.now()
  socket.resume().on('error', () => {})
  return new Promise((resolve) => {
    socket.once('close', () => resolve(performance.now() - start))
    setTimeout(() => socket.destroy(), 3 * CUT_WITHIN_MS).unref()
  })
}

function drip(port: number): Promise<number> {
  const socket = connect(port, '127.0.0.1')
  const text = requestText(port)
  let at = 0
  const timer = setInterval(() => {
    socket.write(text[at % 60] ?? ' ')
    at += 1
  }, 100)
  socket.on('close', () => clearInterval(timer))
  return lifetime(socket)
}

suite('slow clients', { concurrency: true }, () => {
  test('are cut, and a good client beside them notices nothing', async () => {
    await using gateway = await openGateway()
    const slow = Array.from({ length: scaled(50) }, () => [
      drip(gateway.port),
      lifetime(connect(gateway.port, '127.0.0.1')),
    ]).flat()
    let isOver = false
    const lifetimes = Promise.all(slow).finally(() => {
      isOver = true
    })

    let served = 0
    while (!isOver) {
      const received = await exchange(gateway.port, requestText(gateway.port), { answers: 1 })
      assert.match(received, /^HTTP\/1\.1 200 /)
      served += 1
      await sleep(10)
    }

    assert.ok(served > 10)
    for (const lived of await lifetimes) assert.ok(lived < CUT_WITHIN_MS, `lived ${lived} ms`)
    assert.equal(gateway.peers.length, served)
  })

  test('that ask once and then say nothing more are let go', async () => {
    await using gateway = await openGateway()
    const socket = connect(gateway.port, '127.0.0.1')
    socket.write(requestText(gateway.port))
    assert.ok((await lifetime(socket)) < 7000)
  })

  test('that drip a second request are cut as well', async () => {
    await using gateway = await openGateway()
    const socket = connect(gateway.port, '127.0.0.1')
    socket.write(`${requestText(gateway.port)}GET /cred`)
    assert.ok((await lifetime(socket)) < CUT_WITHIN_MS)
  })
})
