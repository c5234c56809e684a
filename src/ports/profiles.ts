import type { Credentials } from '../domain/credentials.ts'

/** A `[profile X]` of the AWS config file, as far as Sentinel looks at it before resolving it. */
export interface Profile {
  readonly name: string
  /** The role its credentials are for, unless it has none. */
  readonly roleArn?: string
  readonly region?: string
  /** `duration_seconds`. */
  readonly durationSeconds?: number
  /** Whether the role is reached by a web identity token, a call that cannot be stamped. */
  readonly isWebIdentity: boolean
  /**
   * The lines of a private config for a child: every key of the profile but those that hold or
   * lead to credentials, with the `services` section it names. INI text for `[default]` and
   * `[profile X]`.
   */
  readonly childConfig: string
}

/** What signs AssumeRole, and the AssumeRole that makes the profile's credentials. */
export interface ResolvedProfile {
  readonly base: Credentials
  /**
   * Absent: the profile has no role, or reaches it by web identity; `base` is what it stands for.
   */
  readonly role?: {
    readonly arn: string
    readonly externalId?: string
    /** Passed on to AssumeRole: only without an MFA session (`--no-session`). */
    readonly mfa?: { readonly serialNumber: string; readonly tokenCode: string }
  }
  /** As STS's AssumeRoleWithWebIdentity answered, when `base` was made by it. */
  readonly webIdentity?: { readonly provider: string; readonly subject: string }
  /** The command that renews `base` when it has ended: `aws sso login --profile corp`. */
  readonly loginCommand?: string
}

export interface ResolveOptions {
  /**
   * Whether a person may be asked for an MFA code now. `no`: rejects with `INTERACTION_REQUIRED`
   * (or, when an MFA session was there and has ended, `BASE_CREDENTIALS_EXPIRED`).
   */
  readonly mayPrompt: boolean
  readonly signal: AbortSignal
}

/** The user's AWS config files. */
export interface Profiles {
  /** Names, in the order of the files. */
  names(): Promise<readonly string[]>

  /**
   * Reads the files anew. Rejects with `PROFILE_NOT_FOUND` (the hint lists near names),
   * `PROFILE_INVALID` or `CONFIG_INVALID`.
   */
  load(name: string): Promise<Profile>

  /**
   * Runs the SDK's providers for `name`, reading the files anew. Rejects with
   * `BASE_CREDENTIALS_MISSING`, `BASE_CREDENTIALS_EXPIRED` (the hint is the command that renews
   * them), `BASE_CREDENTIALS_UNAVAILABLE` (their source did not answer), `PROFILE_RECURSION`,
   * `PROFILE_INVALID`, `PROFILE_CHANGED`, `INTERACTION_REQUIRED`, or what STS's errors are for
   * inner hops.
   */
  resolve(name: string, options: ResolveOptions): Promise<ResolvedProfile>
}
