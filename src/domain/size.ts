const UNITS: Readonly<Record<string, number>> = { KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30 }

/** Parses `64MiB`, `512KiB` or `1GiB` to bytes; `undefined` when `text` is no size. */
export function parseSize(text: string): number | undefined {
  const [, count, unit = ''] = /^([1-9]\d{0,5})(KiB|MiB|GiB)$/.exec(text) ?? []
  return count === undefined ? undefined : Number(count) * (UNITS[unit] ?? 1)
}

/** The form that {@link parseSize} reads back, or whole bytes where there is none: `64MiB`. */
export function formatSize(bytes: number): string {
  const [unit, size] =
    Object.entries(UNITS)
      .reverse()
      .find(([, size]) => bytes >= size && bytes % size === 0) ?? []
  return size === undefined ? `${bytes} bytes` : `${bytes / size}${unit}`
}

/** For people, who need no more than the first digits: `1.5 MiB`. */
export function roughSize(bytes: number): string {
  const [unit, size] =
    Object.entries(UNITS)
      .reverse()
      .find(([, size]) => bytes >= size) ?? []
  if (unit === undefined || size === undefined) return `${bytes} bytes`
  return `${Number((bytes / size).toFixed(1))} ${unit}`
}
