/**
 * The client of `server-bench.ts`, in a thread of its own so that it does not share the server's
 * event loop: keep-alive connections that write one request and wait for the whole answer.
 *
 * @module
 */
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { performance } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import { parentPort } from 'node:worker_threads'

export interface Load {
  readonly port: number
  /** The whole request, as it goes over the wire. */
  readonly request: string
  readonly connections: number
  readonly durationMs: number
  /** Requests a second over all connections. Absent: as many as the server answers. */
  readonly rate?: number
}

export interface LoadResult {
  readonly requests: number
  /** Of these, those that were answered with anything but 200. */
  readonly failed: number
  readonly elapsedMs: number
  readonly p50Ms: number
  readonly p99Ms: number
}

const OK = Buffer.from('HTTP/1.1 200 ')

parentPort?.on('message', (load: Load) => {
  void run(load).then((result) => parentPort?.postMessage(result))
})

async function run(load: Load): Promise<LoadResult> {
  // Connected and answered once before the clock starts: what is measured is the warm server.
  const connections = await Promise.all(
    Array.from({ length: load.connections }, () => open(load.port, load.request)),
  )
  const latencies: number[] = []
  const start = performance.now()
  const failed = await Promise.all(
    connections.map((connection, index) => ask(load, connection, { start, index, latencies })),
  )
  const elapsedMs = performance.now() - start
  latencies.sort((a, b) => a - b)
  const quantile = (share: number) => latencies[Math.floor(latencies.length * share)] ?? Number.NaN
  return {
    requests: latencies.length,
    failed: failed.reduce((sum, count) => sum + count, 0),
    elapsedMs,
    p50Ms: quantile(0.5),
    p99Ms: quantile(0.99),
  }
}

interface Connection {
  readonly socket: Socket
  /** Bytes of an answer. */
  readonly size: number
}

async function open(port: number, request: string): Promise<Connection> {
  const socket = connect({ host: '127.0.0.1', port, noDelay: true })
  await once(socket, 'connect')
  return { socket, size: await measureAnswer(socket, request) }
}

/** Resolves to how many requests were refused. */
async function ask(
  load: Load,
  { socket, size }: Connection,
  { start, index, latencies }: { start: number; index: number; latencies: number[] },
): Promise<number> {
  let failed = 0
  const interval = load.rate === undefined ? 0 : (load.connections / load.rate) * 1000

  // Each connection keeps to its own timetable: a slow answer is not forgiven by asking less.
  for (let turn = 0; performance.now() - start < load.durationMs; turn += 1) {
    const due = start + (turn + index / load.connections) * interval
    if (interval > 0 && due > performance.now()) await sleep(due - performance.now())
    const sent = performance.now()
    if ((await exchange(socket, load.request, size)) === 'refused') failed += 1
    latencies.push(performance.now() - sent)
  }
  socket.destroy()
  return failed
}

/** The size of the answer's bytes, which is the same for every answer. */
async function measureAnswer(socket: Socket, request: string): Promise<number> {
  socket.write(request)
  let answer = ''
  for (;;) {
    const [chunk] = (await once(socket, 'data')) as [Buffer]
    answer += chunk.toString('latin1')
    const [head = '', body] = answer.split('\r\n\r\n')
    const length = Number(/content-length: (\d+)/i.exec(head)?.[1])
    if (body?.length !== length) continue
    if (!head.startsWith('HTTP/1.1 200 ')) throw new Error(`not served: ${head}`)
    return answer.length
  }
}

function exchange(socket: Socket, request: string, size: number): Promise<'served' | 'refused'> {
  return new Promise((resolve, reject) => {
    let missing = size
    const stopListening = () => socket.off('data', onData).off('close', onClose)
    const onData = (chunk: Buffer) => {
      // A refusal is short: it comes in one piece.
      const isRefusal = missing === size && !chunk.subarray(0, OK.length).equals(OK)
      missing -= chunk.length
      if (missing > 0 && !isRefusal) return
      stopListening()
      resolve(isRefusal ? 'refused' : 'served')
    }
    const onClose = () => {
      stopListening()
      reject(new Error('the server closed the connection'))
    }
    socket.on('data', onData).on('close', onClose)
    socket.write(request)
  })
}
