import assert from 'node:assert/strict'
import { afterEach, beforeEach, mock, suite, test } from 'node:test'
import { execWithEnvironment, execWithServer } from '../../src/app/exec.ts'
import { Secret } from '../../src/domain/secret.ts'
import { MINUTE, SECOND } from '../../src/domain/time.ts'
import { SentinelError } from '../../src/errors.ts'
import type { ChildEnd, ChildRequest, ChildRunner } from '../../src/ports/child-runner.ts'
import type { OpenCredentialEndpoint, TrackedSession } from '../../src/ports/credential-endpoint.ts'
import { ID, TABLE } from '../fixtures/app/session-stores.ts'
import { settle, stopTimers, timed, World } from '../fixtures/app/world.ts'
import { aPolicy, NOON } from '../fixtures/policies.ts'

type Supply = Parameters<OpenCredentialEndpoint>[0]

class FakeChildren implements ChildRunner {
  readonly requests: ChildRequest[] = []
  /** How the child lives. */
  life: () => Promise<ChildEnd> = async () => ({ status: 0 })

  readonly interruption = new AbortController()

  assertRunnable(): void {}

  hold(): AbortSignal {
    return this.interruption.signal
  }

  run(request: ChildRequest): Promise<ChildEnd> {
    this.requests.push(request)
    return this.life()
  }

  exitStatus(end: ChildEnd): number {
    return 'status' in end ? end.status : 128
  }
}

const OPTIONS = { command: 'aws', args: ['s3', 'ls'], keepsAwsConfig: false }
const SERVER = { ...OPTIONS, port: 0, isLazy: false, onRevoke: 'refuse' } as const

let world: World
let children: FakeChildren
let endpoint: {
  isOpen: boolean
  port?: number
  supply?: Supply
  session?: TrackedSession | undefined
  log: string[]
}

const openEndpoint: OpenCredentialEndpoint = async (supply, { port, session }) => {
  endpoint = { ...endpoint, isOpen: true, supply, port, session }
  return {
    url: 'http://127.0.0.1:4711/credentials',
    token: new Secret('token'),
    async [Symbol.asyncDispose]() {
      endpoint.isOpen = false
      // What was only counted is recorded when nothing more can be counted.
      endpoint.log = world.log.records.map(({ type }) => type)
    },
  }
}

