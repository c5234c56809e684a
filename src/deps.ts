import type { BaseIdentity } from './app/base-identity.ts'
import type { Run } from './app/run.ts'
import type { Operator } from './app/session-orders.ts'
import type { AuditDeps } from './audit-deps.ts'
import type { Digest } from './domain/access-request.ts'
import type { LogRecord } from './domain/log-record.ts'
import type { Party } from './domain/party.ts'
import type { Mode, Policy, Target } from './domain/policy/types.ts'
import type { Principal } from './domain/principal.ts'
import type { TableKind, TableRole, WantedTable } from './domain/table.ts'
import type { BreakGlassStore } from './ports/break-glass-store.ts'
import type { ChildRunner } from './ports/child-runner.ts'
import type { Clock } from './ports/clock.ts'
import type { OpenCredentialEndpoint } from './ports/credential-endpoint.ts'
import type { Notices } from './ports/notices.ts'
import type { Notifier } from './ports/notifier.ts'
import type { Profile } from './ports/profiles.ts'
import type { RequestStore } from './ports/request-store.ts'
import type { SessionDirectory } from './ports/session-store.ts'
import type { DefaultSettings, SettingKey, Settings } from './ports/settings.ts'
import type { TableKeeper } from './ports/table-keeper.ts'

/** How many characters a terminal shows. */
export interface Window {
  readonly columns: number
  readonly rows: number
}

/** Results, to stdout: text for people, or the same thing as JSON for programs. */
export interface Output {
  /** What `print` prints, and who says so: `--output`, or a setting. */
  readonly form: Found<'text' | 'json'>
  print(text: string, data: unknown): void
  /** Prints what a program will read as it is, whatever `--output` says. */
  printRaw(text: string): void
  /**
   * Prints a piece of a long result, as it is. Resolves when more of it can be taken, to whether
   * anybody still reads.
   */
  stream(piece: string): Promise<boolean>
  /** The size of the terminal that results go to, now; `undefined` when they go elsewhere. */
  window(): Window | undefined
  /**
   * Shows how far long work has come, in one line on stderr that gives way to whatever comes next;
   * nothing where that is no terminal. An empty `text` takes the line away.
   */
  progress(text: string): void
}

/** A value of a setting, and where it was found: `--duration`, `SENTINEL_DURATION`, a path. */
export interface Found<Value> {
  readonly value: Value
  readonly origin: string
}

/** A flag of the command line, which stands above everything else; `text` is what was given. */
interface SettingFlag {
  readonly name: string
  readonly text: string | undefined
}

/** Settings by precedence: flag, environment, file, default. Throws `USAGE`, `CONFIG_INVALID`. */
export interface SettingsReader {
  find<Key extends SettingKey>(
    key: Key,
    flag?: SettingFlag,
  ): Found<NonNullable<Settings[Key]>> | undefined

  /** One that always has a value. */
  get<Key extends keyof DefaultSettings>(
    key: Key,
    flag?: SettingFlag,
  ): Found<NonNullable<Settings[Key]>>
}

/** The flags that say which policy decides. */
export interface PolicyFlags {
  readonly policy?: string | undefined
  readonly 'policy-parameter'?: string | undefined
}

/** The flags that say where sessions are tracked. */
export interface SessionFlags extends PolicyFlags {
  readonly 'session-table'?: string | undefined
  readonly 'session-store'?: string | undefined
}

/** The store of sessions, opened for a command of its own. */
export interface OpenedSessions extends AsyncDisposable {
  readonly directory: SessionDirectory
  /**
   * By STS where the store is shared, by the operating system where it is on this machine. Rejects
   * with `ISSUED_BY_SENTINEL` for credentials that Sentinel issued, and inside `sentinel exec`.
   */
  operator(): Promise<Operator>
  /** Writes what was ordered into the decision log, durably. Rejects with `LOG_UNAVAILABLE`. */
  record(record: LogRecord): Promise<void>
}

/** The flags that say where requests and break-glass events are kept. */
export interface GrantFlags extends PolicyFlags {
  readonly 'request-table'?: string | undefined
  readonly 'breakglass-table'?: string | undefined
}

/**
 * The flags that say which tables there are to be: those that name one, or else all of them.
 */
export interface TableFlags extends SessionFlags, GrantFlags {
  readonly 'anchor-table'?: string | undefined
  readonly kmsKey?: string
  /** `none`: AWS is not asked for anything, not even for a policy. */
  readonly calls: 'allowed' | 'none'
}

/** Tables that there are to be: at least one. */
export interface TablePlan {
  readonly tables: readonly WantedTable[]
  /** What the policy or a setting keeps elsewhere: needs no table. */
  readonly elsewhere: readonly { readonly kind: TableKind; readonly location: string }[]
  /** The same for a tool that keeps resources in code. */
  template(format: 'terraform' | 'cloudformation'): string
  /** The document of the IAM policy for people of `role`, over these tables. */
  iamPolicy(role: TableRole): string
}

/** A policy that decides: valid. */
export interface ValidPolicy {
  readonly policy: Policy
  readonly reference: string
  readonly sha256: string
  readonly version?: number
}

/**
 * What commands about requests and break-glass events work on: the store, the policy, and the log.
 */
