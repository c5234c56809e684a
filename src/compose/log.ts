import { hostname } from 'node:os'
import { resolve } from 'node:path'
import { describeRecord } from '../cli/describe-record.ts'
import type { RunFlags } from '../deps.ts'
import { SECOND } from '../domain/time.ts'
import type { DecisionLog } from '../ports/decision-log.ts'
import { newId } from './randomness.ts'
import { uid, type World } from './world.ts'

/** Opens the decision log for a stream of this process. */
export async function openLog(
  { settings, clock, host, globals, notices }: World,
  flags: Pick<RunFlags, 'log-file' | 'log-stderr'>,
): Promise<DecisionLog> {
  const { openDecisionLog } = await import('../audit/file-decision-log.ts')
  const place = settings.get('logFile', { name: 'log-file', text: flags['log-file'] })
  const isMirrored = flags['log-stderr'] ?? settings.get('logStderr').value
  const path = resolve(place.value)
  const stream = newId()
  return openDecisionLog({
    path,
    directory: place.origin === 'default' ? 'private' : 'chosen',
    stream,
    clock,
    host: hostname(),
    pid: process.pid,
    uid,
    limits: {
      maxBytes: settings.get('logMaxSize').value,
      maxAgeMs: settings.get('logMaxAge').value * SECOND,
    },
    async compress(files, signal) {
      const { compressRotated } = await import('../audit/compress-rotated.ts')
      await compressRotated({ path, files, stream, now: () => clock.now().wall, signal })
    },
    onFault: (message, hint) => notices.warn(message, hint),
    mirror(line) {
      if (isMirrored) host.stderr.write(`${line}\n`)
      if (globals.verbose) notices.info(describeRecord(JSON.parse(line)))
    },
  })
}
