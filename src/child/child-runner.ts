import type { ChildRequest, ChildRunner } from '../ports/child-runner.ts'
import type { CrashWatch } from './crash.ts'
import { defaultCommand } from './default-command.ts'
import { exitStatus } from './end-like-child.ts'
import { childEnvironment } from './environment.ts'
import { assertNotNested } from './nesting.ts'
import { type PrivateConfigPlaces, writePrivateConfig } from './private-config.ts'
import { resolveCommand } from './resolve-command.ts'
import { runChild } from './run-child.ts'
import { type HeldSignals, holdSignals } from './signals.ts'

interface ProcessChildRunnerOptions extends PrivateConfigPlaces {
  /** As the user gave it to us: the child gets all of it but what leads past the gateway. */
  readonly env: Readonly<Record<string, string | undefined>>
  readonly platform: NodeJS.Platform
  /** Keeps held signals until what is open has been closed. */
  readonly cleanUp: DisposableStack
  readonly crash: CrashWatch
  /** From TERM to KILL, for a child that is to end. Absent: 10 s. */
  readonly killAfterMs?: number
}

/** Runs commands as processes of this machine. */
export function createChildRunner(options: ProcessChildRunnerOptions): ChildRunner {
  const { env, platform, cleanUp, crash, killAfterMs } = options
  const find = (command: string | undefined) =>
    resolveCommand(command ?? defaultCommand(env, platform), env)
  let held: HeldSignals | undefined
  const hold = () => {
    if (held === undefined) {
      held = cleanUp.use(holdSignals())
      crash.leaveTime()
    }
    return held
  }

  return {
    assertRunnable(command, nesting) {
      assertNotNested(env, nesting)
      find(command)
    },

    hold: () => AbortSignal.any([hold().ending, crash.signal]),

    async run({ command, args, awsConfig, stop, ...access }: ChildRequest) {
      const signals = hold()
      const found = find(command)
      using files = awsConfig === 'inherited' ? undefined : writePrivateConfig(options, awsConfig)
      const awsFiles = files ?? 'inherited'
      const childEnv = childEnvironment(env, { ...access, awsFiles, platform })
      const ends = { signals, stop, crash: crash.signal, killAfterMs }
      return await runChild({ command: found, args, env: childEnv, ...ends })
    },

    exitStatus,
  }
}
