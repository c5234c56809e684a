import type { LoggedRecord } from '../domain/log-record.ts'
import type { LogArchive, ReadOptions } from '../ports/log-archive.ts'
import { matcherOf, type RecordFilter } from './record-filter.ts'

export const STAT_KEYS = ['user', 'profile', 'rule', 'hour', 'outcome'] as const

/** By what records are counted; `hour` is that of the day, in UTC. */
export type StatKey = (typeof STAT_KEYS)[number]

/** How often credentials were asked for, and what came of it. */
export interface Tally {
  /** Credentials that were made. */
  readonly issued: number
  /** How often a server handed credentials out: the same ones many times. */
  readonly served: number
  /** Repeats included. */
  readonly refused: number
  /** Repeats included. */
  readonly failed: number
}

/** One value of a key. */
export interface StatRow extends Tally {
  /** `undefined`: the records do not say. */
  readonly key: string | undefined
}

export interface StatSection {
  readonly by: StatKey
  /** Those asked for most first; hours in their order. */
  readonly rows: readonly StatRow[]
  /** All that is in no row: there are more values than are told apart. */
  readonly others?: Tally
}

export interface LogStats {
  /** `time` of the first and the last record that counts. */
  readonly from?: string
  readonly to?: string
  readonly total: Tally
  readonly sections: readonly StatSection[]
}

interface StatQuery {
  readonly filter: RecordFilter
  readonly by: readonly StatKey[]
}

/** How many values of a key are told apart. */
export const KEYS_MAX = 10_000

/** How many requests are remembered, for what is summed of them later. */
const REQUESTS_MAX = 10_000

/** Counts what was issued, served, refused and failed, but for what was taken back. */
export async function countRecords(
  archive: Pick<LogArchive, 'records'>,
  { filter, by }: StatQuery,
  options: ReadOptions,
): Promise<LogStats> {
  const matches = matcherOf(filter)
  const requests = new Requests()
  const total = new Count()
  const sections = by.map((key) => new Section(key))
  let from: string | undefined
  let to: string | undefined
  // A sum names the request that it is of, and little else: no text of the filter is sought in it.
  for await (const { record, isAnnulled } of archive.records({}, options)) {
    if (isAnnulled || !isCounted(record)) continue
    const whole = requests.complete(record)
    if (!matches(whole)) continue
    if (from === undefined || record.time < from) from = record.time
    if (to === undefined || record.time > to) to = record.time
    total.add(whole)
    for (const section of sections) section.add(whole)
  }
  return {
    ...(from !== undefined && { from }),
    ...(to !== undefined && { to }),
    total: total.tally(),
    sections: sections.map((section) => section.sum()),
  }
}

/** How often credentials were asked for. */
export function asked({ issued, refused, failed }: Tally): number {
  return issued + refused + failed
}

function isCounted({ type }: LoggedRecord): boolean {
  return type === 'issued' || type === 'served' || type === 'refused'
}

type Known = Pick<LoggedRecord, 'user' | 'person' | 'effect' | 'basis' | 'rule'>

/** What the last requests were about: of what is summed later, a record says little. */
class Requests {
  #newer = new Map<string, Known>()
  /** Given up as a whole: to seek the oldest of one map takes longer with each that was deleted. */
  #older = new Map<string, Known>()

  /** `record` with what is known of the request that it sums. */
  complete(record: LoggedRecord): LoggedRecord {
    const { type, request_id: id, of } = record
    const isSum = type === 'served' || of !== undefined
    if (isSum) return { ...this.#recall(of ?? id), ...record }
    if (id !== undefined) this.#remember(id, known(record))
    return record
  }

  #remember(id: string, known: Known): void {
    if (this.#newer.size >= REQUESTS_MAX / 2) {
      this.#older = this.#newer
      this.#newer = new Map()
    }
    this.#newer.set(id, known)
  }

  #recall(id: string | undefined): Known | undefined {
    if (id === undefined) return undefined
    const newer = this.#newer.get(id)
    if (newer) return newer
    const older = this.#older.get(id)
    // What is served for long is summed again.
    if (older) this.#remember(id, older)
    return older
  }
}

function known({ user, person, effect, basis, rule }: LoggedRecord): Known {
  return {
    ...(user !== undefined && { user }),
    ...(person !== undefined && { person }),
    ...(effect !== undefined && { effect }),
    ...(basis !== undefined && { basis }),
    ...(rule !== undefined && { rule }),
  }
}

class Count {
  #issued = 0
  #served = 0
  #refused = 0
  #failed = 0

  add({ type, outcome, count = 0, repeats = 1 }: LoggedRecord): void {
    if (type === 'issued') this.#issued += 1
    else if (type === 'served') this.#served += count
    else if (outcome === 'failed') this.#failed += repeats
    else this.#refused += repeats
  }

  tally(): Tally {
    const [issued, served] = [this.#issued, this.#served]
    return { issued, served, refused: this.#refused, failed: this.#failed }
  }
}

class Section {
  readonly #by: StatKey
  readonly #counts = new Map<string | undefined, Count>()
  #others: Count | undefined

  constructor(by: StatKey) {
    this.#by = by
  }

  add(record: LoggedRecord): void {
    this.#countOf(keyOf(record, this.#by)).add(record)
  }

  sum(): StatSection {
    const rows = [...this.#counts].map(([key, count]) => ({ key, ...count.tally() }))
    const others = this.#others?.tally()
    return {
      by: this.#by,
      rows: rows.toSorted(this.#by === 'hour' ? byKey : byWeight),
      ...(others && { others }),
    }
  }

  /** Values that come when there are too many are summed in one. */
  #countOf(key: string | undefined): Count {
    const known = this.#counts.get(key)
    if (known) return known
    if (this.#counts.size >= KEYS_MAX) {
      this.#others ??= new Count()
      return this.#others
    }
    const count = new Count()
    this.#counts.set(key, count)
    return count
  }
}

function keyOf({ type, time, code, ...record }: LoggedRecord, by: StatKey): string | undefined {
  switch (by) {
    case 'user':
    case 'profile':
    case 'rule':
      return record[by]
    case 'hour':
      return time.slice(11, 13)
    case 'outcome':
      return type === 'refused' ? [record.outcome ?? type, code].filter(Boolean).join(' ') : type
    default:
      return by satisfies never
  }
}

function byKey(a: StatRow, b: StatRow): number {
  return compare(a.key ?? '', b.key ?? '')
}

function byWeight(a: StatRow, b: StatRow): number {
  return asked(b) - asked(a) || b.served - a.served || byKey(a, b)
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
