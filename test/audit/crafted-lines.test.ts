import assert from 'node:assert/strict'
import { hash } from 'node:crypto'
import { suite, test } from 'node:test'
import { link, originOf } from '../../src/audit/chain.ts'
import { formatHead, type Head } from '../../src/domain/log-head.ts'
import { hasCode } from '../../src/errors.ts'
import type { ChainReport } from '../../src/ports/log-archive.ts'
import { pick, random, scaled } from '../fixtures/random.ts'
import { randomLog, textOf } from './linked-log.ts'
import { streamOf } from './log-fixture.ts'
import { makeArchivePlace } from './open-archive.ts'
import { verifyLog } from './verify-log.ts'

const A = streamOf('a')
const B = streamOf('b')

interface Linked {
  readonly line: string
  readonly head: Head
}

function after(stream: string, previous: Head, type: string, heads?: Record<string, string>) {
  const body = `"time":"2026-01-14T09:00:00.000Z","type":"${type}","host":"h","pid":1`
  return link(body, stream, previous, heads)
}

function chainOf(stream: string, count: number): Linked[] {
  const links: Linked[] = []
  for (let seq = 1; seq <= count; seq++) {
    links.push(after(stream, links.at(-1)?.head ?? originOf(stream), 'issued'))
  }
  return links
}

/** A line that says of itself what somebody likes. */
function crafted(stream: string, seq: number, type: string, prev: string, more = ''): string {
  const rest = `"time":"2026-01-14T09:00:00.000Z","type":"${type}","host":"h","pid":1${more}`
  return `{"v":1,"stream":"${stream}","seq":${seq},${rest},"prev":"${prev}"}`
}

const lines = (links: readonly Linked[]) => links.map(({ line }) => line)

async function verify(written: readonly string[]): Promise<ChainReport> {
  using place = makeArchivePlace()
  place.write(textOf(written))
  return await place.verify()
}

suite('lines that somebody crafts and puts in', () => {
  const links = chainOf(A, 9)
  const [before, behind] = [links.slice(0, 6), links.slice(7)]
  const { hash: link6 } = before[5]!.head
  const others = chainOf(B, 3)

  const holes: readonly [what: string, written: readonly string[]][] = [
    [
      'a stream that is taken back',
      [
        ...lines(before),
        crafted(B, 1, 'issued', link6),
        after(B, originOf(B), 'recovered').line,
        ...lines(behind),
      ],
    ],
    [
      'a torn line that another stream seems to miss, before that is taken back',
      [
        ...lines(before),
        others[0]!.line,
        `{"v":1,"stream":"${others[0]!.head.hash}${link6}`,
        others[2]!.line,
        ...lines(behind),
        after(B, others[0]!.head, 'recovered').line,
      ],
    ],
    [
      'a torn line that another stream seemed to miss, after that was taken back',
      [
        ...lines(before),
        others[0]!.line,
        `{"v":1,"stream":"${others[0]!.head.hash}${link6}`,
        others[2]!.line,
        after(B, others[0]!.head, 'recovered').line,
        ...lines(behind),
      ],
    ],
    [
      'its own first line, which is taken back',
      [
        ...lines(links.slice(2, 6)),
        after(A, originOf(A), 'recovered').line,
        ...lines(links.slice(6)),
      ],
    ],
  ]
  for (const [what, written] of holes) {
    test(`do not excuse a line that is gone: ${what}`, async () => {
      assert.notEqual((await verify(written)).problemCount, 0)
      assert.notDeepEqual(verifyLog(textOf(written)).problems, [])
    })
  }

  test('do not silence a line that names a stream which is gone', async () => {
    const stop = after(A, links[8]!.head, 'stop', { [B]: formatHead(others[2]!.head) })
    const silencer = crafted(A, 11, 'issued', '0'.repeat(64))
    const recovered = after(A, stop.head, 'recovered').line
    const { problems } = await verify([...lines([...links, stop]), silencer, recovered])
    assert.deepEqual(
      problems.map(({ fault, stream, seq }) => [fault, stream, seq]),
      [['missing', B, 3]],
    )
  })

  test('make no log sound that the independent verifier finds fault with', async () => {
    let sound = 0
    for (let seed = 1; seed <= scaled(150); seed++) {
      const next = random(seed)
      const written = craft(next)
      const about = `seed ${seed}\n${textOf(written)}`
      const report = await verify(written).catch((error: unknown) => {
        if (hasCode(error, 'LOG_UNREADABLE')) return undefined
        throw error
      })
      if (!report || report.problemCount > 0) continue
      sound++
      assert.deepEqual(reference(written), [], about)
    }
    assert.ok(sound > 5, `${sound} of them are sound`)
  })
})

/** A log of which something is cut, and into which lines are put that make it look whole. */
function craft(next: () => number): string[] {
  const log = randomLog(next)
  const known = [...log.lines, ...log.lines.map(({ stream }) => ({ stream, ...originOf(stream) }))]
  const written = log.lines.map(({ text }) => text)
  for (let edits = 1 + Math.floor(next() * 5); edits > 0; edits--) {
    const at = Math.floor(next() * (written.length + 1))
    const one = pick(next, known)
    const other = pick(next, [...known, ...written.flatMap(headOf)])
    const kind = next()
    if (kind < 0.3) written.splice(at, 1 + Math.floor(next() * 3))
    else if (kind < 0.4) written.splice(at, 0, `{"v":1,"stream":"${one.hash}${other.hash}`)
    else {
      const stream = next() < 0.8 ? other.stream : one.stream
      const seq = next() < 0.8 ? other.seq + 1 : 1 + Math.floor(next() * 10)
      const type = next() < 0.6 ? 'recovered' : pick(next, ['issued', 'stop'])
      const heads = next() < 0.1 ? `,"heads":{"${one.stream}":"${one.seq + 1}:${one.hash}"}` : ''
      written.splice(at, 0, crafted(stream, seq, type, other.hash, heads))
    }
  }
  return written
}

function headOf(line: string): { stream: string; seq: number; hash: string }[] {
  const [, stream, seq] = /^\{"v":1,"stream":"([a-z2-7]{20})","seq":(\d+),/.exec(line) ?? []
  return stream ? [{ stream, seq: Number(seq), hash: hash('sha256', line) }] : []
}

/** But for heads of lines that a later record may have taken back, which are lost besides. */
function reference(written: readonly string[]): readonly string[] {
  return verifyLog(textOf(written)).problems.filter((problem) => {
    const [, seq, stream] = /^no line (\d+):\w+ of (\w+)$/.exec(problem) ?? []
    const mayBeLost = written.some((line) => {
      const [, from] =
        new RegExp(`"stream":"${stream}","seq":(\\d+),.*"type":"recovered"`).exec(line) ?? []
      return from !== undefined && Number(from) <= Number(seq)
    })
    return !mayBeLost
  })
}
