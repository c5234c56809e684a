/**
 * LAT-1: the binary's credential server, as a child finds it, against a bare `node:http` handler
 * that sends the same body. Each is a process of its own; they are asked in turns, in one run.
 *
 * @module
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { get, type IncomingMessage } from 'node:http'
import { createInterface } from 'node:readline'
import { text } from 'node:stream/consumers'
import { Worker } from 'node:worker_threads'
import { BINARY, openScene, type Scene } from '../fixtures/scene.ts'
import { load, type Measured, type Target } from './load.ts'
import { type BenchRow, median, row } from './rows.ts'

interface Contestant extends Target {
  readonly process: ChildProcess
}

const ROUNDS = 15
const CONNECTIONS = 16

/** A child that tells where its credentials are, and waits for its input to end. */
const CHILD = 'echo "$AWS_CONTAINER_CREDENTIALS_FULL_URI $AWS_CONTAINER_AUTHORIZATION_TOKEN"; cat'

const BARE = `
  const body = process.env.BODY
  const server = require('node:http').createServer((incoming, outgoing) => {
    outgoing.writeHead(200, { 'Content-Type': 'application/json', 'Content-Length': body.length })
    outgoing.end(body)
  })
  server.listen(0, '127.0.0.1', () => console.log(\`http://127.0.0.1:\${server.address().port}/ -\`))
  process.stdin.resume().on('end', () => process.exit())
`

/** Measures both servers. Takes about 15 s; the machine should have nothing else to do. */
export async function benchServer(): Promise<BenchRow[]> {
  await using scene = await openScene()
  const full = await openFull(scene)
  const bare = await openBare(await bodyOf(full))
  const worker = new Worker(new URL('./server-load.ts', import.meta.url))
  try {
    const saturate = (contestant: Contestant) =>
      load(worker, contestant, { connections: CONNECTIONS, durationMs: 400 })
    const rounds: { bare: Measured; full: Measured }[] = []
    for (let round = -1; round < ROUNDS; round += 1) {
      const measured = { bare: await saturate(bare), full: await saturate(full) }
      // The first round warms both up.
      if (round >= 0) rounds.push(measured)
    }
    const paced = await load(worker, full, { connections: 8, durationMs: 2000, rate: 2000 })
    return toRows(rounds, paced)
  } finally {
    await worker.terminate()
    for (const { process: child } of [full, bare]) {
      child.stdin?.end()
      await once(child, 'close')
    }
  }
}

function toRows(rounds: { bare: Measured; full: Measured }[], paced: Measured): BenchRow[] {
  const share = median(rounds.map(({ bare, full }) => full.perSecond / bare.perSecond))
  return [
    row('bare node:http', median(rounds.map(({ bare }) => bare.perSecond)), 'requests/s'),
    row('sentinel exec --server', median(rounds.map(({ full }) => full.perSecond)), 'requests/s'),
    { ...row('throughput against bare', share * 100, '%'), target: '≥ 60', isMet: share >= 0.6 },
    { ...row('p50 at 2,000/s', paced.p50Ms, 'ms'), target: '≤ 1', isMet: paced.p50Ms <= 1 },
    { ...row('p99 at 2,000/s', paced.p99Ms, 'ms'), target: '≤ 10', isMet: paced.p99Ms <= 10 },
  ]
}

/** Asked by `node:http`: `fetch` sends Sec-Fetch-Mode, as browsers do, and would be refused. */
async function bodyOf({ url, token }: Contestant): Promise<string> {
  const request = get(url, { headers: { authorization: token } })
  const [response] = (await once(request, 'response')) as [IncomingMessage]
  const body = await text(response)
  if (response.statusCode !== 200) throw new Error(`not served: ${body}`)
  return body
}

function openFull({ env, home }: Scene): Promise<Contestant> {
  const args = ['--allow-endpoint-override', '--quiet', 'exec', '--server', 'dev']
  const child = spawn(BINARY, [...args, '--', 'sh', '-c', CHILD], {
    env: { ...env },
    cwd: home,
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  return announced(child)
}

function openBare(body: string): Promise<Contestant> {
  const env = { ...process.env, BODY: body }
  const stdio = ['pipe', 'pipe', 'inherit'] as const
  return announced(spawn(process.execPath, ['-e', BARE], { env, stdio: [...stdio] }))
}

/** What the first line of a process says of its server. */
async function announced(child: ChildProcess): Promise<Contestant> {
  const [line] = (await once(createInterface({ input: child.stdout! }), 'line')) as [string]
  const [url = '', token = ''] = line.split(' ')
  return { process: child, url: new URL(url), token }
}
