import { attach, type Link, looksAlike, originLink } from './chain-link.ts'
import type { Finding, Findings } from './findings.ts'
import type { MisplacedLines } from './misplaced-lines.ts'
import { isBefore, RECOVERED_MAX } from './recoveries.ts'

/** What the chains of a log share. */
export interface ChainContext {
  readonly findings: Findings
  readonly misplaced: MisplacedLines
  /** Is told of what is taken back. */
  readonly onAnnulled: (stream: string, link: Link) => void
  /** Is told of a stream that is but a line of another one. */
  readonly onNoStream: (stream: string) => void
}

/**
 * The chain of one stream, as its lines come. In what is accepted it does what
 * docs/decision-log.md § "How to verify" says: a line that follows nothing is a finding, until a
 * `recovered` record takes it back. Where the document's chain would stand still, this one goes on
 * behind the break, so that one change is one finding, and tells from what comes later what kind of
 * change it was.
 *
 * Of the chain, only as much is kept as a `recovered` record may take back.
 */
export class StreamChain {
  readonly #stream: string
  readonly #context: ChainContext
  /** The newest last. A break between two of them is a finding of the later one. */
  #links: Link[] = []
  /** Lines that were taken for the chain's, until one came that follows an earlier line. */
  #aside: Link[] = []
  /** The last ones that were taken back: others may have named them. */
  #annulled: Pick<Link, 'seq' | 'hash'>[] = []
  /** The first line of a part of a log; what stands before it is in another file. */
  #base: Link | undefined
  #count = 0

  /** `head`: the chain goes on from there, and what was before is settled. */
  constructor(stream: string, context: ChainContext, head: Link | 'unknown' | 'origin') {
    this.#stream = stream
    this.#context = context
    if (head === 'origin') this.#links.push(originLink(stream))
    else if (head !== 'unknown') this.#links.push(head)
  }

  /** The last line of the chain. There is one as soon as a line was added. */
  get head(): Link {
    return this.#head as Link
  }

  /** How many lines were added. */
  get count(): number {
    return this.#count
  }

  /** Nothing is open: of what was, no later line can tell more. */
  get isSettled(): boolean {
    return this.#aside.length === 0 && this.#links.every(({ findings }) => !findings)
  }

  /** Whether a line was there lately, be it annulled. */
  has(seq: number, hash: string): boolean {
    const isMeant = (link: Pick<Link, 'seq' | 'hash'>) => link.seq === seq && link.hash === hash
    // Newest first: it mostly is one of the last.
    return [this.#links, this.#aside, this.#annulled].some((links) => links.findLast(isMeant))
  }

  add(link: Link): void {
    this.#count++
    const head = this.#head
    if (!head) {
      this.#base = link
      this.#push(link)
    } else if (link.prev !== head.hash || link.seq !== head.seq + 1) {
      this.#judge(link, head)
    } else {
      if (link.type === 'recovered') this.#annulAfter(head)
      this.#push(link)
    }
  }

  /** `link`, which was just added, is not as any writer writes it. */
  blame(link: Link, detail: string): void {
    if (link.isSuspect && link.findings) return
    link.isSuspect = true
    this.#find(link, 'edited', detail)
  }

  /** No more lines come. */
  close(): void {
    for (let next = this.#next(); next; next = this.#next()) this.#restore(next)
    const [finding] = this.#count === 1 ? (this.head.findings ?? []) : []
    if (finding?.fault !== 'missing') return
    this.head.isSuspect = true
    Object.assign(finding, this.#findingAt(this.head, 'foreign', ALONE))
  }

  get #head(): Link | undefined {
    return this.#links.at(-1)
  }

  #push(link: Link): void {
    this.#links.push(link)
    if (this.#links.length <= 2 * RECOVERED_MAX) return
    // As many as may be taken back, and the one before them.
    this.#links = this.#links.slice(-RECOVERED_MAX - 1)
    this.#base = undefined
  }

  /** Makes out what it means that `link` does not follow `head`. */
  #judge(link: Link, head: Link): void {
    const isRecovered = link.type === 'recovered'
    const before = this.#links.findLast(({ hash }) => hash === link.prev)
    const mayReach = before && this.#links.indexOf(before) >= this.#links.length - 1 - RECOVERED_MAX
    if (isRecovered && mayReach && before.seq === link.seq - 1) this.#recover(link, before)
    else if (isRecovered && !before && this.#mayReachBeforeBase(link)) this.#recover(link)
    else if (this.has(link.seq, link.hash)) this.#repeat(link)
    else if (before && before.seq !== link.seq - 1) this.#renumber(link, before)
    else if (before) this.#branch(link, before)
    else if (this.#aside.some(({ hash }) => hash === link.prev)) this.#rejoin(link, head)
    else if (head.isSuspect && link.seq === head.seq + 1) this.#push(link)
    else this.#place(link, this.#links.findLast(({ isSuspect }) => !isSuspect) ?? head)
  }

  /** `link` follows nothing that is known: all it has is its number. */
  #place(link: Link, last: Link): void {
    if (link.seq > last.seq + 1) this.#skip(link, last)
    else if (link.seq === last.seq + 1) this.#relink(link, last)
    else this.#stray(link)
    this.#push(link)
  }

  #recover(link: Link, before?: Link): void {
    this.#annulAfter(before)
    this.#push(link)
  }

  /**
   * Takes back every line behind `before`: whose writing failed stands there, and nowhere else, so
   * what was put in earlier is not excused by it.
   */
  #annulAfter(before: Link | undefined): void {
    const isAfter = (link: Link) => !before || isBefore(before, link)
    const kept = before ? this.#links.lastIndexOf(before) + 1 : 0
    const annulled = [...this.#links.splice(kept), ...this.#aside.filter(isAfter)]
    this.#aside = this.#aside.filter((link) => !isAfter(link))
    for (const link of annulled) {
      link.isAnnulled = true
      for (const finding of link.findings ?? []) this.#context.findings.drop(finding)
      if (link.blames) link.blames.isSuspect = false
      this.#context.onAnnulled(this.#stream, link)
      this.#annulled.push({ seq: link.seq, hash: link.hash })
    }
    if (this.#annulled.length > 2 * RECOVERED_MAX) {
      this.#annulled = this.#annulled.slice(-RECOVERED_MAX)
    }
  }

  #mayReachBeforeBase({ seq }: Link): boolean {
    return this.#base !== undefined && seq <= this.#base.seq && this.#base.seq < seq + RECOVERED_MAX
  }

