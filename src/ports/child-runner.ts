import type { SessionCredentials } from '../domain/credentials.ts'
import type { Secret } from '../domain/secret.ts'

/** How a child gets at its credentials: from a server it may ask, or in its environment. */
export type ChildAccess =
  | { readonly kind: 'server'; readonly url: string; readonly token: Secret }
  | { readonly kind: 'env'; readonly credentials: SessionCredentials }

export interface ChildRequest {
  /** Absent: the user's shell. */
  readonly command?: string | undefined
  readonly args: readonly string[]
  readonly access: ChildAccess
  readonly profile: string
  readonly region?: string | undefined
  /** INI text for a private AWS config; `inherited` leaves the user's own in place. */
  readonly awsConfig: string | 'inherited'
  /** The session's id or, without one, the run's. */
  readonly activeId: string
  /** Aborts when the child is to be ended from our side: TERM, and KILL 10 s later. */
  readonly stop?: AbortSignal
}

export type ChildEnd = { readonly status: number } | { readonly signal: NodeJS.Signals }

/** Runs the user's command. */
export interface ChildRunner {
  /**
   * Throws `COMMAND_NOT_FOUND` or `COMMAND_NOT_EXECUTABLE`, and `USAGE` inside another run: asked
   * before anything is issued for a command that cannot run.
   */
  assertRunnable(command: string | undefined, options: { readonly nested: boolean }): void

  /**
   * Holds from now on the signals that would end this process, until everything is closed; a crash
   * leaves 2 s for that. The signal aborts when what is under way is to be given up: with the name
   * of the first INT, QUIT, TERM or HUP that comes before a child runs (the end is then
   * `{ signal }`), or with the error of a crash, at any time (the end is then to fail with it).
   */
  hold(): AbortSignal

  /**
   * Runs it to its end, on our terminal, with the signals that reach us. One of those, or `stop`,
   * that comes before the child runs is its end: nothing is started. Rejects with the error of a
   * crash once the child was told to end.
   */
  run(request: ChildRequest): Promise<ChildEnd>

  /** The status a shell shows for `end`: 128 + n for signal n. */
  exitStatus(end: ChildEnd): number
}
