import { CHANGES, isOutcome, type Replay, replayLog } from '../../app/replay-log.ts'
import {
  ARCHIVE_OPTIONS,
  PERIOD_OPTIONS,
  RECORD_OPTIONS,
  readArchive,
  readPeriod,
} from '../audit-options.ts'
import { showReading } from '../audit-progress.ts'
import { renderReplay, replayCSV, replayJSON } from '../audit-replay-view.ts'
import { defineCommand } from '../command.ts'
import { printable } from '../output.ts'
import { FORMAT_OPTIONS, readFormat } from '../row-format.ts'
import { readValidPolicy } from '../valid-policy.ts'

export default defineCommand({
  usage: 'audit replay [...files]',
  summary: 'Decide the logged accesses again under another policy, and show what changes',
  examples: [
    'audit replay --policy new.yaml --since 30d',
    'audit replay --policy new.yaml --fail-on-change',
  ],
  statuses: {
    0: 'replayed',
    1: 'with --fail-on-change: something is decided otherwise',
  },
  options: {
    policy: {
      type: 'string',
      value: 'PATH',
      summary: 'The other policy, in a file (default: the one in use)',
    },
    'policy-parameter': {
      type: 'string',
      value: 'NAME',
      summary: 'The other policy, in an SSM parameter',
    },
    'fail-on-change': {
      type: 'boolean',
      summary: 'Exit with 1 if any is refused that was allowed, or the other way round',
    },
    user: RECORD_OPTIONS.user,
    profile: RECORD_OPTIONS.profile,
    ...PERIOD_OPTIONS,
    ...FORMAT_OPTIONS,
    ...ARCHIVE_OPTIONS,
  },

  async run({ args, options }, deps) {
    const { out, notices } = deps
    const { user, profile } = options
    const format = readFormat(options.format, out)
    const filter = {
      ...readPeriod(options, deps.clock.aws()),
      ...(user !== undefined && { user }),
      ...(profile !== undefined && { profile }),
    }
    const { policy, reference, sha256 } = await readValidPolicy(options, undefined, deps)
    const archive = await deps.openArchive(readArchive(args, options))
    const replay = await deps
      .interruptibly((signal) =>
        replayLog(archive, { policy, filter }, { signal, onProgress: showReading(out) }),
      )
      .finally(() => out.progress(''))
    if (format === 'json') out.printRaw(replayJSON(replay, { reference, sha256 }))
    else if (format === 'csv') out.printRaw(replayCSV(replay))
    else out.printRaw(printable(renderReplay(replay, reference)))
    if (format === 'table') notices.info(BLIND_SPOTS)
    return options['fail-on-change'] && hasNewOutcome(replay) ? { status: 1 } : undefined
  },
})

/** What no record tells, and so no replay. */
const BLIND_SPOTS =
  'replayed is what the policy says: not what sessions, locks, quotas or AWS said besides, ' +
  'nor grants that were there and not used'

function hasNewOutcome({ changes }: Replay): boolean {
  return CHANGES.some((change) => isOutcome(change) && changes[change] > 0)
}
