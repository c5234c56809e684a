import type { LogRecord } from '../domain/log-record.ts'
import type { Grant, Mode } from '../domain/policy/types.ts'
import { personOf } from '../domain/principal.ts'
import type { SessionId } from '../domain/session.ts'
import { sourceIdentity } from '../domain/source-identity.ts'
import { toSeconds, toTimestamp } from '../domain/time.ts'
import { hasCode, SentinelError } from '../errors.ts'
import type { Clock } from '../ports/clock.ts'
import type { DecisionLog } from '../ports/decision-log.ts'
import type { Assessment, Known } from './assessment.ts'
import type { BaseIdentity } from './base-identity.ts'

/** What stands in every record of a run. */
export interface RunContext {
  readonly profile: string
  readonly mode: Mode
  readonly version: string
  /** The role the profile names, for what fails before it is known who asks. */
  readonly roleArn?: string | undefined
  readonly endpointOverride: boolean
  /** The session this run is tracked as, once there is one. */
  readonly session?: () => SessionContext | undefined
}

export interface SessionContext {
  readonly id: SessionId
  /** In full. */
  readonly store: string
  /** Its store is silent for longer than the grace, and the outage rule lets it go on. */
  readonly isUnverified: boolean
}

export interface Issuance {
  readonly requestId: string
  readonly accessKeyId: string
  /** Seconds. */
  readonly duration: number
  readonly expiration: number
}

/** Writes what a run decides, in the words of the decision log. */
export class DecisionRecorder {
  readonly #log: DecisionLog
  readonly #clock: Clock
  readonly #context: RunContext
  /** Another principal ends a run, so this is whose everything after it is too. */
  #whose: Pick<LogRecord, 'user' | 'person'> = {}

  constructor(log: DecisionLog, clock: Clock, context: RunContext) {
    this.#log = log
    this.#clock = clock
    this.#context = context
  }

  start(): void {
    this.#log.note({ ...this.#common('start'), version: this.#context.version })
  }

  stop(exitStatus: number): void {
    this.#log.note({ ...this.#common('stop'), exit_status: exitStatus })
  }

  /** Resolves once the record is durable: no credential leaves before. */
  async issued(assessment: Assessment, issuance: Issuance): Promise<void> {
    const common = this.#common('issued')
    this.#remember(assessment.identity)
    await this.#log.append({
      ...common,
      ...assessed(assessment),
      ...decided(assessment, common),
      ...stamped(assessment, issuance.requestId),
      ...this.#tracked(),
      outcome: 'issued',
      access_key_id: issuance.accessKeyId,
      duration_seconds: issuance.duration,
      expires_at: toSeconds(issuance.expiration),
    })
  }

  /** A refusal, or an issuance that failed; with as much of the assessment as there was. */
  async refused(error: SentinelError, requestId: string, known: Known): Promise<void> {
    const common = this.#common('refused')
    this.#remember(known.identity)
    await this.#log.append({
      ...common,
      ...assessed(known),
      ...decided(known, common),
      ...stamped(known, requestId),
      ...(known.sessionStore !== undefined && this.#tracked()),
      ...failure(error),
      reason: error.message,
    })
  }

  /** That `repeats` more requests met `error`, which was recorded as `requestId`. */
  repeated(error: SentinelError, requestId: string, repeats: number): void {
    const common = { ...this.#common('refused'), ...this.#whose } as const
    this.#log.note({ ...common, ...failure(error), of: requestId, repeats })
  }

  /** That the credential of `requestId` was handed out `count` times since the last such record. */
  served(requestId: string, count: number, peer?: 'unknown'): void {
    this.#log.note({
      ...this.#common('served'),
      ...this.#whose,
      request_id: requestId,
      count,
      ...(peer ? { peer } : {}),
    })
  }

  /** That the record of the session is in its store. */
  sessionCreated(identity: BaseIdentity, serverInstanceId: string): void {
    this.#log.note({
      ...this.#common('session.created'),
      ...identified(identity),
      ...this.#tracked(),
      server_instance_id: serverInstanceId,
    })
  }

  /** That this server saw its session revoked. Resolves when durable. */
  async sessionRevoked(error: SentinelError, identity: BaseIdentity): Promise<void> {
    await this.#log.append({
      ...this.#common('revoked'),
      ...identified(identity),
      ...this.#tracked(),
      ...failure(error),
      reason: error.message,
    })
  }

  /**
   * Resolves once the record is durable. One that cannot be made so waits for the next that can.
   */
  async sessionEnded(reason: string): Promise<void> {
    const record = { ...this.#common('session.ended'), ...this.#tracked(), reason } as const
    try {
      await this.#log.append(record)
    } catch (error) {
      if (!hasCode(error, 'LOG_UNAVAILABLE')) throw error
      this.#log.note(record)
    }
  }

  #remember(identity: BaseIdentity | undefined): void {
    if (identity) this.#whose = { user: identity.user, person: personOf(identity.principal) }
  }

  #tracked(): Partial<LogRecord> {
    const session = this.#context.session?.()
    if (!session) return {}
    return {
      session_store: session.store,
      ...(session.isUnverified ? { stale_session: true } : {}),
    }
  }

  #common<Type extends LogRecord['type']>(type: Type): LogRecord & { type: Type } {
    const { profile, mode, roleArn, endpointOverride, session } = this.#context
    const id = session?.()?.id
    return {
      type,
      time: this.#time(),
      profile,
      mode,
      ...(roleArn ? { role_arn: roleArn } : {}),
      ...(endpointOverride ? { endpoint_override: true } : {}),
      ...(id ? { session_id: id } : {}),
    }
  }

  /** AWS time; where that is refused for its skew, local time, so that even this is recorded. */
  #time(): string {
    try {
      return toTimestamp(this.#clock.aws())
    } catch (error) {
      if (!(error instanceof SentinelError)) throw error
      return toTimestamp(this.#clock.now().wall)
    }
  }
}

