import type { Basis, Effect, Mode } from './policy/types.ts'

/**
 * A record of the decision log, as it stands in the file but for what the log adds itself
 * (`v`, `stream`, `seq`, `prev`, `host`, `pid`, and `time` if absent). Never a secret.
 */
export interface LogRecord {
  readonly type:
    | 'start'
    | 'issued'
    | 'served'
    | 'refused'
    /** A server saw that its session is over. */
    | 'revoked'
    | 'session.created'
    | 'session.ended'
    /** What a person ordered, as its command saw it done. */
    | 'session.revoked'
    | 'session.locked'
    | 'session.unlocked'
    | 'request.created'
    | 'request.approved'
    | 'request.denied'
    | 'request.cancelled'
    | 'request.revoked'
    /** Written ahead of the event; what did not come about is told by the one after it. */
    | 'break_glass.started'
    | 'break_glass.refused'
    | 'break_glass.closed'
    | 'break_glass.reviewed'
    | 'notification.given_up'
    | 'stop'
    | 'recovered'
    | 'witness'
  /** `YYYY-MM-DDTHH:MM:SS.mmmZ`, AWS time. */
  readonly time?: string
  /** When the policy decided, where that is not `time`: STS may have taken its time since. */
  readonly decided_at?: string
  /** The user part of the SourceIdentity. */
  readonly user?: string
  readonly person?: string
  /** ARN. */
  readonly principal?: string
  /** GetCallerIdentity's UserId. */
  readonly principal_id?: string
  readonly profile?: string
  readonly role_arn?: string
  readonly account?: string
  readonly mode?: Mode
  readonly effect?: Effect
  readonly outcome?: 'issued' | 'refused' | 'failed'
  readonly basis?: Basis
  readonly rule?: string
  readonly rule_index?: number
  readonly reason?: string
  /** An error code of errors.ts, for what did not end in an issuance. */
  readonly code?: string
  readonly policy?: {
    readonly reference: string
    readonly version?: number
    readonly sha256?: string
  }
  /** The policy could not be fetched again and was still within its maximum age. */
  readonly stale_policy?: boolean
  readonly request_id?: string
  readonly source_identity?: string
  readonly access_key_id?: string
  readonly session_id?: string
  /** Where the session is tracked, in full. */
  readonly session_store?: string
  /**
   * The store that held the session's record when it was decided, as the policy of then names it.
   */
  readonly tracked_in?: string
  readonly server_instance_id?: string
  /** The session store was silent for longer than the grace, and the outage rule allowed it. */
  readonly stale_session?: boolean
  /** Of an order: whose session it is, what is locked (`user alice`), until when. */
  readonly session_user?: string
  readonly lock?: string
  /** Of a request or an event: its id, whose it is, and what was said about it. */
  readonly subject_id?: string
  readonly subject_person?: string
  readonly justification?: string
  readonly comment?: string
  readonly reason_code?: string
  readonly verdict?: string
  readonly until?: string
  /** Of a notification: its id, what it told of, and to whom. */
  readonly notification_id?: string
  readonly event?: string
  readonly receiver?: string
  readonly duration_seconds?: number
  readonly expires_at?: string
  readonly grant_id?: string
  readonly grant_store?: string
  /** The life of the grant that lifted, to be held to another policy's `max_duration`. */
  readonly grant_from?: string
  readonly grant_until?: string
  /** Of an approval: the rule it was asked for under, and who approved it (UserIds, by spaces). */
  readonly grant_rule?: string
  readonly grant_approved_by?: string
  /** It was approved by a rule's `auto_approve`. */
  readonly grant_automatic?: boolean
  readonly stamped?: boolean
  readonly endpoint_override?: boolean
  readonly peer?: 'unknown'
  /**
   * How often a refusal (`of`: its request id) was repeated, or a credential served (`count`; of a
   * `recovered` record: how many records were not written).
   */
  readonly repeats?: number
  readonly of?: string
  readonly count?: number
  /** `start`: what runs. `stop`: how it ended. */
  readonly version?: string
  readonly exit_status?: number
  /** Heads of other streams of the same file: stream → `seq:hash`. */
  readonly heads?: Readonly<Record<string, string>>
}

/** A record as it is read back, with what the log itself put to it. */
export interface LoggedRecord extends LogRecord {
  readonly stream: string
  /** 1, 2, 3, … within the stream: the order that counts. */
  readonly seq: number
  readonly time: string
  readonly host: string
  readonly pid: number
}
