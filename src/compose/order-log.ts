import type { LogRecord } from '../domain/log-record.ts'
import { lazily } from './lazily.ts'
import { openLog } from './log.ts'
import type { World } from './world.ts'

export interface OpenedOrderLog extends AsyncDisposable {
  record(record: LogRecord): Promise<void>
}

/** The decision log for a command that issues nothing: opened with the first record. */
export function openOrderLog(world: World): OpenedOrderLog {
  const log = lazily(async () => {
    const opened = await openLog(world, {})
    opened.note({ type: 'start', version: world.host.version })
    return opened
  })
  return {
    record: async (record) => (await log()).append(record),
    async [Symbol.asyncDispose]() {
      if (!log.isMade()) return
      const opened = await log()
      opened.note({ type: 'stop' })
      await opened[Symbol.asyncDispose]()
    },
  }
}
