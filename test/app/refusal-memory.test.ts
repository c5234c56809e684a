import assert from 'node:assert/strict'
import { beforeEach, suite, test } from 'node:test'
import { DecisionRecorder } from '../../src/app/decision-recorder.ts'
import { RefusalMemory } from '../../src/app/refusal-memory.ts'
import { SECOND } from '../../src/domain/time.ts'
import { SentinelError } from '../../src/errors.ts'
import { World } from '../fixtures/app/world.ts'

const CONTEXT = {
  profile: 'prod',
  mode: 'server',
  version: '0.1.0',
  endpointOverride: false,
} as const

let world: World
let memory: RefusalMemory
let ids = 0

function denied(message = 'profile prod is refused: freeze'): SentinelError {
  return new SentinelError('POLICY_DENIED', message, { hint: 'ask for approval by bob' })
}

function remember(error = denied()): Promise<void> {
  ids += 1
  return memory.remember(error, {}, `request-${ids}`)
}

/** Repeats in the log: of which request, how many. */
function repeats() {
  return world.log.of('refused').flatMap(({ of, repeats }) => (of ? [[of, repeats]] : []))
}

suite('RefusalMemory', () => {
  beforeEach(() => {
    world = new World()
    ids = 0
    memory = new RefusalMemory({
      ...world,
      recorder: new DecisionRecorder(world.log, world.clock, CONTEXT),
    })
  })

  test('COAL-3: makes one record of a denial and one of its repeats', async () => {
    for (let request = 0; request < 5; request += 1) {
      const error = denied()
      await remember(error)
      memory.count(error)
      world.clock.advance(SECOND)
    }
    memory.flush()

    const [first, second, ...more] = world.log.of('refused')
    assert.deepEqual(more, [])
    assert.partialDeepStrictEqual(first, { request_id: 'request-1', code: 'POLICY_DENIED' })
    assert.partialDeepStrictEqual(second, {
      of: 'request-1',
      repeats: 4,
      code: 'POLICY_DENIED',
      outcome: 'refused',
    })
  })

  test('makes no record of repeats when there were none', async () => {
    const error = denied()
    await remember(error)
    memory.count(error)
    memory.flush()
    assert.equal(world.log.of('refused').length, 1)
  })

  test('counts every request that one failure refuses', async () => {
    const error = denied()
    await remember(error)
    for (let request = 0; request < 1000; request += 1) memory.count(error)
    memory.flush()
    assert.deepEqual(repeats(), [['request-1', 999]])
  })

  test('writes the count when the memory ends, and a new record after', async () => {
    const error = denied()
    await remember(error)
    memory.count(error)
    memory.count(error)
    world.clock.advance(5 * SECOND)
    memory.sweep()
    assert.deepEqual(repeats(), [])

    world.clock.advance(1)
    memory.sweep()
    assert.deepEqual(repeats(), [['request-1', 1]])
    await remember(error)
    assert.equal(world.log.of('refused').at(-1)?.request_id, 'request-2')
  })

  test('writes the count when the same comes again too late, without a sweep', async () => {
    const error = denied()
    await remember(error)
    memory.count(error)
    memory.count(error)
    world.clock.advance(5 * SECOND + 1)
    await remember(error)
    assert.deepEqual(repeats(), [['request-1', 1]])
    assert.equal(world.log.of('refused').length, 3)
  })

  test('tells apart what is refused under another policy', async () => {
    const policy = { policy: {}, reference: 'file:p', fetchedAt: world.clock.now() } as never
    await memory.remember(
      denied(),
      { policy: { ...(policy as object), sha256: 'a' } as never },
      '1',
    )
    await memory.remember(
      denied(),
      { policy: { ...(policy as object), sha256: 'b' } as never },
      '2',
    )
    assert.equal(world.log.of('refused').length, 2)
  })

  test('tells the user once, and again when it had passed', async () => {
    const error = denied()
    await remember(error)
    assert.deepEqual(world.notices.warnings, [], 'nobody was refused yet')
    memory.count(error)
    memory.count(error)
    assert.deepEqual(world.notices.warnings, [error.message])
    assert.deepEqual(world.notices.hints, ['ask for approval by bob'])

    memory.recover()
    memory.count(error)
    assert.equal(world.notices.warnings.length, 2)
  })

  test('lets bugs and what was never recorded pass', () => {
    memory.count(new TypeError('a bug'))
    memory.count(denied())
    memory.flush()
    assert.deepEqual([world.log.records, world.notices.warnings], [[], []])
  })

  test('stands without its record, and says so', async () => {
    world.log.isFull = true
    await remember()
    assert.match(world.notices.warnings[0] ?? '', /^decision log .* cannot be written/)
  })

  test('does not say of the log twice that it cannot be written', async () => {
    world.log.isFull = true
    const error = new SentinelError('LOG_UNAVAILABLE', 'the log cannot be written: no space left')
    await remember(error)
    memory.count(error)
    assert.deepEqual(world.notices.warnings, [error.message])
  })

  test('I10: remembers a hundred and tells a hundred, whatever a fault makes up', async () => {
    for (let index = 0; index < 300; index += 1) {
      const error = denied(`refusal ${index}`)
      await remember(error)
      memory.count(error)
      memory.count(error)
    }
    assert.equal(world.notices.warnings.length, 100)
    assert.equal(repeats().length, 200)
    memory.flush()
    assert.equal(repeats().length, 300)
  })

  test('lets a bug in the log through', async () => {
    world.log.append = () => Promise.reject(new TypeError('a bug'))
    await assert.rejects(remember(), TypeError)
  })
})
