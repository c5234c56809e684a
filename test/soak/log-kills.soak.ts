import { randomInt } from 'node:crypto'
import { suite, test } from 'node:test'
import { killGateways } from '../fixtures/e2e/kill-gateways.ts'

suite('the decision log of killed gateways (LOG-1)', () => {
  test('has a record of every credential that a client got, at 200 kills', async (t) => {
    const seed = randomInt(2 ** 31)
    t.diagnostic(`seed ${seed}: ${JSON.stringify(await killGateways(200, seed))}`)
  })
})
