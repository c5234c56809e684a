import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { link, originOf } from '../../src/audit/chain.ts'
import { RECOVERED_MAX } from '../../src/audit/recoveries.ts'
import { formatHead, type Head } from '../../src/domain/log-head.ts'
import { textOf } from './linked-log.ts'
import { streamOf } from './log-fixture.ts'
import { AT_EASE, makeArchivePlace } from './open-archive.ts'
import { verifyLog } from './verify-log.ts'

const A = streamOf('a')
const B = streamOf('b')

/** The line of a stream after `previous`, and its head. */
function after(previous: Head, type: string, text: string, heads?: Record<string, string>) {
  const stream = text.startsWith('b') ? B : A
  const body = `"time":"2026-01-14T09:00:00.000Z","type":"${type}","request_id":"${text}","host":"h","pid":1`
  return link(body, stream, previous, heads)
}

const chain = (count: number, previous: Head = originOf(A), name = 'a') => {
  const links: { line: string; head: Head }[] = []
  for (let index = 0; index < count; index++) {
    links.push(after(links.at(-1)?.head ?? previous, 'issued', `${name}${index}`))
  }
  return links
}

const lines = (...links: { line: string }[]) => links.map(({ line }) => line)

async function judge(text: string) {
  using place = makeArchivePlace()
  place.write(text)
  const archive = await place.open()
  const report = await archive.verify({ extent: 'whole', ...AT_EASE })
  const carriedOut: unknown[] = []
  const annulled: unknown[] = []
  for await (const { record, isAnnulled } of archive.records({}, AT_EASE)) {
    if (record.request_id) (isAnnulled ? annulled : carriedOut).push(record.request_id)
  }
  return { report, carriedOut, annulled, reference: verifyLog(text.slice(0, -1)).problems }
}

suite('lines that a recovered record takes back', () => {
  const [first, second, third] = chain(3)
  assert.ok(first && second && third)
  const recovered = after(first.head, 'recovered', 'again')
  const next = after(recovered.head, 'issued', 'next')

  const sound: [what: string, written: readonly string[], annulled: readonly string[]][] = [
    ['follow the chain', lines(first, second, third, recovered, next), ['a1', 'a2']],
    ['have lost those before them', lines(first, third, recovered, next), ['a2']],
    ['are torn', [first.line, second.line.slice(0, 50), third.line, recovered.line], ['a2']],
    ['are zero bytes', [first.line, '\0'.repeat(300), recovered.line], []],
    [
      'were written several times',
      lines(
        first,
        second,
        recovered,
        ...chain(2, recovered.head, 'x'),
        after(first.head, 'recovered', 'anew'),
      ),
      ['a1', 'again', 'x0', 'x1'],
    ],
    [
      'were the first of their stream',
      lines(first, second, after(originOf(A), 'recovered', 'anew')),
      ['a0', 'a1'],
    ],
  ]
  for (const [what, written, taken] of sound) {
    test(`are nothing wrong, when they ${what}`, async () => {
      const { report, annulled, reference } = await judge(textOf(written))
      assert.deepEqual(report.problems, [])
      assert.deepEqual(reference, [])
      assert.equal(report.annulled, taken.length)
      assert.deepEqual(annulled, taken)
    })
  }

  test('are told from those that were carried out', async () => {
    const { carriedOut } = await judge(textOf(lines(first, second, third, recovered, next)))
    assert.deepEqual(carriedOut, ['a0', 'again', 'next'])
  })

  test('are no more than a failed write may leave', async () => {
    const links = chain(RECOVERED_MAX + 20)
    const base = links[5]!
    const far = after(base.head, 'recovered', 'far')
    const near = after(links.at(-RECOVERED_MAX)!.head, 'recovered', 'near')
    // What its ring keeps beyond the bound is not to be taken back either.
    const { report } = await judge(
      textOf(lines(...chain(400), after(chain(10).at(-1)!.head, 'recovered', 'far'))),
    )
    assert.deepEqual(
      report.problems.map(({ fault, seq }) => [fault, seq]),
      [['reordered', 11]],
    )
    assert.deepEqual((await judge(textOf(lines(...links, near)))).report.problems, [])
    assert.equal((await judge(textOf(lines(...links, far)))).report.problemCount, 1)
  })

  test('stand behind the line that it goes back to: what was put in before is found', async () => {
    const { report } = await judge(
      textOf(lines(first, second, first, third, after(third.head, 'recovered', 'late'))),
    )
    assert.deepEqual(
      report.problems.map(({ fault, at }) => [fault, at?.line]),
      [['reordered', 3]],
    )
  })

  test('may have been named by others, and may be lost since', async () => {
    const named = { [A]: formatHead(third.head) }
    const witness = after(originOf(B), 'witness', 'b', named)
    for (const written of [
      lines(first, second, third, witness, recovered, next),
      lines(first, second, witness, recovered, next),
      lines(first, witness, recovered, next),
    ]) {
      assert.deepEqual((await judge(textOf(written))).report.problems, [])
    }
    const lost = await judge(textOf(lines(first, second, witness)))
    assert.deepEqual(
      lost.report.problems.map(({ fault, stream, seq }) => [fault, stream, seq]),
      [['missing', A, 3]],
    )
  })

  test('name nothing that anybody has to answer for', async () => {
    const named = { [B]: `7:${'0'.repeat(64)}` }
    const witness = after(first.head, 'witness', 'a', named)
    const { report } = await judge(textOf(lines(first, witness, recovered)))
    assert.deepEqual(report.problems, [])
  })

  test('may begin before a part of a log', async () => {
    using place = makeArchivePlace()
    place.write(textOf(lines(third, recovered, next)))
    const report = await (await place.open()).verify({ extent: 'part', ...AT_EASE })
    assert.deepEqual(report.problems, [])
    assert.equal(report.annulled, 1)
  })

  test('do not count where others vouch for them', async () => {
    using place = makeArchivePlace()
    place.write(textOf(lines(first, second, third, recovered, next)))
    const archive = await place.open()
    const claims = [
      { stream: A, ...second.head },
      { stream: A, ...recovered.head },
      { stream: A, hash: third.head.hash },
    ]
    assert.deepEqual(await archive.check(claims, AT_EASE), ['annulled', 'present', 'annulled'])
  })
})
