import { type Instant, toTimestamp } from '../../domain/time.ts'

const DAY_PARTITIONS = 4

/** The value of `day` of a row: its date in UTC, spread over a few partitions. */
export function dayPartitionOf(at: Instant, id: string): string {
  return `${dateOf(at)}#${spread(id, DAY_PARTITIONS)}`
}

/** The values of `day` under which all rows of `date` are. */
export function dayPartitions(date: string): readonly string[] {
  return Array.from({ length: DAY_PARTITIONS }, (_, n) => `${date}#${n}`)
}

/** `2026-01-14`. */
export function dateOf(instant: Instant): string {
  return toTimestamp(instant).slice(0, 10)
}

/** One of `partitions`, by the last of an id's random digits or letters. */
export function spread(id: string, partitions: number): number {
  return Number.parseInt(id.slice(-1), 36) % partitions
}
