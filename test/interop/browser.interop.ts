import assert from 'node:assert/strict'
import { once } from 'node:events'
import { get, type IncomingMessage } from 'node:http'
import { text } from 'node:stream/consumers'
import { suite, test } from 'node:test'
import { UNAUTHORIZED } from '../../src/server/error-reply.ts'
import {
  type BrowserNetwork,
  EVIL_HOST,
  openBrowserNetwork,
} from '../fixtures/interop/browser-network.ts'
import { openBrowser } from '../fixtures/interop/chromium.ts'
import {
  BAIT,
  type Finding,
  openHostileSite,
  type Plan,
  TARGET,
} from '../fixtures/interop/hostile-site.ts'
import { openScene, type Scene } from '../fixtures/scene.ts'
import { missing } from '../fixtures/tools.ts'

// HTTP-5 of the acceptance list, in the worst case: the page knows the port, and the token too.

const OTHER_ORIGINS = ['127.0.0.1', 'localhost', EVIL_HOST]

/** What reads nothing even where it may, for want of a way to look inside or of the right type. */
const BLIND = [
  'an image',
  'a script',
  'a style sheet',
  'an embedded document',
  'an event source',
  'a web socket with the token',
  'a beacon with the token',
]
const WORKER = 'a service worker with the token'
const WAYS_MIN = 12

const CHILD = 'echo "$AWS_CONTAINER_CREDENTIALS_FULL_URI $AWS_CONTAINER_AUTHORIZATION_TOKEN"; cat'

suite('a page in a browser', { concurrency: 2, skip: missing('chromium') }, () => {
  test('reads its own origin in every way that reads, and asks in all the others', async () => {
    await using stage = await openStage()
    const { port } = stage
    const origin = `http://127.0.0.1:${port}`

    const findings = await stage.visit({ origin, victim: origin, port, token: 'token' })

    assert.ok(findings.length >= WAYS_MIN, `${findings.length} ways`)
    assertAsked(findings)
    const blind = findings.filter(({ read }) => read === '').map(({ way }) => way)
    assert.deepEqual(blind, BLIND)
    for (const { way, read } of findings) {
      if (!BLIND.includes(way)) assert.ok(read.includes(BAIT), `${way} read ${read}`)
    }
  })

  for (const host of OTHER_ORIGINS) {
    test(`of ${host} reads nothing of the gateway, and costs AWS no call`, async () => {
      await using stage = await openStage()
      await using gateway = await openGateway()
      const { origin: victim, port, token } = gateway
      const plan = { origin: `http://${host}:${stage.port}`, victim, port, token }

      await assertFruitless(gateway, async () => {
        const findings = await stage.visit(plan)
        assertAsked(findings.filter(({ way }) => host !== EVIL_HOST || way !== WORKER))
        for (const { way, read } of findings) assert.equal(read, '', way)
        return findings
      })
    })
  }

  test('of a name rebound to the gateway reads that it is refused, for its Host alone', async () => {
    await using stage = await openStage()
    await using gateway = await openGateway()
    const { port, token } = gateway
    const { network } = stage
    const origin = `http://${EVIL_HOST}:${port}`
    const onReady = () => network.rebind(port, port)

    await assertFruitless(gateway, async () => {
      network.rebind(port, stage.port)
      const findings = await stage.visit({ origin, victim: origin, port, token, onReady })
      assertAsked(findings.filter(({ way }) => way !== WORKER))
      const reads = new Set(findings.map(({ read }) => read).filter(Boolean))
      assert.deepEqual(reads, new Set([UNAUTHORIZED.body]))
      return findings
    })
    const heads = network.requestsTo(port, TARGET).filter((head) => head.includes(token))
    assert.ok(heads.some((head) => !/^(?:cookie|origin|referer|sec-.+):/im.test(head)))
  })
})

interface Stage extends AsyncDisposable {
  readonly network: BrowserNetwork
  /** Of the site. */
  readonly port: number
  visit(plan: Plan): Promise<Finding[]>
}

/** A browser, a hostile site, and the network between them. */
async function openStage(): Promise<Stage> {
  const stack = new AsyncDisposableStack()
  const network = stack.use(await openBrowserNetwork())
  const site = stack.use(await openHostileSite(network))
  const browser = stack.use(await openBrowser(network))
  const { port } = site
  return {
    network,
    port,
    visit: (plan) => site.visit(browser, plan),
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  }
}

interface Answer {
  readonly status: number | undefined
  readonly body: string
}

interface Gateway extends AsyncDisposable {
  readonly scene: Scene
  readonly origin: string
  readonly port: number
  readonly token: string
  /** Asks as an SDK does. */
  ask(): Promise<Answer>
}

/** The binary, with a child that only tells what it was given. */
async function openGateway(): Promise<Gateway> {
  const scene = await openScene()
  const running = scene.start(['exec', '--server', '--lazy', 'dev', '--', 'sh', '-c', CHILD])
  const [, url = '', token = ''] = await running.saw(/^(http\S+) (\S+)$/m)
  const { origin, port } = new URL(url)
  return {
    scene,
    origin,
    port: Number(port),
    token,
    async ask() {
      const request = get(url, { headers: { authorization: token }, agent: false })
      const [response] = (await once(request, 'response')) as [IncomingMessage]
      return { status: response.statusCode, body: await text(response) }
    },
    [Symbol.asyncDispose]: () => scene[Symbol.asyncDispose](),
  }
}

/**
 * Asserts that `visit` leads to no call to AWS and learns no secret: neither while there are no
 * credentials yet, nor once a good client has been given some. That client is served throughout.
 */
async function assertFruitless({ scene, ask }: Gateway, visit: () => Promise<Finding[]>) {
  const calls = () => scene.aws.journal.map(({ operation }) => operation)

  const before = calls()
  const cold = await visit()
  assert.deepEqual(calls(), before)
  assert.equal(scene.answered('AssumeRole'), 0)

  const answer = await ask()
  assert.equal(answer.status, 200, answer.body)
  assert.equal(scene.answered('AssumeRole'), 1)

  const between = calls()
  const warm = await visit()
  assert.deepEqual(calls(), between)
  assert.deepEqual(await ask(), answer)

  const { AccessKeyId, SecretAccessKey, Token } = JSON.parse(answer.body)
  const learned = JSON.stringify([cold, warm])
  for (const secret of [AccessKeyId, SecretAccessKey, Token]) assert.ok(!learned.includes(secret))
}

/** What never came to the victim proves nothing about it. */
function assertAsked(findings: readonly Finding[]): void {
  const idle = findings.filter(({ hasAsked }) => !hasAsked)
  assert.deepEqual(idle, [])
}
