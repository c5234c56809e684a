import { parseSourceIdentity } from '../domain/source-identity.ts'
import { isStampedSessionName } from '../domain/stamp.ts'
import { SentinelError } from '../errors.ts'
import type { ArchivedRecord, LogArchive, ReadOptions } from '../ports/log-archive.ts'

/** 96 bits in base32. */
const REQUEST_ID_LENGTH = 20

/** How many ids an error names. */
const MOST_NAMED = 10

/**
 * The record of what was decided about the request that `text` names, by its id, the beginning of
 * that, or the SourceIdentity or role session name that CloudTrail has: its issuance or its
 * refusal. One that was taken back is found only where no other is. Rejects with `USAGE` when
 * `text` is none of them, with `RECORD_AMBIGUOUS` or `RECORD_NOT_FOUND` when that is not one
 * request.
 */
export async function findDecision(
  archive: Pick<LogArchive, 'records'>,
  text: string,
  options: ReadOptions,
): Promise<ArchivedRecord> {
  const wanted = requestIdIn(text)
  if (!/^[a-z2-7]{4,20}$/.test(wanted)) {
    throw new SentinelError('USAGE', `not the id of a request: "${text}"`, {
      hint: 'ids are 20 characters of a-z and 2-7, or their first 4 or more',
    })
  }
  const found = new Map<string, ArchivedRecord>()
  for await (const entry of archive.records({ containing: [`"request_id":"${wanted}`] }, options)) {
    const { type, request_id: id } = entry.record
    if ((type !== 'issued' && type !== 'refused') || !id?.startsWith(wanted)) continue
    // After a fault of the disk the same record may be there again: the one that counts is told.
    if (!entry.isAnnulled || !found.has(id)) found.set(id, entry)
  }
  const [decision, ...others] = found.values()
  if (decision === undefined) throw notFound(wanted)
  if (others.length === 0) return decision
  const ids = [...found.keys()]
  const more = ids.length > MOST_NAMED ? ', and more' : ''
  throw new SentinelError(
    'RECORD_AMBIGUOUS',
    `several requests begin with ${wanted}: ${ids.slice(0, MOST_NAMED).join(', ')}${more}`,
    { hint: 'give more characters of the one you mean' },
  )
}

/** The id at the end of what a credential is stamped with; other texts as they are. */
export function requestIdIn(text: string): string {
  const stamp = parseSourceIdentity(text)
  if (stamp) return stamp.requestId
  // Alone, or behind the role's ARN or id, as an ARN and a UserId have it.
  const name = text.split(/[:/]/).at(-1) ?? ''
  return isStampedSessionName(name) ? name.slice(-REQUEST_ID_LENGTH) : text
}

function notFound(text: string): SentinelError {
  const what = text.length === 20 ? `of request ${text}` : `of a request that begins with ${text}`
  return new SentinelError('RECORD_NOT_FOUND', `the log has no issuance or refusal ${what}`, {
    hint: 'list what there is with: sentinel audit show, or name the log with --log-file',
  })
}
