import { toSeconds } from '../domain/time.ts'
import { SentinelError } from '../errors.ts'
import type { Anchor, AnchorStore } from '../ports/anchor-store.ts'
import type { ChainReport } from '../ports/log-archive.ts'
import { patiently } from './patience.ts'
import type { AnchorSource, VouchedLine } from './verify-log.ts'

export interface AnchorTable {
  readonly location: string
  open(): Promise<Pick<AnchorStore, 'list'>>
  /** Of the log of this machine, when it is read whole. Absent: files of whatever log. */
  readonly live?: Pick<Anchor, 'host' | 'log'>
  /** So many anchors were read. */
  readonly onProgress: (done: number) => void
}

/**
 * The anchors of the log that was read: all of those that its hosts left, so that a stream that is
 * gone from the log is known too.
 */
export function tableAnchors({ location, open, live, onProgress }: AnchorTable): AnchorSource {
  return {
    name: `anchors in ${location}`,
    async linesOf({ hosts, heads }, signal) {
      const store = await open()
      // A log that was moved has streams of which the anchors name its old place.
      const isOurs = ({ log, head }: Anchor) => !live || log === live.log || heads.has(head.stream)
      const found: Anchor[] = []
      let done = 0
      // Nothing may be left in the log that says whose it was.
      for (const host of new Set([...hosts, ...(live ? [live.host] : [])])) {
        for await (const anchor of anchorsOf(store, host, signal)) {
          if (isOurs(anchor)) found.push(anchor)
          done += 1
          onProgress(done)
        }
      }
      return (live ? found : ofTheseFiles(found, heads)).map(toLine)
    },
  }
}

async function* anchorsOf(
  store: Pick<AnchorStore, 'list'>,
  host: string,
  signal: AbortSignal,
): AsyncGenerator<Anchor> {
  const list = (late: AbortSignal) => store.list(host, AbortSignal.any([signal, late]))
  try {
    yield* patiently(list)
  } catch (error) {
    throw signal.aborted ? interrupted(error) : error
  }
}

/** Those of the logs that the files are of: a host may have several. */
function ofTheseFiles(anchors: readonly Anchor[], heads: ChainReport['heads']): readonly Anchor[] {
  const ours = anchors.filter(({ head }) => heads.has(head.stream))
  const logs = new Set(ours.map(logOf))
  return anchors.filter((anchor) => logs.has(logOf(anchor)))
}

function logOf({ host, log }: Anchor): string {
  return `${log} ${host}`
}

function toLine({ head, host, at }: Anchor): VouchedLine {
  return { ...head, by: `the anchor of ${host} of ${toSeconds(at)}` }
}

/** What whoever reads anchors is told that nobody waits any more. */
export function interrupted(cause: unknown): SentinelError {
  return new SentinelError('INTERRUPTED', 'reading the anchors was interrupted', { cause })
}
