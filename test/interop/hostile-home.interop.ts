import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { DEMO_KEYS } from '../../src/demo/world.ts'
import { missing } from '../fixtures/tools.ts'
import { BOTO3, CLIENTS, JAVASCRIPT, keysOf, sideBySide } from './clients.ts'
import { holdToGateway, openTrap } from './hold-to-gateway.ts'
import { HOSTILE_HOMES } from './hostile-homes.ts'

/** What Sentinel would have set; and nobody may go and look for a real instance's metadata. */
const WITHOUT_SENTINEL = {
  AWS_REGION: 'eu-central-1',
  AWS_DEFAULT_REGION: 'eu-central-1',
  AWS_EC2_METADATA_DISABLED: 'true',
}

suite('in a hostile home', { concurrency: 3 }, () => {
  holdToGateway(CLIENTS)
})

suite('a home is hostile', { concurrency: 3, skip: missing(...BOTO3.needs) }, () => {
  for (const [name, makeHome] of Object.entries(HOSTILE_HOMES)) {
    test(`${name}: a client without Sentinel is trapped`, async () => {
      await using trap = await openTrap(makeHome)
      const { scene, home } = trap

      await scene.run(sideBySide([BOTO3, JAVASCRIPT]), {
        env: { ...WITHOUT_SENTINEL, ...home.env, ...home.bait },
      })

      const used = [BOTO3, JAVASCRIPT].flatMap((client) => keysOf(client, scene.aws.journal))
      assert.ok(used.length > 0, 'nobody found any credentials')
      assert.ok(!used.includes(DEMO_KEYS.alice.accessKeyId))
    })
  }
})