function failure({ code, exitCode }: SentinelError) {
  return { code, outcome: exitCode === 3 ? 'refused' : 'failed' } as const
}

/** The stamp stands where STS may have seen it, though the answer was lost. */
function stamped({ identity, decision, sourceIdentity: seen }: Known, requestId: string) {
  const hasStamp = identity?.target.stamped && decision?.outcome === 'allow'
  const stamp = hasStamp && sourceIdentity(identity.user, decision.basis, requestId)
  const shown = seen ?? stamp
  return { request_id: requestId, ...(shown && { source_identity: shown }) }
}

function identified({ user, principal, target }: BaseIdentity) {
  return {
    user,
    // A web identity's provider and subject are in no ARN.
    person: personOf(principal),
    principal: principal.arn,
    principal_id: principal.uniqueId,
    account: target.account,
    stamped: target.stamped,
    ...(target.roleArn ? { role_arn: target.roleArn } : {}),
  }
}

function assessed({ identity, policy, decision, isStale }: Known) {
  return {
    ...(identity && identified(identity)),
    ...(policy && {
      policy: {
        reference: policy.reference,
        sha256: policy.sha256,
        ...(policy.version === undefined ? {} : { version: policy.version }),
      },
    }),
    ...(isStale && { stale_policy: true }),
    ...(decision && {
      effect: decision.effect,
      basis: decision.basis,
      reason: decision.reason,
      ...(decision.rule && { rule: decision.rule.name, rule_index: decision.rule.index }),
      ...(decision.grant && granted(decision.grant)),
    }),
  } satisfies Partial<LogRecord>
}

/** What it takes to decide the same again, besides who, what and the grant. */
function decided({ at, sessionStore }: Known, { time }: Pick<LogRecord, 'time'>) {
  const decidedAt = at === undefined ? time : toTimestamp(at)
  return {
    ...(decidedAt !== time && { decided_at: decidedAt }),
    ...(sessionStore !== undefined && { tracked_in: sessionStore }),
  } satisfies Partial<LogRecord>
}

/** The grant with all that decides whether another policy would let it lift too. */
function granted({ id, store, startsAt, endsAt, rule, approvedBy, isAutomatic }: Grant) {
  return {
    grant_id: id,
    ...(store && { grant_store: store }),
    grant_from: toTimestamp(startsAt),
    grant_until: toTimestamp(endsAt),
    ...(rule !== undefined && { grant_rule: rule }),
    ...(approvedBy?.length && { grant_approved_by: approvedBy.join(' ') }),
    ...(isAutomatic && { grant_automatic: true }),
  } satisfies Partial<LogRecord>
}
