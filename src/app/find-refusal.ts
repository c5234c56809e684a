import type { LoggedRecord } from '../domain/log-record.ts'
import { SentinelError } from '../errors.ts'
import type { ArchivedRecord, LogArchive, ReadOptions } from '../ports/log-archive.ts'
import { findDecision } from './find-decision.ts'
import { matcherOf, queryOf } from './record-filter.ts'

/** A decision in the log, with what the records after it count. */
export interface FoundDecision extends ArchivedRecord {
  /** How often the refusal was repeated. */
  readonly repeats: number
  /** How often the credential was handed out again. */
  readonly served: number
}

type Archive = Pick<LogArchive, 'records'>

/** Whose refusals, and for what. */
export interface RefusalFilter {
  readonly user?: string | undefined
  readonly profile?: string | undefined
}

/** The last refusal of the log. Rejects with `RECORD_NOT_FOUND`. */
export async function findRefusal(
  archive: Archive,
  { user, profile }: RefusalFilter,
  options: ReadOptions,
): Promise<FoundDecision> {
  const ofProfile = { types: ['refused'] as const, ...(profile !== undefined && { profile }) }
  const isWanted = matcherOf({ ...ofProfile, ...(user !== undefined && { user }) })
  // Whose it is need not stand in what counts repeats.
  const query = queryOf(ofProfile)
  let last: FoundDecision | undefined
  for await (const entry of archive.records(query, options)) {
    const { record, isAnnulled } = entry
    if (isAnnulled) continue
    if (record.of !== undefined) last = last && counted(last, record)
    else if (record.request_id !== undefined && isWanted(record)) {
      last = { ...entry, repeats: 0, served: 0 }
    }
  }
  if (last) return last
  const whose = user === undefined ? '' : ` of ${user}`
  const what = profile === undefined ? '' : ` for ${profile}`
  throw new SentinelError('RECORD_NOT_FOUND', `the log has no refusal${whose}${what}`, {
    hint: 'list what there is with: sentinel audit show, or name the log with --log-file',
  })
}

/** The decision about the request that `text` names. Rejects as {@link findDecision} does. */
export async function findRequest(
  archive: Archive,
  text: string,
  options: ReadOptions,
): Promise<FoundDecision> {
  const entry = await findDecision(archive, text, options)
  let found: FoundDecision = { ...entry, repeats: 0, served: 0 }
  const containing = [`"${entry.record.request_id}"`]
  for await (const { record, isAnnulled } of archive.records({ containing }, options)) {
    if (!isAnnulled) found = counted(found, record)
  }
  return found
}

function counted(found: FoundDecision, record: LoggedRecord): FoundDecision {
  const { type, of, request_id: id, repeats = 0, count = 0 } = record
  const own = found.record.request_id
  if (type === 'refused' && of === own) return { ...found, repeats: found.repeats + repeats }
  if (type === 'served' && id === own) return { ...found, served: found.served + count }
  return found
}
