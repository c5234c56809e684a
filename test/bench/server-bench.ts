/**
 * LAT-1: the credential server against a bare `node:http` handler that sends the same body, in one
 * run, in turns, under the same load.
 *
 * @module
 */
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Worker } from 'node:worker_threads'
import { Secret } from '../../src/domain/secret.ts'
import { openCredentialServer } from '../../src/server/credential-server.ts'
import type { Load, LoadResult } from './server-load.ts'

export interface BenchRow {
  readonly what: string
  readonly value: number
  readonly unit: string
  readonly target?: string
  /** Whether `value` meets `target`. */
  readonly isMet?: boolean
}

interface Contestant extends AsyncDisposable {
  readonly port: number
}

const ROUNDS = 15
const CONNECTIONS = 16
const token = new Secret(randomBytes(32).toString('base64url'))
const credentials = {
  accessKeyId: 'ASIAQWERTYUIOPASDFGH',
  secretAccessKey: new Secret('k'.repeat(40)),
  sessionToken: new Secret('t'.repeat(900)),
  expiration: Date.now() + 3_600_000,
  accountId: '111122223333',
}
const BODY = JSON.stringify({
  AccessKeyId: credentials.accessKeyId,
  SecretAccessKey: credentials.secretAccessKey.reveal(),
  Token: credentials.sessionToken.reveal(),
  Expiration: new Date(credentials.expiration).toISOString().replace(/\.\d+/, ''),
  AccountId: credentials.accountId,
})

/** Measures both servers. Takes about 10 s; the machine should have nothing else to do. */
export async function benchServer(): Promise<BenchRow[]> {
  await using bare = await openBare()
  await using full = await openFull()
  const worker = new Worker(new URL('./server-load.ts', import.meta.url))
  try {
    const saturate = (contestant: Contestant) =>
      load(worker, contestant, { connections: CONNECTIONS, durationMs: 300 })

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
  }
}

function toRows(rounds: { bare: Measured; full: Measured }[], paced: Measured): BenchRow[] {
  const share = median(rounds.map(({ bare, full }) => full.perSecond / bare.perSecond))
  const cpuShare = median(rounds.map(({ bare, full }) => bare.cpuMicros / full.cpuMicros))
  return [
    row('bare node:http', median(rounds.map(({ bare }) => bare.perSecond)), 'requests/s'),
    row('credential server', median(rounds.map(({ full }) => full.perSecond)), 'requests/s'),
    { ...row('throughput against bare', share * 100, '%'), target: '≥ 60', isMet: share >= 0.6 },
    row('the same by processor time', cpuShare * 100, '%'),
    row('processor time a request, bare', median(rounds.map((r) => r.bare.cpuMicros)), 'µs'),
    row('processor time a request', median(rounds.map((r) => r.full.cpuMicros)), 'µs'),
    { ...row('p50 at 2,000/s', paced.p50Ms, 'ms'), target: '≤ 1', isMet: paced.p50Ms <= 1 },
    { ...row('p99 at 2,000/s', paced.p99Ms, 'ms'), target: '≤ 10', isMet: paced.p99Ms <= 10 },
  ]
}

function row(what: string, value: number, unit: string): BenchRow {
  return { what, value: Math.round(value * 100) / 100, unit }
}

function median(values: number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN
}

interface Measured extends LoadResult {
  readonly perSecond: number
  /** Of the servers' thread alone. */
  readonly cpuMicros: number
}

async function load(
  worker: Worker,
  { port }: Contestant,
  options: Omit<Load, 'port' | 'request'>,
): Promise<Measured> {
  const request = [
    'GET /credentials HTTP/1.1',
    `Host: 127.0.0.1:${port}`,
    'Accept-Encoding: identity',
    'User-Agent: python-urllib3/2.7.0',
    'Accept: application/json',
    `Authorization: ${token.reveal()}`,
    '\r\n',
  ].join('\r\n')
  const before = process.threadCpuUsage()
  worker.postMessage({ ...options, port, request } satisfies Load)
  const [result] = (await once(worker, 'message')) as [LoadResult]
  const { user, system } = process.threadCpuUsage(before)
  return {
    ...result,
    perSecond: (result.requests / result.elapsedMs) * 1000,
    cpuMicros: (user + system) / result.requests,
  }
}

async function openFull(): Promise<Contestant> {
  const server = await openCredentialServer({
    supply: { serve: async () => credentials },
    token,
    clock: { aws: () => Date.now() },
    platform: process.platform,
    uid: process.geteuid?.(),
    onBug: (error) => {
      throw error
    },
  })
  return {
    port: Number(new URL(server.url).port),
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  }
}

async function openBare(): Promise<Contestant> {
  const server = createServer((_incoming, outgoing) => {
    outgoing
      .writeHead(200, { 'Content-Type': 'application/json', 'Content-Length': BODY.length })
      .end(BODY)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  }
}
