import type { LogRecord } from '../domain/log-record.ts'
import type { Party } from '../domain/party.ts'
import { hasCode, SentinelError } from '../errors.ts'
import type { Notices } from '../ports/notices.ts'

/** What there is to say of an act beside whose it is, under which policy and where it is kept. */
export type Acted = Omit<
  LogRecord,
  'type' | 'user' | 'person' | 'principal' | 'principal_id' | 'policy' | 'grant_store'
> & { readonly type: Extract<LogRecord['type'], `request.${string}` | `break_glass.${string}`> }

/** Writes what was done into the decision log, without standing in its way. */
export interface ActLog {
  /** Never rejects for a log that cannot be written: the store has it by then. */
  write(acted: Acted): Promise<void>
  /** Writes what must not be done without a record. Rejects with `LOG_UNAVAILABLE`. */
  writeAhead(acted: Acted): Promise<void>
  /** Throws `LOG_UNAVAILABLE` if anything of what was done could not be written. */
  assertWritten(): void
}

interface ActLogDeps {
  readonly record: (record: LogRecord) => Promise<void>
  readonly notices: Pick<Notices, 'warn'>
}

/** What the acts of one command have in common. */
interface Circumstances {
  readonly actor: Party
  readonly policy: NonNullable<LogRecord['policy']>
  /** The store, in full. */
  readonly location: string
}

/** Opens the log of what somebody does to requests or break-glass events. */
export function openActLog(
  { record, notices }: ActLogDeps,
  { actor, policy, location }: Circumstances,
): ActLog {
  const { reference, version, sha256 } = policy
  let missing = 0
  let cause: SentinelError | undefined
  const writeAhead = (acted: Acted) =>
    record({
      ...acted,
      user: actor.user,
      person: actor.person,
      principal: actor.principal,
      principal_id: actor.principalId,
      policy: {
        reference,
        ...(version !== undefined && { version }),
        ...(sha256 !== undefined && { sha256 }),
      },
      grant_store: location,
    })
  return {
    writeAhead,
    async write(acted) {
      try {
        await writeAhead(acted)
      } catch (error) {
        if (!hasCode(error, 'LOG_UNAVAILABLE')) throw error
        if (missing === 0) notices.warn(`${error.message}: it is done all the same`, error.hint)
        missing += 1
        cause = error
      }
    },
    assertWritten() {
      if (missing === 0) return
      const records = missing === 1 ? 'the record' : `${missing} records`
      throw new SentinelError(
        'LOG_UNAVAILABLE',
        `it is done, but ${records} could not be written`,
        {
          hint: 'note by hand who did it and why, and mend the decision log',
          cause,
        },
      )
    },
  }
}
