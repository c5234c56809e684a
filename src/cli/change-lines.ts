import type { Snapshot } from '../app/watch-sessions.ts'
import type { Output } from '../deps.ts'
import { toSeconds } from '../domain/time.ts'
import type { Notices } from '../ports/notices.ts'
import { toJSON } from './output.ts'
import { sessionFields } from './session-fields.ts'

/**
 * Prints each change as one line of JSON, and tells once when the store falls silent, once when it
 * answers again, and once that not all are watched. What it gives resolves to whether anybody still
 * reads.
 */
export function openChangeLines(
  out: Pick<Output, 'stream'>,
  { warn, info }: Pick<Notices, 'warn' | 'info'>,
  location: string,
): (snapshot: Snapshot) => Promise<boolean> {
  let isSilent = false
  let isToldOfCut = false
  return async ({ sessions, changes, silence, isCut }) => {
    if (silence && !isSilent) {
      warn(`${silence.error.message}; nothing is known since ${toSeconds(silence.since)}`)
    }
    if (!silence && isSilent) info(`${location} answers again`)
    isSilent = silence !== undefined
    if (isCut && !isToldOfCut) info(`only the newest ${sessions.length} are watched`)
    isToldOfCut ||= isCut
    const lines = changes.map(({ change, shown }) =>
      toJSON({ change, session: sessionFields(shown) }),
    )
    return lines.length === 0 || (await out.stream(`${lines.join('\n')}\n`))
  }
}
