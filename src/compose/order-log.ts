import { anchoredLog } from '../app/anchored-log.ts'
import type { LogRecord } from '../domain/log-record.ts'
import { anchorPlace, quietly } from './anchors.ts'
import type { AWS } from './aws.ts'
import { lazily } from './lazily.ts'
import { openLog } from './log.ts'
import type { Signer } from './signer.ts'
import type { World } from './world.ts'

export interface OpenedOrderLog extends AsyncDisposable {
  record(record: LogRecord): Promise<void>
}

/**
 * The decision log for a command that issues nothing: opened with the first record, and anchored
 * when it is closed, by whoever signs the calls of the command.
 */
export function openOrderLog(
  world: World,
  aws: AWS,
  signer: () => Promise<Signer>,
): OpenedOrderLog {
  const log = lazily(async () => {
    const signerOf = async () => quietly(await signer())
    const place = anchorPlace(world, aws, { flags: {}, signerOf })
    const opened = anchoredLog({
      ...world,
      log: await openLog(world, {}),
      place,
      maySign: () => true,
    })
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
