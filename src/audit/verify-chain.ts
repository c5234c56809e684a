import type { Head } from '../domain/log-head.ts'
import type { LoggedRecord } from '../domain/log-record.ts'
import type { ChainReport, OpenStream, VerifyOptions } from '../ports/log-archive.ts'
import type { LogFileSelection } from './archive-files.ts'
import { Chains, readChains } from './chains.ts'
import { LogFacts } from './log-facts.ts'
import { MerkleTree } from './merkle.ts'
import { type NamedHead, NamedHeads, tellOfMissing } from './named-heads.ts'
import type { PlacedLine } from './parse-record.ts'
import type { ReadingOptions } from './read-lines.ts'
import { isBefore } from './recoveries.ts'
import { watchLines } from './watched-lines.ts'

interface ChainOptions extends ReadingOptions {
  readonly extent: VerifyOptions['extent']
  readonly withRoot?: boolean | undefined
  readonly rootAt?: number | undefined
}

/** How many open streams a report lists. */
const OPEN_MAX = 1000

/** Reads the chains of a log: once, and again where a line names another that was not near by. */
export async function verifyChain(
  files: LogFileSelection,
  { extent, withRoot, rootAt, ...options }: ChainOptions,
): Promise<ChainReport> {
  const tree = withRoot || rootAt !== undefined ? new MerkleTree() : undefined
  const named = new NamedHeads()
  const facts = new LogFacts()
  /** Of a part of a log: with which line each stream begins in it. */
  const firsts = new Map<string, number>()
  let earlierRoot: string | undefined
  const chains = new Chains({
    extent,
    listener: {
      onLine(bytes) {
        tree?.add(bytes)
        if (tree?.size === rootAt) earlierRoot = tree?.root()
      },
      onRecord(stream, link, record) {
        if (extent === 'part') firsts.getOrInsert(stream, link.seq)
        if (record.heads !== undefined) {
          const form = named.look(record.heads, link, (other) => chains.at(other))
          if (form === 'malformed') chains.blame(stream, link, 'what it names is no line')
        }
        facts.take(record)
      },
    },
  })
  await readChains(chains, files, options)

  const heads = headsOf(chains)
  const isExpected = ({ stream, seq }: NamedHead) =>
    extent === 'whole' || (firsts.get(stream) ?? Number.POSITIVE_INFINITY) <= seq
  const missing = await findAgain(files, named.missed.filter(isExpected), options)
  tellOfMissing(missing, chains.findings, { heads, paths: chains.paths })
  const open = openStreams(chains)
  const { lines, bytes, annulled, torn, findings, paths } = chains
  return {
    ...{ lines, bytes, annulled, torn },
    streams: heads.size,
    problems: findings.problems(paths),
    problemCount: findings.count,
    open: open.slice(0, OPEN_MAX),
    openCount: open.length,
    heads,
    ...facts.summary(),
    ...(withRoot && tree && lines > 0 && { root: tree.root() }),
    ...(earlierRoot !== undefined && { earlierRoot }),
  }
}

/** Those of `named` that are nowhere in the log, though nothing accounts for that. */
async function findAgain(
  files: LogFileSelection,
  named: readonly NamedHead[],
  options: ReadingOptions,
): Promise<readonly NamedHead[]> {
  if (named.length === 0) return named
  const watched = await watchLines(files, named, options)
  const outcomes = watched.outcomes()
  return named.filter((head, index) => {
    const isThere = outcomes[index] === 'present' || outcomes[index] === 'annulled'
    return !isThere && !watched.mayBeLost(head)
  })
}

/** In the order in which the last lines stand. */
function headsOf(chains: Chains): ReadonlyMap<string, Head> {
  const ends = [...chains.streams].map(([stream, state]) => ({
    stream,
    link: 'chain' in state ? state.chain.head : state,
  }))
  ends.sort((a, b) => (isBefore(a.link, b.link) ? -1 : 1))
  return new Map(ends.map(({ stream, link: { seq, hash } }) => [stream, { seq, hash }]))
}

/** In the order of their last records. */
function openStreams(chains: Chains): readonly OpenStream[] {
  const open = [...chains.streams].flatMap(([stream, state]) =>
    'chain' in state && state.chain.head.type !== 'stop' ? [{ stream, ...state }] : [],
  )
  open.sort((a, b) => (isBefore(a.chain.head, b.chain.head) ? -1 : 1))
  return open.map(({ stream, chain, last }) => ({
    head: { stream, seq: chain.head.seq, hash: chain.head.hash },
    last: describe(last),
  }))
}

/** What can be said of a record, whatever somebody may have made of it. */
function describe(record: PlacedLine): OpenStream['last'] {
  const text = (field: 'time' | 'host' | 'user' | 'profile') =>
    typeof record[field] === 'string' ? record[field] : undefined
  const user = text('user')
  const profile = text('profile')
  return {
    // Newer programs may write other types.
    type: record.type as LoggedRecord['type'],
    time: text('time') ?? '',
    host: text('host') ?? '',
    pid: typeof record.pid === 'number' ? record.pid : 0,
    ...(user !== undefined && { user }),
    ...(profile !== undefined && { profile }),
  }
}
