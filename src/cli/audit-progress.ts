import type { Output } from '../deps.ts'
import type { ReadOptions } from '../ports/log-archive.ts'

/** Shows how much of the log has been read, until all of it has. */
export function showReading({
  progress,
}: Pick<Output, 'progress'>): NonNullable<ReadOptions['onProgress']> {
  let shown = 0
  return (done, total) => {
    const percent = done >= total ? 100 : Math.floor((100 * done) / total)
    if (percent === shown) return
    shown = percent
    progress(percent === 100 ? '' : `${percent} % of the decision log read`)
  }
}