export interface OpenedGrants<Store> extends AsyncDisposable {
  readonly store: Store
  readonly policy: ValidPolicy
  /**
   * Who decides or acts, by STS, for what is not asked for a profile: `--aws-profile`, or the base
   * credentials of the configured profile. Rejects with `ISSUED_BY_SENTINEL` for credentials that
   * Sentinel issued, and inside `sentinel exec`.
   */
  operator(): Promise<Caller>
  /**
   * Who asks for `profile`, by its base credentials, as `exec` would. Rejects as `operator`, and as
   * `exec` would.
   */
  requester(profile: string): Promise<Caller & { readonly target: Target }>
  /** Writes what happened into the decision log, durably. Rejects with `LOG_UNAVAILABLE`. */
  record(record: LogRecord): Promise<void>
  /**
   * Delivers what waits in the outbox, for a few seconds at most. Never rejects: what is left waits
   * for a later command, and that is told.
   */
  deliver(): Promise<void>
}

/** What `notify flush` works on: every store that has an outbox, what delivers, and the log. */
export interface OpenedOutboxes extends AsyncDisposable {
  /** Absent where no store of that kind is named. */
  readonly requests?: RequestStore
  readonly breakGlass?: BreakGlassStore
  readonly policy: ValidPolicy
  readonly notifier: Notifier
  /** Writes what was given up into the decision log, durably. Rejects with `LOG_UNAVAILABLE`. */
  record(record: LogRecord): Promise<void>
}

/** Somebody whom STS named. */
export interface Caller {
  readonly principal: Principal
  readonly party: Party
}

export interface RunFlags extends SessionFlags, GrantFlags {
  readonly 'log-file'?: string | undefined
  readonly 'log-stderr'?: boolean | undefined
  readonly 'no-session'?: boolean | undefined
  readonly 'accept-policy-reset'?: boolean | undefined
}

export interface RunSelection {
  readonly profile: string
  readonly mode: Mode
  /** Seconds. */
  readonly duration: number | undefined
  readonly flags: RunFlags
  /** `never`: a credential process has nobody to ask. */
  readonly prompts: 'allowed' | 'never'
}

/** What is wrong in a document, and where. */
export interface Problem {
  readonly line: number
  readonly column: number
  readonly message: string
  readonly hint?: string
}

export interface CheckedPolicy {
  readonly reference: string
  readonly sha256: string
  readonly version?: number
  /** Absent when there are problems. */
  readonly policy?: Policy
  readonly problems: readonly Problem[]
  readonly warnings: readonly Problem[]
}

/** What commands run on. Built by `compose.ts` for real, by fixtures for tests. */
export interface Deps extends AuditDeps, AsyncDisposable {
  readonly version: string
  readonly out: Output
  readonly notices: Notices
  readonly clock: Clock
  readonly settings: SettingsReader
  /** Opens the one way to a credential. */
  openRun(selection: RunSelection): Promise<Run>
  /** Reads the policy that `flags` or the settings name, without deciding anything by it. */
  checkPolicy(flags: PolicyFlags, profile: string | undefined): Promise<CheckedPolicy>
  /** Opens the store that `flags`, the policy or the settings name; `CONFIG_INVALID` for none. */
  openSessions(flags: SessionFlags): Promise<OpenedSessions>
  /**
   * The tables that flags name; without any, those of all kinds, as the policy or the settings name
   * them, or else by their default names; of anchors only where one is named. Throws `USAGE` or
   * `CONFIG_INVALID` where none is a table.
   */
  planTables(flags: TableFlags): Promise<TablePlan>
  openTables(): Promise<TableKeeper>
  /**
   * The store of requests, by flag, policy or setting; `CONFIG_INVALID` for none. `profile`: what
   * the command is about, whose base credentials sign unless `--aws-profile` does.
   */
  openRequests(flags: GrantFlags, profile?: string): Promise<OpenedGrants<RequestStore>>
  /** The store of break-glass events, likewise. */
  openBreakGlass(flags: GrantFlags, profile?: string): Promise<OpenedGrants<BreakGlassStore>>
  /** The stores of both kinds, by flags, policy and settings; `CONFIG_INVALID` for neither. */
  openOutboxes(flags: GrantFlags): Promise<OpenedOutboxes>
  /** SHA-256, in hex. */
  readonly digest: Digest
  /** 96 random bits as 20 characters of base32: ids of requests, events and notifications. */
  readonly newId: () => string
  /** The JSON Schema of a policy. */
  policySchema(): Promise<object>
  loadProfile(name: string): Promise<Profile>
  /** Resolves a profile's base credentials and asks STS whose they are. */
  identify(profile: string): Promise<BaseIdentity>
  readonly children: ChildRunner
  readonly openEndpoint: OpenCredentialEndpoint
  /**
   * Asks the person at the terminal for a yes or a no. Rejects with `INTERACTION_REQUIRED` when
   * there is none or none may be asked, naming `flag`, which answers yes; with `INTERRUPTED` on
   * Ctrl-C.
   */
  confirm(question: string, flag: string): Promise<boolean>
  /** Has the person at the terminal type `name`, until they did. Rejects as `confirm`. */
  typeName(question: string, name: string, flag: string): Promise<void>
  /** Does `work` with a signal that a Ctrl-C aborts, where it would end the process otherwise. */
  interruptibly<Result>(work: (interrupted: AbortSignal) => Promise<Result>): Promise<Result>
  /** Every setting with its value and origin, for `config show`. */
  listSettings(): readonly {
    readonly name: string
    /** How a value is written: durations are seconds in the value, `1h` in text. */
    readonly kind: string
    readonly summary: string
    readonly found: Found<unknown> | undefined
  }[]
  /** Plays the tour of the product on embedded parts. */
  runDemo(options: { readonly pause: boolean }): Promise<void>
  /** The demo's child: a real AWS SDK client. */
  runDemoClient(options: { readonly isRepeated: boolean }): Promise<number>
}