suite('exec', () => {
  beforeEach(() => {
    stopTimers()
    world = new World()
    children = new FakeChildren()
    endpoint = { isOpen: false, log: [] }
  })
  afterEach(() => mock.timers.reset())

  suite('with the environment', () => {
    test('gives the command one credential and ends as it does', async () => {
      await using run = await world.openRun({ mode: 'cli' })
      children.life = async () => ({ status: 7 })
      assert.deepEqual(await execWithEnvironment(run, children, OPTIONS), { status: 7 })

      const [request] = children.requests
      assert.partialDeepStrictEqual(request, {
        command: 'aws',
        args: ['s3', 'ls'],
        profile: 'prod',
        region: 'eu-central-1',
        awsConfig: '[default]\nregion = eu-central-1\n',
        activeId: world.log.stream,
      })
      assert.ok(request?.access.kind === 'env')
      assert.equal(request.access.credentials.accessKeyId, 'ASIAISSUED1')
    })

    test("leaves the user's own AWS config when told to", async () => {
      await using run = await world.openRun({ mode: 'cli' })
      await execWithEnvironment(run, children, { ...OPTIONS, keepsAwsConfig: true })
      assert.equal(children.requests[0]?.awsConfig, 'inherited')
    })

    test('starts nothing when it is refused', async () => {
      world.source.put(aPolicy())
      await using run = await world.openRun({ mode: 'cli' })
      await assert.rejects(execWithEnvironment(run, children, OPTIONS), { code: 'POLICY_DENIED' })
      assert.deepEqual(children.requests, [])
    })
  })

  suite('with a server', () => {
    test('tells the command where to ask, and nothing else', async () => {
      await using run = await world.openRun()
      await execWithServer(run, children, openEndpoint, { ...SERVER, port: 4711 })
      assert.deepEqual(children.requests[0]?.access, {
        kind: 'server',
        url: 'http://127.0.0.1:4711/credentials',
        token: new Secret('token'),
      })
      assert.equal(endpoint.port, 4711)
    })

    test('serves while the command lives, and closes when it has ended', async () => {
      await using run = await world.openRun()
      const isOpen: boolean[] = []
      children.life = async () => {
        isOpen.push(endpoint.isOpen)
        await endpoint.supply?.serve('same')
        return { signal: 'SIGTERM' }
      }
      const end = await execWithServer(run, children, openEndpoint, SERVER)
      isOpen.push(endpoint.isOpen)
      assert.deepEqual([end, isOpen], [{ signal: 'SIGTERM' }, [true, false]])
      assert.deepEqual(endpoint.log, ['start', 'issued'])
      assert.equal(world.log.of('served')[0]?.count, 1)
    })

    test('closes all when the command cannot be started', async () => {
      await using run = await world.openRun()
      const failure = new SentinelError('COMMAND_NOT_FOUND', 'no command aws')
      children.life = async () => {
        await endpoint.supply?.serve('same')
        throw failure
      }
      await assert.rejects(execWithServer(run, children, openEndpoint, SERVER), failure)
      assert.equal(endpoint.isOpen, false)
      assert.equal(world.log.of('served').length, 1)
      const fetches = world.source.fetches
      const resolutions = world.profiles.resolutions.length
      await world.advance(10 * SECOND, SECOND)
      assert.deepEqual(
        [world.source.fetches, world.profiles.resolutions.length],
        [fetches, resolutions],
      )
    })

    test('closes the supply when the port is taken', async () => {
      await using run = await world.openRun()
      const failure = new SentinelError('PORT_UNAVAILABLE', 'port 80 is taken')
      const execution = execWithServer(run, children, async () => Promise.reject(failure), SERVER)
      await assert.rejects(execution, failure)
      assert.deepEqual(children.requests, [])
    })

    test('starts nothing when it is refused', async () => {
      world.source.put(aPolicy())
      await using run = await world.openRun()
      const execution = execWithServer(run, children, openEndpoint, SERVER)
      await assert.rejects(execution, { code: 'POLICY_DENIED' })
      assert.deepEqual([children.requests, endpoint.isOpen], [[], false])
    })

    test('looks after the supply every few seconds, though nobody asks', async () => {
      await using run = await world.openRun()
      const { promise, resolve } = Promise.withResolvers<ChildEnd>()
      children.life = async () => {
        await endpoint.supply?.serve('same')
        return promise
      }
      const execution = execWithServer(run, children, openEndpoint, SERVER)
      await settle()
      await world.advance(MINUTE + 5 * SECOND, SECOND)
      assert.equal(world.log.of('served').length, 1)
      resolve({ status: 0 })
      await execution
    })

    test('is known by its session, and gives the server its route', async () => {
      world.sessions.configured = { location: TABLE, origin: '--session-table' }
      await using run = await world.openRun()
      await execWithServer(run, children, openEndpoint, SERVER)
      assert.equal(children.requests[0]?.activeId, ID)
      assert.ok(endpoint.session)
    })

    test('has no such layer when it is not tracked', async () => {
      await using run = await world.openRun()
      await execWithServer(run, children, openEndpoint, SERVER)
      assert.equal(endpoint.session, undefined)
    })

    const ends: [end: ChildEnd, reason: string][] = [
      [{ status: 0 }, 'command ended with status 0'],
      [{ status: 42 }, 'command ended with status 42'],
      [{ signal: 'SIGINT' }, 'SIGINT'],
      [{ signal: 'SIGTERM' }, 'SIGTERM'],
      [{ signal: 'SIGHUP' }, 'SIGHUP'],
    ]
    for (const [end, reason] of ends) {
      test(`ends the session with the child: ${reason}`, async () => {
        world.sessions.configured = { location: TABLE, origin: '--session-table' }
        await using run = await world.openRun()
        children.life = async () => end
        await execWithServer(run, children, openEndpoint, SERVER)
        assert.equal(world.sessions.rows.sessions.get(ID)?.end?.reason, reason)
        assert.equal(endpoint.isOpen, false)
      })
    }

    test('ends the session after an internal error', async () => {
      world.sessions.configured = { location: TABLE, origin: '--session-table' }
      await using run = await world.openRun()
      children.life = async () => Promise.reject(new TypeError('a bug'))
      await assert.rejects(execWithServer(run, children, openEndpoint, SERVER), TypeError)
      assert.equal(world.sessions.rows.sessions.get(ID)?.end?.reason, 'internal error')
    })

    test('gives up a start that a signal interrupts, and starts no command', async () => {
      world.sessions.configured = { location: TABLE, origin: '--session-table' }
      world.tokens.latency = 10 * SECOND
      await using run = await world.openRun()
      const execution = execWithServer(run, children, openEndpoint, SERVER)
      await settle()
      children.interruption.abort('SIGTERM')
      const { value, ms } = await timed(world, execution)
      assert.deepEqual(value, { signal: 'SIGTERM' })
      assert.ok(ms <= 2000, `${ms} ms`)
      assert.deepEqual(children.requests, [])
    })

    test('fails with what this process has crashed with', async () => {
      await using run = await world.openRun()
      children.interruption.abort(new TypeError('a bug'))
      await assert.rejects(execWithServer(run, children, openEndpoint, SERVER), TypeError)
      assert.deepEqual(children.requests, [])
    })

    for (const onRevoke of ['refuse', 'terminate'] as const) {
      test(`${onRevoke === 'terminate' ? 'ends' : 'leaves'} the command when its session is revoked`, async () => {
        world.sessions.configured = { location: TABLE, origin: '--session-table' }
        await using run = await world.openRun()
        const { promise, resolve } = Promise.withResolvers<ChildEnd>()
        children.life = () => promise
        const execution = execWithServer(run, children, openEndpoint, { ...SERVER, onRevoke })
        await settle()
        const store = await world.sessions.open(TABLE)
        const revocation = { at: NOON, by: 'bob', reason: 'lost' }
        await store.revoke(ID, revocation, new AbortController().signal)
        await world.advance(5 * SECOND)
        assert.equal(children.requests[0]?.stop?.aborted ?? false, onRevoke === 'terminate')
        resolve({ signal: 'SIGTERM' })
        await execution
      })
    }

    test('issues nothing before it is asked, when lazy', async () => {
      await using run = await world.openRun()
      await execWithServer(run, children, openEndpoint, { ...SERVER, isLazy: true })
      assert.equal(world.tokens.calls.assumeRole, 0)
    })
  })
})
