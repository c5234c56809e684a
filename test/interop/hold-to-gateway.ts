import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { openScriptedServer, type ScriptedServer } from '../fixtures/aws/scripted-server.ts'
import { CONFIG, CREDENTIALS, openScene, type Scene } from '../fixtures/scene.ts'
import { missing } from '../fixtures/tools.ts'
import { answerOf, type Client, keysOf, sideBySide } from './clients.ts'
import { answerDecoy, HOSTILE_HOMES, type HostileHome, type MakeHome } from './hostile-homes.ts'

/** A hostile home as it stands, and the server that its traps lead to. */
export interface Trap extends AsyncDisposable {
  readonly scene: Scene
  readonly home: HostileHome
  readonly decoy: ScriptedServer
}

export async function openTrap(makeHome: MakeHome): Promise<Trap> {
  const decoy = await openScriptedServer(answerDecoy)
  const scene = await openScene()
  const home = makeHome({ home: scene.home, decoy: decoy.url })
  scene.write('.aws/config', CONFIG + (home.config ?? ''))
  scene.write('.aws/credentials', CREDENTIALS + (home.credentials ?? ''))
  for (const [path, text] of Object.entries(home.files ?? {})) scene.write(path, text)
  return {
    scene,
    home,
    decoy,
    async [Symbol.asyncDispose]() {
      await scene[Symbol.asyncDispose]()
      await decoy[Symbol.asyncDispose]()
    },
  }
}

/**
 * Tests SDK-1 and SDK-2 of the acceptance list: in every hostile home each of `clients` uses the key
 * that Sentinel issued, and none when Sentinel refuses. Every key in these homes works, so that a
 * client which passes the gateway by succeeds, and is seen in AWS's own journal.
 */
export function holdToGateway(clients: readonly Client[]): void {
  for (const [name, makeHome] of Object.entries(HOSTILE_HOMES)) {
    for (const words of [['exec', '--server'], ['exec']]) {
      test(`${name}: ${words.join(' ')} gives every client its own key`, async (t) => {
        await using trap = await openTrap(makeHome)
        const { scene, home, decoy } = trap

        const child = sideBySide(clients)
        const run = await scene.sentinel([...words, 'dev', '--', ...child], { env: home.env })

        assert.equal(run.status, 0, run.stderr)
        const [issued] = scene.log().filter(({ type }) => type === 'issued')
        assert.deepEqual(decoy.received, [])
        await forEach(clients, t, 'uses the key', (client) => {
          const { stdout, stderr } = answerOf(client, scene.home)
          const used = keysOf(client, scene.aws.journal)
          assert.deepEqual(used, [issued?.access_key_id], stdout + stderr)
        })
      })
    }

    test(`${name}: a refusal leaves every client without credentials`, async (t) => {
      await using trap = await openTrap(makeHome)
      const { scene, home, decoy } = trap
      const words = ['exec', '--server', '--lazy', 'prod', '--', ...sideBySide(clients)]

      const run = await scene.sentinel(words, { env: home.env })

      assert.equal(run.status, 0, run.stderr)
      assert.match(run.stderr, /no rule/)
      assert.deepEqual(decoy.received, [])
      const callers = scene.aws.journal.map(({ userAgent }) => userAgent)
      assert.ok(
        callers.every((caller) => caller.includes('sentinel')),
        callers.join('\n'),
      )
      await forEach(clients, t, 'fails', (client) => {
        assert.notEqual(answerOf(client, scene.home).status, 0)
      })
    })
  }
}

async function forEach(
  clients: readonly Client[],
  t: TestContext,
  claim: string,
  assertOf: (client: Client) => void,
): Promise<void> {
  for (const client of clients) {
    const skip = missing(...client.needs)
    await t.test(`${client.name} ${claim}`, { skip }, () => assertOf(client))
  }
}
