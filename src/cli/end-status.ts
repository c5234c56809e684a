import { constants } from 'node:os'
import type { End } from './command.ts'

/** The status a shell shows for `end`. */
export function statusOf(end: End): number {
  return 'status' in end ? end.status : 128 + constants.signals[end.signal]
}
