import assert from 'node:assert/strict'
import { afterEach, beforeEach, mock, suite, test } from 'node:test'
import type { BaseIdentity } from '../../src/app/base-identity.ts'
import { GrantKeeper } from '../../src/app/grant-keeper.ts'
import { SECOND } from '../../src/domain/time.ts'
import { keys } from '../fixtures/app/profiles.ts'
import { settle, stopTimers, timed, World } from '../fixtures/app/world.ts'
import { aGrant, anInput, aPrincipal } from '../fixtures/policies.ts'

const ALICE: BaseIdentity = {
  resolved: { base: keys() },
  principal: aPrincipal(),
  user: 'alice',
  target: anInput().target,
}

let world: World
let keeper: GrantKeeper

suite('GrantKeeper', () => {
  beforeEach(() => {
    stopTimers()
    world = new World()
    world.grants.grants = [aGrant()]
    keeper = new GrantKeeper(world, 'prod')
  })
  afterEach(() => mock.timers.reset())

  test('knows none before it has looked, and what it saw after', async () => {
    assert.deepEqual(keeper.known(), [])
    await keeper.look(ALICE)
    assert.deepEqual(keeper.known(), [aGrant()])
  })

  test('asks for the person and the profile', async () => {
    const live = mock.method(world.grants, 'live')
    await keeper.look(ALICE)
    assert.deepEqual(live.mock.calls[0]?.arguments, ['iam:111122223333/alice', 'prod'])
  })

  test('sees the end of a grant at the next look', async () => {
    await keeper.look(ALICE)
    world.grants.grants = []
    await keeper.look(ALICE)
    assert.deepEqual(keeper.known(), [])
  })

  test('holds what it saw for a minute while the store is silent, and warns once', async () => {
    await keeper.look(ALICE)
    world.grants.fault = new Error('ECONNREFUSED')
    world.clock.advance(60 * SECOND)
    await keeper.look(ALICE)
    await keeper.look(ALICE)
    assert.equal(keeper.known().length, 1)

    world.clock.advance(1)
    assert.deepEqual(keeper.known(), [])
    assert.equal(world.notices.warnings.length, 1)
    assert.match(world.notices.warnings[0] ?? '', /^grants cannot be looked up/)
  })

  test('waits no more than five seconds', async () => {
    world.grants.latency = 3600 * SECOND
    const { ms } = await timed(world, keeper.look(ALICE))
    assert.equal(ms, 5 * SECOND)
  })

  test('takes no old answer over a newer one', async () => {
    world.grants.latency = 2 * SECOND
    const slow = keeper.look(ALICE)
    world.grants.latency = 0
    world.grants.grants = []
    await keeper.look(ALICE)
    await timed(world, slow)
    assert.deepEqual(keeper.known(), [])
  })

  test('forgets, and takes no answer that was asked for before', async () => {
    await keeper.look(ALICE)
    world.grants.latency = SECOND
    const asked = keeper.look(ALICE)
    keeper.forget()
    assert.deepEqual(keeper.known(), [])
    await timed(world, asked)
    assert.deepEqual(keeper.known(), [])
  })

  test('has none without a store', async () => {
    const { clock, notices } = world
    const none = new GrantKeeper({ clock, notices }, 'prod')
    await none.look(ALICE)
    await settle()
    assert.deepEqual(none.known(), [])
    assert.deepEqual(notices.warnings, [])
  })
})
