import type { WantedTable } from '../domain/table.ts'
import { elapsed, MINUTE, SECOND } from '../domain/time.ts'
import { SentinelError } from '../errors.ts'
import type { Clock } from '../ports/clock.ts'
import type { FeatureOutcome, FoundTable, TableKeeper } from '../ports/table-keeper.ts'
import { assertFits } from './table-faults.ts'

/** Five indexes take AWS under a minute, in its bad hours several. */
const READY_WITHIN = 5 * MINUTE
const LOOK_EVERY = 2 * SECOND

/** What a table has besides rows and indexes, in words for messages. */
export const FEATURES = {
  encryption: 'encryption with a key of KMS',
  expiry: 'expiry of rows (TTL)',
  recovery: 'point-in-time recovery',
} as const

interface InitTablesDeps {
  readonly keeper: TableKeeper
  readonly clock: Pick<Clock, 'now'>
  /** Shows what is being waited for. */
  readonly progress: (text: string) => void
}

/** A table that is there, as it was found or made. */
export interface InitializedTable {
  readonly table: WantedTable
  readonly arn: string
  readonly outcome: 'created' | 'existed'
  /** Of rows, by TTL. */
  readonly expiry: FeatureOutcome
  /** To any point in time. */
  readonly recovery: FeatureOutcome
  /** `unknown`: a key of KMS was asked for, and what answers knows none. */
  readonly encryption: 'a key of AWS' | 'a key of KMS' | 'unknown'
}

/**
 * Makes `table` unless it is there, waits until it and its indexes can be used, and turns on what
 * is not on yet: run again after an interruption, it goes on where it stopped. Rejects with
 * `STORE_INVALID` for a table that is not what it should be, which is left as it is, and with
 * `STORE_UNAVAILABLE` when it is not ready in minutes, or lacks a feature and must not.
 */
export async function initTable(
  deps: InitTablesDeps,
  table: WantedTable,
): Promise<InitializedTable> {
  const { keeper, progress } = deps
  progress(`looking for ${table.name}`)
  const before = await keeper.find(table)
  // Nobody waits for a table that is of no use. One that is being deleted has no indexes any more.
  if (before && before.state !== 'unusable') assertFits(before, table)
  const made = before === undefined ? await keeper.create(table) : 'exists'
  const found = await untilReady(deps, table)
  assertFits(found, table)

  const encryption = encryptionOf(found, table)
  if (encryption === 'unknown') {
    if (made === 'exists' && keeper.gaps === 'refused') throw notEncrypted(table)
    requireGap(keeper, table, FEATURES.encryption)
  }
  progress(`turning on what ${table.name} lacks`)
  const expiry = await keeper.turnOnExpiry(table)
  if (expiry === 'unknown') requireGap(keeper, table, FEATURES.expiry)
  const recovery = await turnOnRecovery(deps, table)
  if (recovery === 'unknown') requireGap(keeper, table, FEATURES.recovery)
  progress('')
  const outcome = made === 'created' ? 'created' : 'existed'
  return { table, arn: found.arn, outcome, expiry, recovery, encryption }
}

async function untilReady(deps: InitTablesDeps, table: WantedTable): Promise<FoundTable> {
  const { name, region, definition } = table
  return untilKnown(deps, `table ${name} in ${region} is not ready`, async () => {
    // A table that was just made is not there for everybody at once.
    const found = await deps.keeper.find(table)
    if (found?.state === 'unusable') {
      throw new SentinelError(
        'STORE_UNAVAILABLE',
        `table ${name} in ${region} is ${found.status}`,
        {
          hint: 'run it again when AWS is done with the table, or name another one',
        },
      )
    }
    const ours = definition.indexes.map(({ name: wanted }) =>
      found?.indexes.find((index) => index.name === wanted),
    )
    const ready = ours.filter((index) => index?.isReady).length
    const isBusy = found?.indexes.some(({ isReady }) => !isReady)
    deps.progress(`waiting for ${name}: ${ready} of ${ours.length} indexes are ready`)
    return found?.state === 'ready' && !isBusy ? found : undefined
  })
}

async function turnOnRecovery(deps: InitTablesDeps, table: WantedTable): Promise<FeatureOutcome> {
  const { name, region } = table
  const late = `table ${name} in ${region} does not take ${FEATURES.recovery} yet`
  return untilKnown(deps, late, async () => {
    const outcome = await deps.keeper.turnOnRecovery(table)
    return outcome === 'too early' ? undefined : outcome
  })
}

/** Asks until there is an answer, for some minutes. */
async function untilKnown<Answer>(
  { clock }: InitTablesDeps,
  late: string,
  ask: () => Promise<Answer | undefined>,
): Promise<Answer> {
  for (const start = clock.now(); ; ) {
    const answer = await ask()
    if (answer !== undefined) return answer
    if (elapsed(start, clock.now()) >= READY_WITHIN) {
      throw new SentinelError(
        'STORE_UNAVAILABLE',
        `${late} after ${READY_WITHIN / MINUTE} minutes`,
        {
          hint: 'run it again: it goes on where it stopped',
        },
      )
    }
    await new Promise((resume) => setTimeout(resume, LOOK_EVERY))
  }
}

function encryptionOf({ kmsKey }: FoundTable, wanted: WantedTable): InitializedTable['encryption'] {
  if (kmsKey !== undefined) return 'a key of KMS'
  return wanted.kmsKey === undefined ? 'a key of AWS' : 'unknown'
}

function notEncrypted({ name, region }: WantedTable): SentinelError {
  return new SentinelError(
    'STORE_INVALID',
    `table ${name} in ${region} is encrypted with a key of AWS, not with one of KMS`,
    {
      hint: 'change it with aws dynamodb update-table --sse-specification, or leave --kms-key out',
    },
  )
}

function requireGap(
  { gaps }: Pick<TableKeeper, 'gaps'>,
  { name, region }: WantedTable,
  feature: string,
): void {
  if (gaps === 'allowed') return
  throw new SentinelError(
    'STORE_UNAVAILABLE',
    `table ${name} has no ${feature}: what answers for DynamoDB in ${region} does not know it`,
    { hint: 'look at the endpoints in your settings: this is not AWS' },
  )
}