  /** A line that is there already. Of several together only the first is told of. */
  #repeat(link: Link): void {
    const last = this.#aside.at(-1)
    if (last?.hash !== link.prev || last.line > link.line) {
      this.#find(link, 'reordered', 'it stands here a second time')
    }
    this.#setAside(link)
  }

  #renumber(link: Link, before: Link): void {
    const seq = before.seq + 1
    const numbered: Link = { ...link, seq, isSuspect: true }
    this.#find(numbered, 'edited', `its number was changed: it follows line ${before.seq}`)
    this.#push(numbered)
  }

  /** `link` follows a line that another one stands behind already. */
  #branch(link: Link, before: Link): void {
    const index = this.#links.lastIndexOf(before) + 1
    const next = this.#links[index]
    if (next && next.prev !== before.hash) {
      // So it is the other one that does not belong here: not yet, or not at all.
      for (const finding of next.findings ?? []) {
        if (finding.fault === 'torn' || finding.fault === 'reordered') continue
        Object.assign(finding, this.#findingAt(next, 'foreign', FOLLOWS_NOTHING))
      }
      for (const moved of this.#links.splice(index)) this.#setAside(moved)
    } else {
      link.isSuspect = true
      this.#find(link, 'foreign', `another line ${link.seq} of its stream stands before it`)
    }
    this.#push(link)
  }

  /** `link` follows a line that was put aside: perhaps that one has its place now. */
  #rejoin(link: Link, head: Link): void {
    const path = this.#pathBetween(head, link)
    if (!path) {
      this.#setAside(link)
      return
    }
    for (const rejoined of path) this.#restore(rejoined)
    this.#push(link)
  }

  /** The line that was put aside and follows the head. */
  #next(): Link | undefined {
    const head = this.#head
    return this.#aside.find(({ prev, seq }) => prev === head?.hash && seq === head.seq + 1)
  }

  /** Has a line that was put aside follow the head: it stood before its place. */
  #restore(link: Link): void {
    this.#aside = this.#aside.filter((aside) => aside !== link)
    link.isSuspect = false
    for (const finding of link.findings ?? []) {
      Object.assign(finding, this.#findingAt(link, 'reordered', TOO_EARLY))
    }
    this.#push(link)
  }

  /** Lines that were put aside, from behind `head` up to before `link`, if they are all there. */
  #pathBetween(head: Link, link: Link): Link[] | undefined {
    const path: Link[] = []
    for (let { prev } = link; prev !== head.hash; ) {
      const before = this.#aside.findLast(({ hash }) => hash === prev)
      if (!before) return undefined
      path.unshift(before)
      prev = before.prev
    }
    return path
  }

  /** Lines before `link` are not there. */
  #skip(link: Link, last: Link): void {
    const from = last.seq + 1
    const to = link.seq - 1
    const gap = { stream: this.#stream, from, to, after: last.hash }
    const found = this.#context.misplaced.explain(gap)
    if (found) {
      const { finding, stream } = found
      if (stream !== undefined) this.#context.onNoStream(stream)
      if (finding) attach(link, finding)
      return
    }
    const lines =
      from === to ? `line ${from} of its stream is` : `lines ${from} to ${to} of its stream are`
    this.#find(link, 'missing', `${lines} gone before it`)
  }

  /** `link` has the right number, and was written after another line than `last`. */
  #relink(link: Link, last: Link): void {
    if (last.seq === 0 || looksAlike(link.prev, last.hash)) {
      link.isSuspect = true
      this.#find(link, 'edited', 'its link to the line before it was changed')
    } else {
      last.isSuspect = true
      link.blames = last
      const detail = `line ${link.seq} of its stream was written after another line than this`
      this.#find(link, 'edited', detail, last)
    }
  }

  #stray(link: Link): void {
    const isKnownPlace = (this.#links[0]?.seq ?? 0) < link.seq
    if (isKnownPlace) this.#find(link, 'foreign', FOLLOWS_NOTHING)
    else this.#find(link, 'reordered', 'it stands behind lines that were written after it')
    link.isSuspect = true
  }

  #setAside(link: Link): void {
    link.isSuspect = true
    this.#aside.push(link)
    if (this.#aside.length > 2 * RECOVERED_MAX) this.#aside = this.#aside.slice(-RECOVERED_MAX)
  }

  #find(link: Link, fault: Finding['fault'], detail: string, at: Link = link): void {
    attach(link, this.#context.findings.add(this.#findingAt(at, fault, detail)))
  }

  #findingAt({ file, line, seq }: Link, fault: Finding['fault'], detail: string): Finding {
    return { fault, detail, at: { file, line }, stream: this.#stream, seq }
  }
}

const FOLLOWS_NOTHING = 'it follows no line of its stream that is here'
const ALONE = 'no other line of its stream is here'
const TOO_EARLY = 'it stands before lines that were written before it'
