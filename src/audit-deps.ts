import type { Check } from './app/doctor.ts'
import type { Shipped } from './app/ship-log.ts'
import type { AnchorSource, AnchorSources } from './app/verify-log.ts'
import type { InclusionPath, LogArchive } from './ports/log-archive.ts'
import type { LogSigner, LogVerifier } from './ports/log-signer.ts'
import type { Trail } from './ports/trail.ts'

/** Which files of the decision log are read. */
export interface ArchiveSelection {
  /** Files of one log, oldest first; none: the log that `log-file` or a setting names, whole. */
  readonly files?: readonly string[]
  readonly 'log-file'?: string | undefined
}

/** What is heard while what vouches for a log is read. */
export interface AnchorReading {
  /** So many anchors were read. */
  readonly onAnchor: (done: number) => void
  /** So many sessions were looked up. */
  readonly onSession: (done: number) => void
  /** The store at `location` has no record any more of `count` sessions: they vouch for nothing. */
  readonly onGone: (count: number, location: string) => void
}

/** The flags that say who signs. */
export interface SignerFlags {
  readonly key?: string | undefined
  readonly 'kms-key'?: string | undefined
}

/** The flags that say whose signature counts. */
export interface VerifierFlags {
  readonly 'public-key'?: string | undefined
  readonly 'kms-key'?: string | undefined
}

/** What signed statements and proofs are made with, and checked. */
export interface Signing {
  /** The host that statements are signed on. */
  readonly host: string
  /** Rejects with `USAGE` unless exactly one is named, with `KEY_INVALID` or `FILE_UNTRUSTED`. */
  openSigner(flags: SignerFlags): Promise<LogSigner>
  /** Likewise; `SIGNING_FAILED` when KMS does not give its public key. */
  openVerifier(flags: VerifierFlags, signal: AbortSignal): Promise<LogVerifier>
  /** Of a public key in PEM; `name` is what errors call it. Rejects with `KEY_INVALID`. */
  verifierOf(key: { readonly pem: string; readonly name: string }): Promise<LogVerifier>
  /** The root that a path leads to, in hex; `undefined` where no line has a path of that length. */
  rootOf(path: Omit<InclusionPath, 'root'>): Promise<string | undefined>
  /** The text of a statement or a proof. Rejects with `STATEMENT_INVALID`. */
  read(path: string): Promise<string>
  /** Writes a new file for its owner alone. Rejects with `FILE_NOT_WRITTEN`. */
  writeNew(path: string, text: string): Promise<void>
}

/** Which part of CloudTrail is looked at. */
export interface TrailSelection {
  /**
   * Absent: that of whoever signs, those in which sessions of `profiles` are asked for from here,
   * and us-east-1, where STS's global endpoint is.
   */
  readonly regions?: readonly string[] | undefined
  readonly profiles: readonly string[]
  readonly signal: AbortSignal
}

export interface OpenedTrail {
  readonly trail: Trail
  /** Whose it is: that of whoever signs. */
  readonly account: string
  /** At least one, each once. */
  readonly regions: readonly string[]
}

/** Which log is shipped. */
export interface ShipFlags {
  readonly 'log-file'?: string | undefined
}

/** What came of shipping a log. */
export interface ShippedLog extends Shipped {
  readonly path: string
  /** What may be shown of where to. */
  readonly receiver: string
  /** Another process ships this log: then nothing was done here. */
  readonly isElsewhere: boolean
}

/** What is looked at, and whether AWS may be asked. */
export interface DoctorFlags extends ShipFlags {
  readonly profile?: string | undefined
  readonly policy?: string | undefined
  readonly 'policy-parameter'?: string | undefined
  readonly offline?: boolean | undefined
}

/** The part of `Deps` that reads the decision log, and vouches for it. */
export interface AuditDeps {
  /** Rejects with `LOG_NOT_FOUND`, naming where it looked, or `LOG_UNREADABLE`. */
  openArchive(selection: ArchiveSelection): Promise<LogArchive>
  /**
   * Where lines of that log are known besides: the table that `log_anchor` names, and the stores of
   * the sessions in it. Nothing is asked yet, and nothing made by asking.
   */
  openAnchorSources(
    selection: ArchiveSelection,
    reading: AnchorReading,
  ): Promise<readonly (AnchorSource | AnchorSources)[]>
  readonly signing: Signing
  /**
   * CloudTrail's event history. Rejects as the credentials of who signs do, and as STS, which says
   * whose account it is.
   */
  openTrail(selection: TrailSelection): Promise<OpenedTrail>
  /**
   * Ships the log beside a run of `profile`, until disposed of. Does nothing unless a setting asks
   * for it, and never throws.
   */
  shipBeside(flags: ShipFlags, profile: string): AsyncDisposable
  /**
   * Ships what is in the log now. Rejects with `CONFIG_INVALID` where no setting says where to,
   * with `LOG_NOT_FOUND`, with `SHIPPING_FAILED` or `SHIPPING_REFUSED`, and with `INTERRUPTED` when
   * `signal` aborts.
   */
  shipLog(
    flags: ShipFlags,
    options: { readonly signal: AbortSignal; readonly onProgress: (lines: number) => void },
  ): Promise<ShippedLog>
  /** What `doctor` looks at. */
  doctorChecks(flags: DoctorFlags): readonly Check[]
}
