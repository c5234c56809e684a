import assert from 'node:assert/strict'
import { beforeEach, suite, test } from 'node:test'
import { DecisionRecorder } from '../../src/app/decision-recorder.ts'
import { ServedCount } from '../../src/app/served-count.ts'
import { MINUTE } from '../../src/domain/time.ts'
import { World } from '../fixtures/app/world.ts'

const CONTEXT = {
  profile: 'prod',
  mode: 'server',
  version: '0.1.0',
  endpointOverride: false,
} as const

let world: World
let served: ServedCount

function records() {
  return world.log.of('served').map(({ request_id, count, peer }) => [request_id, count, peer])
}

suite('ServedCount', () => {
  beforeEach(() => {
    world = new World()
    const recorder = new DecisionRecorder(world.log, world.clock, CONTEXT)
    served = new ServedCount({ recorder, clock: world.clock })
  })

  test('makes one record a minute of any number of answers', () => {
    for (let request = 0; request < 5000; request += 1) served.add('a', 'same')
    world.clock.advance(MINUTE - 1)
    served.sweep()
    assert.deepEqual(records(), [])

    world.clock.advance(1)
    served.sweep()
    served.sweep()
    assert.deepEqual(records(), [['a', 5000, undefined]])
  })

  test('keeps credentials and unknown peers apart', () => {
    served.add('a', 'same')
    served.add('a', 'unknown')
    served.add('b', 'unknown')
    served.add('a', 'same')
    served.flush()
    assert.deepEqual(records(), [
      ['a', 2, undefined],
      ['a', 1, 'unknown'],
      ['b', 1, 'unknown'],
    ])
  })

  test('begins anew after a record', () => {
    served.add('a', 'same')
    served.flush()
    served.flush()
    served.add('a', 'same')
    served.flush()
    assert.deepEqual(records(), [
      ['a', 1, undefined],
      ['a', 1, undefined],
    ])
  })
})
