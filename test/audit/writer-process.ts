/**
 * A process that appends to a decision log and prints each record's request id once it is
 * acknowledged: `writer-process.ts PATH STREAM COUNT [MAX_BYTES]`. It prints with a blocking write,
 * so that what was acknowledged is known however the process ends.
 *
 * @module
 */
import { writeSync } from 'node:fs'
import { openDecisionLog } from '../../src/audit/file-decision-log.ts'
import type { Clock } from '../../src/ports/clock.ts'
import { issued } from './log-fixture.ts'

const [path = '', stream = '', count = '', maxBytes = ''] = process.argv.slice(2)
const clock: Clock = {
  now: () => ({ wall: Date.now(), monotonic: performance.now() }),
  aws: Date.now,
  learn() {},
}
const log = await openDecisionLog({
  path,
  stream,
  clock,
  host: 'host.example',
  pid: process.pid,
  uid: process.getuid?.(),
  limits: maxBytes === '' ? undefined : { maxBytes: Number(maxBytes), maxAgeMs: 1e12 },
  // A rotation that does not work out is no fault of a record: it is one of this test.
  onFault(message) {
    throw new Error(message)
  },
})
log.note({ type: 'start' })

let next = 0
async function appendInTurn(): Promise<void> {
  while (next < Number(count)) {
    const id = `${stream}-${next++}`
    await log.append({ ...issued(id), reason: 'x'.repeat(next % 1_000) })
    writeSync(1, `${id}\n`)
  }
}
await Promise.all(Array.from({ length: 8 }, appendInTurn))

log.note({ type: 'stop' })
await log[Symbol.asyncDispose]()
