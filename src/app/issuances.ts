import type { LoggedRecord } from '../domain/log-record.ts'
import type { Instant } from '../domain/time.ts'
import { SentinelError } from '../errors.ts'
import type { LogArchive, ReadOptions } from '../ports/log-archive.ts'

/** A session that Sentinel asked of AWS, as the decision log has it. */
export interface Issuance {
  readonly requestId: string
  readonly at: Instant
  /** Absent: AWS's answer was lost, and nobody got the credentials. */
  readonly issued?: { readonly accessKeyId: string; readonly until: Instant }
  readonly user?: string
  readonly profile?: string
  readonly roleArn?: string
  /** Sentinel itself assumed the role, and not whoever the base credentials are of. */
  readonly isStamped: boolean
  /** Of the role, and of whoever signed for it. */
  readonly accounts: readonly string[]
}

/** What is in memory of a log: a hundred MB or so. */
const MOST = 200_000

/** Issuances of a log, found by what CloudTrail shows of them. */
export class Issuances {
  readonly #byRequest = new Map<string, Issuance>()
  readonly #byKey = new Map<string, Issuance>()

  byRequest(requestId: string): Issuance | undefined {
    return this.#byRequest.get(requestId)
  }

  byAccessKey(accessKeyId: string): Issuance | undefined {
    return this.#byKey.get(accessKeyId)
  }

  /** In the order of the log. */
  all(): Iterable<Issuance> {
    return this.#byRequest.values()
  }

  /**
   * Puts those of `archive` to it that `isWanted`. Rejects with `USAGE` when they are too many, and
   * as the archive does.
   */
  async read(
    archive: Pick<LogArchive, 'records'>,
    isWanted: (issuance: Issuance) => boolean,
    options: ReadOptions,
  ): Promise<void> {
    // What was decided has an outcome; most records of a server, of what it served, have none.
    const records = archive.records({ containing: ['"outcome":'] }, options)
    for await (const { record, isAnnulled } of records) {
      const issuance = isAnnulled ? undefined : toIssuance(record)
      if (issuance && isWanted(issuance)) this.#add(issuance)
    }
  }

  #add(issuance: Issuance): void {
    const { requestId, issued } = issuance
    // One request may be recorded as failed and, if its record was written anew, as issued.
    if (!issued && this.#byRequest.has(requestId)) return
    this.#byRequest.set(requestId, issuance)
    if (issued) this.#byKey.set(issued.accessKeyId, issuance)
    if (this.#byRequest.size <= MOST) return
    throw new SentinelError('USAGE', `the log has more than ${MOST} issuances in that time`, {
      hint: 'look at a shorter time, with --since and --until',
    })
  }
}

/** What was issued, and what STS may have seen though its answer was lost. */
function toIssuance(record: LoggedRecord): Issuance | undefined {
  const { type, request_id: requestId, outcome, source_identity: sourceIdentity } = record
  const isLost = type === 'refused' && outcome === 'failed' && sourceIdentity !== undefined
  if (requestId === undefined || (type !== 'issued' && !isLost)) return undefined
  const { user, profile, role_arn: roleArn, access_key_id: accessKeyId } = record
  return {
    requestId,
    at: Date.parse(record.time),
    ...(type === 'issued' &&
      accessKeyId !== undefined && {
        issued: { accessKeyId, until: Date.parse(record.expires_at ?? record.time) },
      }),
    ...(user !== undefined && { user }),
    ...(profile !== undefined && { profile }),
    ...(roleArn !== undefined && { roleArn }),
    isStamped: record.stamped === true,
    accounts: [record.account, record.principal?.split(':')[4]].filter(
      (account) => account !== undefined,
    ),
  }
}
