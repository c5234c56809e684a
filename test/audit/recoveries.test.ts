import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { link, originOf } from '../../src/audit/chain.ts'
import type { Head } from '../../src/domain/log-head.ts'
import { textOf } from './linked-log.ts'
import { streamOf } from './log-fixture.ts'
import { AT_EASE, makeArchivePlace } from './open-archive.ts'

const A = streamOf('a')

function after(previous: Head, type: string, id: string, more = '') {
  const time = '"time":"2026-01-14T09:00:00.000Z"'
  const body = `${time},"type":"${type}","request_id":"${id}"${more},"host":"h","pid":1`
  return link(body, A, previous)
}

function chainOf(count: number): { line: string; head: Head }[] {
  const links: { line: string; head: Head }[] = []
  for (let seq = 1; seq <= count; seq++) {
    links.push(after(links.at(-1)?.head ?? originOf(A), 'issued', `a${seq}`))
  }
  return links
}

/** The requests whose records are shown as not carried out. */
async function takenBack(lines: readonly string[]): Promise<unknown[]> {
  using place = makeArchivePlace()
  place.write(textOf(lines))
  const archive = await place.open()
  const taken: unknown[] = []
  for await (const { record, isAnnulled } of archive.records({}, AT_EASE)) {
    if (isAnnulled) taken.push(record.request_id)
  }
  return taken
}

suite('records of a log', () => {
  const links = chainOf(6)
  const lines = links.map(({ line }) => line)
  const [, second] = links
  assert.ok(second)
  const forged = (seq: number, prev: string) =>
    `{"v":1,"stream":"${A}","seq":${seq},"time":"2026-01-14T09:00:00.000Z","type":"recovered","host":"h","pid":1,"prev":"${prev}"}`

  test('are taken back by a recovered record that follows a line of their stream', async () => {
    const recovered = after(second.head, 'recovered', 'again')
    assert.deepEqual(await takenBack([...lines, recovered.line]), ['a3', 'a4', 'a5', 'a6'])
  })

  for (const [what, line] of [
    ['follows nothing', forged(3, '0'.repeat(64))],
    ['follows another line than its number says', forged(2, second.head.hash)],
    ['claims to be the first, and does not follow the name', forged(1, '0'.repeat(64))],
    [
      'only speaks of one',
      after(links[5]!.head, 'issued', 'x', ',"policy":{"type":"recovered"}').line,
    ],
  ] as const) {
    test(`are not taken back by a record that ${what}`, async () => {
      assert.deepEqual(await takenBack([...lines, line]), [])
    })
  }

  test('are not taken back where they stand before the line that is gone back to', async () => {
    const copy = lines[3]!
    const recovered = after(second.head, 'recovered', 'again').line
    assert.deepEqual(await takenBack([lines[0]!, copy, ...lines.slice(1, 4), recovered]), [
      'a3',
      'a4',
    ])
  })

  test('are taken back at the beginning of a part of a log', async () => {
    const recovered = after(second.head, 'recovered', 'again').line
    assert.deepEqual(await takenBack([...lines.slice(2), recovered]), ['a3', 'a4', 'a5', 'a6'])
  })

  test('are told from those taken back in no time, however many records take back', async () => {
    const many = Array.from({ length: 20_000 }, () => forged(3, second.head.hash))
    assert.deepEqual(await takenBack([...lines, ...many]).then((ids) => ids.length), 20_003)
  })
})
