import assert from 'node:assert/strict'
import { mkdtempDisposableSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite, test } from 'node:test'
import { openLogArchive } from '../../src/audit/archive.ts'
import { hasCode } from '../../src/errors.ts'
import type { ChainProblem, Claim } from '../../src/ports/log-archive.ts'
import { pick, random, scaled } from '../fixtures/random.ts'
import { type LinkedLog, randomLog, textOf } from './linked-log.ts'
import { verifyLog } from './verify-log.ts'

/** Makes another text of a log; `undefined` where it cannot be done to this one. */
type Edit = (log: LinkedLog, next: () => number, other: LinkedLog) => string | undefined

const texts = ({ lines }: LinkedLog) => lines.map(({ text }) => text)

/** Any byte but the last newline, which is told of as a cut. */
function bytesWith(log: LinkedLog, next: () => number, change: (byte: number) => number) {
  const bytes = Buffer.from(log.text(), 'latin1')
  const at = Math.floor(next() * (bytes.length - 1))
  bytes[at] = change(bytes[at]!)
  return bytes.toString('latin1')
}

const EDITS: Readonly<Record<string, Edit>> = {
  'a bit is flipped': (log, next) =>
    bytesWith(log, next, (byte) => byte ^ (1 << Math.floor(next() * 8))),

  'a byte is changed': (log, next) =>
    bytesWith(log, next, (byte) => (byte + 1 + Math.floor(next() * 255)) % 256),

  'a letter is changed': (log, next) => {
    const at = Math.floor(next() * log.lines.length)
    return textOf(texts(log).with(at, texts(log)[at]!.replace('laptop', 'laptoq')))
  },

  'a line is deleted': (log, next) =>
    textOf(texts(log).toSpliced(Math.floor(next() * log.lines.length), 1)),

  'lines are deleted': (log, next) => {
    const from = Math.floor(next() * log.lines.length)
    return textOf(texts(log).toSpliced(from, 1 + Math.floor(next() * 10)))
  },

  'two lines of a stream are swapped': (log, next) => {
    const a = Math.floor(next() * log.lines.length)
    const b = log.lines.findIndex(({ stream }, at) => at > a && stream === log.lines[a]!.stream)
    if (b === -1) return undefined
    return textOf(texts(log).with(a, texts(log)[b]!).with(b, texts(log)[a]!))
  },

  'a line is moved past others of its stream': (log, next) => {
    const from = Math.floor(next() * log.lines.length)
    const { stream, text } = log.lines[from]!
    const later = log.lines.flatMap((line, at) => (at > from && line.stream === stream ? [at] : []))
    if (later.length === 0) return undefined
    return textOf(
      texts(log)
        .toSpliced(pick(next, later) + 1, 0, text)
        .toSpliced(from, 1),
    )
  },

  'a line is there twice': (log, next) => {
    const at = Math.floor(next() * (log.lines.length + 1))
    return textOf(texts(log).toSpliced(at, 0, pick(next, texts(log))))
  },

  'a line of another log is put in': (log, next, other) => {
    const line = pick(next, other.lines)
    // A first line that nothing follows is a stream of its own: it adds, and takes nothing away.
    if (line.seq === 1) return undefined
    return textOf(texts(log).toSpliced(Math.floor(next() * (log.lines.length + 1)), 0, line.text))
  },

  'a line of another log stands in its place': (log, next, other) => {
    const at = Math.floor(next() * log.lines.length)
    return textOf(texts(log).with(at, pick(next, other.lines).text))
  },

  'a line of another stream stands in its place': (log, next) => {
    const at = Math.floor(next() * log.lines.length)
    const other = pick(next, log.lines)
    return other.stream === log.lines[at]!.stream
      ? undefined
      : textOf(texts(log).with(at, other.text))
  },

  'a whole stream is cut': (log, next) => {
    const { stream } = pick(next, log.lines)
    return textOf(log.lines.filter((line) => line.stream !== stream).map(({ text }) => text))
  },

  'the tail is cut': (log, next) =>
    textOf(texts(log).slice(0, Math.floor(next() * log.lines.length))),

  'it ends in the middle of a line': (log, next) => {
    const text = log.text()
    return text.slice(0, 1 + Math.floor(next() * (text.length - 1)))
  },

  'a newline is put into a line': (log, next) => {
    const text = log.text()
    const at = 1 + Math.floor(next() * (text.length - 2))
    if (text[at] === '\n' || text[at - 1] === '\n') return undefined
    return `${text.slice(0, at)}\n${text.slice(at)}`
  },
}

/** What came out of reading a log: what is wrong with it, or that it could not be read as one. */
interface Judgement {
  readonly problems: readonly ChainProblem[]
  readonly isFound: boolean
}

async function judge(path: string, text: string, claims: readonly Claim[]): Promise<Judgement> {
  writeFileSync(path, text, 'latin1')
  const archive = await openLogArchive({ named: [path] })
  const options = { signal: new AbortController().signal }
  try {
    const { problems, problemCount } = await archive.verify({ ...options, extent: 'whole' })
    assert.equal(problems.length, problemCount)
    const outcomes = await archive.check(claims, options)
    const isFound = problemCount > 0 || outcomes.some((outcome) => outcome !== 'present')
    return { problems, isFound }
  } catch (error) {
    // A line of a version that nobody knows, or nothing that is a log any more.
    if (!hasCode(error, 'LOG_UNREADABLE')) throw error
    return { problems: [], isFound: true }
  }
}

suite('tampering with a log that is anchored (LOG-4)', () => {
  test('is found, whatever is done, and a log that nobody touched is not blamed', async () => {
    using directory = mkdtempDisposableSync(join(tmpdir(), 'sentinel-tampering-'))
    const path = join(directory.path, 'decisions.jsonl')
    const names = Object.keys(EDITS)
    for (let edits = 0, seed = 1; edits < scaled(10_000); seed++) {
      const next = random(seed)
      const log = randomLog(next)
      const other = randomLog(next)
      const claims = log.claims()
      const untouched = await judge(path, log.text(), claims)
      assert.deepEqual(untouched, { problems: [], isFound: false }, `seed ${seed}`)

      for (let turn = 0; turn < 40; turn++) {
        const name = pick(next, names)
        const text = EDITS[name]!(log, next, other)
        if (text === undefined || text === log.text()) continue
        edits++
        const about = `seed ${seed}, turn ${turn}: ${name}\n${log.text()}\n${text}`
        const { problems, isFound } = await judge(path, text, claims)
        assert.ok(isFound, about)
        // What was done is told once, or as what two of its traces look like: not for all that follows.
        assert.ok(problems.length <= 3 || name === 'lines are deleted', about)
        if (problems.length === 0) assert.deepEqual(reference(text), [], about)
      }
    }
  })
})

/** What the independent verifier, which knows of no anchors, finds. */
function reference(text: string): readonly string[] {
  const lines = text.slice(0, text.lastIndexOf('\n') + 1)
  return verifyLog(lines).problems.filter((problem) => !problem.startsWith('not ASCII'))
}
