import type { AnchorReading } from '../audit-deps.ts'
import type { Deps } from '../deps.ts'
import type { ReadOptions } from '../ports/log-archive.ts'

interface VerifyProgress {
  readonly onProgress: NonNullable<ReadOptions['onProgress']>
  readonly anchors: AnchorReading
}

const BAR = 24

/** How often the line changes at most, in milliseconds. */
const EVERY = 100

/** Shows how far verifying has come, and how fast; what vouches for the log comes after it. */
export function openVerifyProgress({
  out,
  clock,
  notices,
}: Pick<Deps, 'out' | 'clock' | 'notices'>): VerifyProgress {
  const now = () => clock.now().monotonic
  const begun = now()
  let shown = begun
  return {
    onProgress(done, total) {
      const at = now()
      if (at - shown < EVERY) return
      shown = at
      out.progress(describeProgress(done, total, at - begun))
    },
    anchors: {
      onAnchor: (done) => out.progress(`${done} anchors read`),
      onSession: (done) => out.progress(`${done} sessions looked up`),
      onGone(count, location) {
        const sessions = count === 1 ? '1 session' : `${count} sessions`
        notices.info(`${location} has no record any more of ${sessions} of the log`)
      },
    },
  }
}

/** `[######------------------]  25 %  131 MB/s`: of bytes as they are on the disk. */
function describeProgress(done: number, total: number, elapsedMs: number): string {
  const part = total === 0 ? 1 : done / total
  const filled = Math.round(part * BAR)
  const bar = '#'.repeat(filled) + '-'.repeat(BAR - filled)
  const percent = String(Math.floor(part * 100)).padStart(3)
  const speed = Math.round(done / 1000 / Math.max(elapsedMs, 1))
  return `verifying [${bar}] ${percent} %  ${speed} MB/s`
}
