import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { exchange, openGateway, REFUSAL, requestText, SERVED, splitAnswers } from './gateway.ts'
import { refusedShapes, type Shape, servedShapes } from './request-shapes.ts'

const textOf = (port: number, { line, headers, body = '' }: Shape) =>
  requestText(port, { line, headers: [...headers], body })

suite('the one shape of requests', () => {
  test('is what each SDK sends', async () => {
    await using gateway = await openGateway()
    for (const shape of servedShapes(gateway.port)) {
      const text = textOf(gateway.port, shape)
      const [answer] = splitAnswers(await exchange(gateway.port, text, { answers: 1 }))
      assert.equal(answer?.status, 200, shape.name)
      assert.deepEqual(JSON.parse(answer.body), SERVED)
    }
    assert.equal(gateway.peers.length, servedShapes(gateway.port).length)
  })

  test('is nothing else: any other gets the same bytes, and none reaches the supply', async () => {
    await using gateway = await openGateway()
    const shapes = refusedShapes(gateway.port)
    assert.ok(shapes.length >= 500)

    for (let at = 0; at < shapes.length; at += 32) {
      await Promise.all(
        shapes.slice(at, at + 32).map(async (shape) => {
          const received = await exchange(gateway.port, textOf(gateway.port, shape), {
            // Some of them are not whole requests: then nothing happens until we are done.
            halfClose: true,
          })
          assert.equal(received, REFUSAL, shape.name)
        }),
      )
    }
    assert.deepEqual(gateway.peers, [])
    assert.deepEqual(gateway.bugs, [])
  })
})
