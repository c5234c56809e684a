import { isSessionId } from '../domain/session.ts'
import type { ChainReport, LoggedSession } from '../ports/log-archive.ts'
import type { SessionDirectory } from '../ports/session-store.ts'
import { patience } from './patience.ts'
import { interrupted } from './read-anchors.ts'
import type { AnchorSource, AnchorSources, VouchedLine } from './verify-log.ts'

type SessionsOpened = Pick<SessionDirectory, 'get'> & AsyncDisposable

export interface SessionHeadsDeps {
  /**
   * Opens the store at a location in full, without making one: `undefined` where there is none.
   * Rejects as `SessionStores.open`.
   */
  open(location: string): Promise<SessionsOpened | undefined>
  /** So many sessions were looked up. */
  readonly onProgress: (done: number) => void
  /** A store has no record any more of `count` sessions, of which nothing is known then. */
  readonly onGone: (count: number, location: string) => void
}

/** How many sessions are looked up at once. */
const WIDTH = 8

/** The heads that the records of sessions keep, by the stores that the log names. */
export function sessionHeads(deps: SessionHeadsDeps): AnchorSources {
  return {
    among({ sessions }) {
      let done = 0
      const onLook = () => {
        done += 1
        deps.onProgress(done)
      }
      // One place after the other: a log may name any number of them.
      let turn: Promise<unknown> = Promise.resolve()
      return [...byStore(sessions)].map(([location, some]) => ({
        name: `sessions in ${location}`,
        linesOf(_, signal) {
          const reading = turn.then(() => read({ ...deps, onLook }, location, some, signal))
          turn = reading.catch(() => {})
          return reading
        },
      }))
    },
  }
}

/** What a process kept for itself is gone with it. */
function byStore(sessions: ChainReport['sessions']): Map<string, LoggedSession[]> {
  const stores = Map.groupBy(sessions, ({ store }) => store)
  stores.delete('memory:')
  return stores
}

async function read(
  { open, onGone, onLook }: SessionHeadsDeps & { readonly onLook: () => void },
  location: string,
  sessions: readonly LoggedSession[],
  signal: AbortSignal,
): ReturnType<AnchorSource['linesOf']> {
  if (signal.aborted) throw interrupted(signal.reason)
  const store = await open(location)
  if (!store) {
    onGone(sessions.length, location)
    return []
  }
  await using _ = store
  const lines: VouchedLine[] = []
  let gone = 0
  await eachAtOnce(sessions, async (session) => {
    const found = await look(store, session, signal)
    if (!found) gone += 1
    else if (found.logHead !== undefined) lines.push(toLine(session, found.logHead))
    onLook()
  })
  if (gone > 0) onGone(gone, location)
  return lines
}

async function look(store: SessionsOpened, { id }: LoggedSession, signal: AbortSignal) {
  if (signal.aborted) throw interrupted(signal.reason)
  // No store has what is no session's id: somebody else wrote it into the log.
  if (!isSessionId(id)) return undefined
  try {
    return await store.get(id, AbortSignal.any([signal, patience()]))
  } catch (error) {
    throw signal.aborted ? interrupted(error) : error
  }
}

function toLine({ stream, id }: LoggedSession, hash: string): VouchedLine {
  return { stream, hash, by: `session ${id}` }
}

/**
 * Does `work` for each item, some at once. The first failure is that of the whole: nothing is begun
 * after it, and nothing is under way any more when it is told.
 */
async function eachAtOnce<Item>(
  items: readonly Item[],
  work: (item: Item) => Promise<void>,
): Promise<void> {
  const waiting = items.values()
  const failures: unknown[] = []
  const lane = async () => {
    for (const item of waiting) {
      if (failures.length > 0) return
      await work(item).catch((error: unknown) => failures.push(error))
    }
  }
  await Promise.all(Array.from({ length: WIDTH }, lane))
  if (failures.length > 0) throw failures[0]
}
