import type { DecisionLog } from '../ports/decision-log.ts'
import { AnchorKeeper, type AnchorKeeperDeps, type AnchorPlace } from './anchor-keeper.ts'

interface AnchoredLogDeps extends Omit<AnchorKeeperDeps, 'log' | 'place'> {
  readonly log: DecisionLog
  readonly place: AnchorPlace | undefined
}

/** The log, whose head is anchored as it grows and once it is closed; without a place, as it is. */
export function anchoredLog({ log, place, ...deps }: AnchoredLogDeps): DecisionLog {
  if (!place) return log
  const keeper = new AnchorKeeper({ ...deps, log, place })
  return {
    stream: log.stream,
    head: () => log.head(),
    async append(record) {
      await log.append(record)
      keeper.heard(record.type)
    },
    note(record) {
      log.note(record)
      keeper.heard(record.type)
    },
    async [Symbol.asyncDispose]() {
      try {
        await log[Symbol.asyncDispose]()
      } finally {
        // With `stop`. What could not be written needs no anchor; what was does.
        await keeper.close()
      }
    },
  }
}
