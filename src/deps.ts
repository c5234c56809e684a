import type { BaseIdentity } from './app/base-identity.ts'
import type { Run } from './app/run.ts'
import type { Mode, Policy } from './domain/policy/types.ts'
import type { ChildRunner } from './ports/child-runner.ts'
import type { Clock } from './ports/clock.ts'
import type { OpenCredentialEndpoint } from './ports/credential-endpoint.ts'
import type { Notices } from './ports/notices.ts'
import type { Profile } from './ports/profiles.ts'
import type { DefaultSettings, SettingKey, Settings } from './ports/settings.ts'

/** Results, to stdout: text for people, or the same thing as JSON for programs. */
export interface Output {
  print(text: string, data: unknown): void
  /** Prints what a program will read as it is, whatever `--output` says. */
  printRaw(text: string): void
}

/** A value of a setting, and where it was found: `--duration`, `SENTINEL_DURATION`, a path. */
interface Found<Value> {
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

export interface RunFlags extends PolicyFlags {
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
export interface Deps extends AsyncDisposable {
  readonly version: string
  readonly out: Output
  readonly notices: Notices
  readonly clock: Clock
  readonly settings: SettingsReader
  /** Opens the one way to a credential. */
  openRun(selection: RunSelection): Promise<Run>
  /** Reads the policy that `flags` or the settings name, without deciding anything by it. */
  checkPolicy(flags: PolicyFlags, profile: string | undefined): Promise<CheckedPolicy>
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
  runDemoClient(): Promise<number>
}
