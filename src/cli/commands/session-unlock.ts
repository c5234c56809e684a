import { unlockScope } from '../../app/revoke-sessions.ts'
import { openOrderLog } from '../../app/session-orders.ts'
import { describeScope } from '../../domain/session.ts'
import { toSeconds } from '../../domain/time.ts'
import { SentinelError } from '../../errors.ts'
import { defineCommand } from '../command.ts'
import { lockFields } from '../session-fields.ts'
import { readScopes, SCOPE_OPTIONS, SESSION_OPTIONS } from '../session-options.ts'

export default defineCommand({
  usage: 'session unlock',
  summary: 'Lift a lock that session revoke has set',
  examples: ['session unlock --user alice', 'session unlock --all'],
  options: { ...SCOPE_OPTIONS, ...SESSION_OPTIONS },

  async run({ options }, deps) {
    const [scope, ...others] = readScopes(options)
    if (scope === undefined || others.length > 0) {
      throw new SentinelError('USAGE', 'name exactly one lock', {
        hint: 'give one of --user USER, --profile PROFILE and --all',
      })
    }
    await using sessions = await deps.openSessions(options)
    const { directory, record } = sessions
    const operator = await sessions.operator()
    const log = openOrderLog({ ...deps, record }, operator, directory.location)

    const lock = await unlockScope({ directory, log }, scope)

    const isOver = lock.until <= deps.clock.aws()
    deps.out.print(
      `lifted the lock on ${describeScope(scope)}; it ${isOver ? 'was over since' : 'was to hold until'} ${toSeconds(lock.until)}`,
      { lifted: lockFields(lock) },
    )
    log.assertWritten()
    return undefined
  },
})
