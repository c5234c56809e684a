import type { AWSClock } from '../aws/aws-clock.ts'
import type { CrashWatch } from '../child/crash.ts'
import type { GlobalOptions } from '../cli/global-options.ts'
import type { Sink } from '../cli/output.ts'
import type { SettingsReader } from '../deps.ts'
import type { Notices } from '../ports/notices.ts'

/** The process as it is given to the composition root. */
export interface Host {
  readonly stdout: Sink
  readonly stderr: Sink
  readonly version: string
  /** The command line that runs this program again. */
  readonly self: readonly string[]
  readonly crash: CrashWatch
}

export type Environment = Readonly<Record<string, string | undefined>>

/** What every part that is composed is made of. */
export interface World {
  readonly globals: GlobalOptions
  readonly host: Host
  /** As the user gave it to us. */
  readonly env: Environment
  readonly settings: SettingsReader
  readonly notices: Notices
  readonly clock: AWSClock
  readonly cleanUp: DisposableStack
}

/** Who owns our files: none on Windows. */
export const uid = process.geteuid?.()
