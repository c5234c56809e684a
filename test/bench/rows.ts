/** One figure of a benchmark. */
export interface BenchRow {
  readonly what: string
  readonly value: number
  readonly unit: string
  readonly target?: string
  /** Whether `value` meets `target`. */
  readonly isMet?: boolean
}

export function row(what: string, value: number, unit: string): BenchRow {
  return { what, value: Math.round(value * 100) / 100, unit }
}

export function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN
}
