/**
 * A process that appends to a decision log and prints each record's request id once it is
 * acknowledged: `writer-process.ts PATH STREAM COUNT`. It prints with a blocking write, so that
 * what was acknowledged is known however the process ends.
 *
 * @module
 */
import { writeSync } from 'node:fs'
import { openDecisionLog } from '../../src/audit/file-decision-log.ts'
import { issued, STILL_CLOCK } from './log-fixture.ts'

const [path = '', stream = '', count = ''] = process.argv.slice(2)
const log = await openDecisionLog({
  path,
  stream,
  clock: STILL_CLOCK,
  host: 'host.example',
  pid: process.pid,
  uid: process.getuid?.(),
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
