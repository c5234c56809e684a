import type { LoggedRecord } from '../domain/log-record.ts'
import { decide } from '../domain/policy/evaluate.ts'
import type { Decision, Policy } from '../domain/policy/types.ts'
import type { LogArchive, ReadOptions } from '../ports/log-archive.ts'
import { askedUnder, loggedAccess } from './logged-access.ts'
import { matcherOf, queryOf, type RecordFilter } from './record-filter.ts'

export const CHANGES = ['refused', 'allowed', 'rule', 'cap'] as const

/**
 * What becomes of an access: `refused`, which was allowed; `allowed`, which was refused; allowed as
 * before, but by another `rule`; or for less time than it was issued for, by a smaller `cap`.
 */
export type Change = (typeof CHANGES)[number]

/** Accesses of one user to one profile that change in the same way. */
export interface ChangeGroup {
  readonly change: Change
  readonly user: string
  readonly profile: string
  /** The rule that decided. Absent: none matched. */
  readonly oldRule?: string
  readonly newRule?: string
  /** The new reason, of the first of them. */
  readonly reason: string
  readonly count: number
  /** `time` of the first and the last. */
  readonly first: string
  readonly last: string
  /** The request id of the last. */
  readonly example?: string
}

/** Why a record cannot be decided again. */
type Undecidable =
  /** It failed before the policy was asked. */
  | 'undecided'
  /** It does not say all that counts. */
  | 'incomplete'

export interface Replay {
  /** Accesses that were decided again. */
  readonly decided: number
  readonly unchanged: number
  readonly undecidable: Readonly<Record<Undecidable, number>>
  readonly changes: Readonly<Record<Change, number>>
  /** Those that change most of them first. */
  readonly groups: readonly ChangeGroup[]
  /** How many changes are in no group, since there are more groups than are told apart. */
  readonly ungrouped: number
  /** `time` of the first and the last that were decided again. */
  readonly from?: string
  readonly to?: string
}

interface ReplayQuery {
  readonly policy: Policy
  readonly filter: Pick<RecordFilter, 'since' | 'until' | 'user' | 'profile'>
}

/** How many groups are told apart. */
export const GROUPS_MAX = 10_000

/**
 * Decides every access of the log once more under `policy`, each at its own time, with the grant
 * that lifted it then. What was taken back and what only counts repeats is passed over.
 */
export async function replayLog(
  archive: Pick<LogArchive, 'records'>,
  { policy, filter }: ReplayQuery,
  options: ReadOptions,
): Promise<Replay> {
  const matches = matcherOf(filter)
  const tally = new ReplayTally()
  for await (const { record, isAnnulled } of archive.records(queryOf(filter), options)) {
    if (isAnnulled || !isAccess(record) || !matches(record)) continue
    const access = loggedAccess(record)
    if (access === undefined) {
      tally.passOver(record.effect === undefined ? 'undecided' : 'incomplete')
      continue
    }
    const decision = decide(policy, askedUnder(policy, access))
    tally.add(record, decision, changeOf(record, access.outcome, decision))
  }
  return tally.sum()
}

/** Whether the outcome of an access changes, and not only how it came to it. */
export function isOutcome(change: Change): boolean {
  return change === 'refused' || change === 'allowed'
}

function isAccess({ type, of }: LoggedRecord): boolean {
  return type === 'issued' || (type === 'refused' && of === undefined)
}

function changeOf(
  record: LoggedRecord,
  before: Decision['outcome'],
  { outcome, rule, maxDuration }: Decision,
): Change | undefined {
  if (outcome !== before) return outcome === 'allow' ? 'allowed' : 'refused'
  if (outcome === 'refuse') return undefined
  if (rule?.name !== record.rule) return 'rule'
  const { duration_seconds: duration = 0 } = record
  return maxDuration !== undefined && maxDuration < duration ? 'cap' : undefined
}

/** Sums a replay up, in memory that does not grow with the log. */
class ReplayTally {
  readonly #undecidable = { undecided: 0, incomplete: 0 }
  readonly #changes = { refused: 0, allowed: 0, rule: 0, cap: 0 }
  readonly #groups = new Map<string, ChangeGroup>()
  #decided = 0
  #ungrouped = 0
  #from: string | undefined
  #to: string | undefined

  passOver(why: Undecidable): void {
    this.#undecidable[why] += 1
  }

  add(record: LoggedRecord, decision: Decision, change: Change | undefined): void {
    this.#decided += 1
    this.#from = earlier(this.#from, record.time)
    this.#to = later(this.#to, record.time)
    if (change === undefined) return
    this.#changes[change] += 1
    this.#group(record, decision, change)
  }

  sum(): Replay {
    const changes = { ...this.#changes }
    const changed = Object.values(changes).reduce((sum, count) => sum + count, 0)
    return {
      decided: this.#decided,
      unchanged: this.#decided - changed,
      undecidable: { ...this.#undecidable },
      changes,
      groups: [...this.#groups.values()].toSorted(byWeight),
      ungrouped: this.#ungrouped,
      ...(this.#from !== undefined && { from: this.#from }),
      ...(this.#to !== undefined && { to: this.#to }),
    }
  }

  #group(record: LoggedRecord, { rule, reason }: Decision, change: Change): void {
    const { user = '', profile = '', rule: oldRule, time, request_id: example } = record
    const key = JSON.stringify([change, user, profile, oldRule, rule?.name])
    const group = this.#groups.get(key)
    if (!group && this.#groups.size >= GROUPS_MAX) {
      this.#ungrouped += 1
      return
    }
    this.#groups.set(key, {
      ...{ change, user, profile },
      ...(oldRule !== undefined && { oldRule }),
      ...(rule && { newRule: rule.name }),
      reason: group?.reason ?? reason,
      count: (group?.count ?? 0) + 1,
      first: earlier(group?.first, time),
      last: later(group?.last, time),
      ...(example !== undefined && { example }),
    })
  }
}

function earlier(a: string | undefined, b: string): string {
  return a !== undefined && a < b ? a : b
}

function later(a: string | undefined, b: string): string {
  return a !== undefined && a > b ? a : b
}

function byWeight(a: ChangeGroup, b: ChangeGroup): number {
  return CHANGES.indexOf(a.change) - CHANGES.indexOf(b.change) || b.count - a.count
}
