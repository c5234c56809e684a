import { link, originOf } from '../../src/audit/chain.ts'
import { formatHead, type Head } from '../../src/domain/log-head.ts'
import type { Claim } from '../../src/ports/log-archive.ts'
import { pick } from '../fixtures/random.ts'

export interface LinkedLine extends Head {
  readonly stream: string
  readonly text: string
}

/** A log in memory, whose lines are linked as writers link them. */
export class LinkedLog {
  readonly lines: LinkedLine[] = []
  readonly #heads = new Map<string, Head>()

  /** Adds the next line of `stream`. `heads`: of whom, if it names others. */
  add(stream: string, type: string, { heads }: { heads?: Record<string, string> } = {}): void {
    const previous = this.#heads.get(stream) ?? originOf(stream)
    const { line, head } = link(bodyOf(type, this.lines.length), stream, previous, heads)
    this.#heads.set(stream, head)
    this.lines.push({ stream, text: line, ...head })
  }

  /** The heads of all streams but one, as a witness of that one names them. */
  headsBut(own: string): Record<string, string> {
    const others = [...this.#heads].filter(([stream]) => stream !== own)
    return Object.fromEntries(others.map(([stream, head]) => [stream, formatHead(head)]))
  }

  /** What anchors of all streams say. */
  claims(): Claim[] {
    return [...this.#heads].map(([stream, head]) => ({ stream, ...head }))
  }

  text(): string {
    return textOf(this.lines.map(({ text }) => text))
  }
}

/** The lines of a file. */
export function textOf(lines: readonly string[]): string {
  return lines.map((line) => `${line}\n`).join('')
}

/** A log of one to four streams side by side, which name each other now and then. */
export function randomLog(next: () => number): LinkedLog {
  const log = new LinkedLog()
  const streams = Array.from({ length: 1 + Math.floor(next() * 4) }, () => newStream(next))
  for (const stream of streams) log.add(stream, 'start')
  const count = 4 + Math.floor(next() * 30)
  for (let index = 0; index < count; index++) {
    const stream = pick(next, streams)
    if (next() < 0.2) log.add(stream, 'witness', { heads: log.headsBut(stream) })
    else log.add(stream, next() < 0.8 ? 'issued' : 'refused')
  }
  for (const stream of streams) if (next() < 0.7) log.add(stream, 'stop')
  return log
}

/** A stream's name. */
export function newStream(next: () => number): string {
  return Array.from({ length: 20 }, () => pick(next, LETTERS)).join('')
}

const LETTERS = [...'abcdefghijklmnopqrstuvwxyz234567']

function bodyOf(type: string, index: number): string {
  const time = new Date(1_768_381_200_000 + index).toISOString()
  return `"time":"${time}","type":"${type}","profile":"prod","host":"laptop.example","pid":4711`
}
