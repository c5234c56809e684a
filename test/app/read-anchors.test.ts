import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { tableAnchors } from '../../src/app/read-anchors.ts'
import { type SessionHeadsDeps, sessionHeads } from '../../src/app/read-session-heads.ts'
import type { SessionId } from '../../src/domain/session.ts'
import { MINUTE } from '../../src/domain/time.ts'
import { hasCode } from '../../src/errors.ts'
import type { Anchor } from '../../src/ports/anchor-store.ts'
import type { ChainReport, LoggedSession } from '../../src/ports/log-archive.ts'
import { anAnchor, MemoryAnchors, unreachableAnchors } from '../fixtures/anchors.ts'
import { NOON } from '../fixtures/policies.ts'
import { anId, aSession, aStoreWith, differently, unavailable } from '../fixtures/sessions.ts'

const WAITING = new AbortController().signal
const LIVE = { host: 'laptop', log: '9f86d081884c7d65' }
const ELSEWHERE = '2c26b46b68ffc68f'
const TABLE = 'dynamodb:eu-central-1:sessions'

function aReport(known: Partial<ChainReport> = {}): ChainReport {
  return {
    lines: 1,
    bytes: 100,
    streams: 1,
    annulled: 0,
    torn: 0,
    problems: [],
    problemCount: 0,
    open: [],
    openCount: 0,
    heads: new Map(),
    sessions: [],
    hosts: ['laptop'],
    root: '',
    ...known,
  }
}

/** Heads of the streams of `anchors`, which are in the log then. */
function holding(...anchors: Anchor[]): ChainReport['heads'] {
  return new Map(anchors.map(({ head: { stream, ...head } }) => [stream, head]))
}

suite('the anchors of a table', () => {
  let store: MemoryAnchors
  const source = (live?: typeof LIVE, onProgress: (done: number) => void = () => {}) =>
    tableAnchors({
      location: 'dynamodb:anchors',
      open: async () => store,
      onProgress,
      ...(live && { live }),
    })

  async function keep(...anchors: Anchor[]): Promise<void> {
    store = new MemoryAnchors()
    for (const anchor of anchors) await store.put(anchor, WAITING)
  }

  test('of the live log are those with its id, of every host in it', async () => {
    const ours = anAnchor({ ...LIVE, seq: 7 })
    const ofHost = anAnchor({ ...LIVE, host: 'build-1' })
    const otherLog = anAnchor({ ...LIVE, log: ELSEWHERE })
    const otherHost = anAnchor({ ...LIVE, host: 'nobody-here' })
    await keep(ours, ofHost, otherLog, otherHost)

    const lines = await source(LIVE).linesOf(aReport({ hosts: ['laptop', 'build-1'] }), WAITING)

    assert.deepEqual(lines, [
      { ...ours.head, by: 'the anchor of laptop of 2026-01-14T12:00:00Z' },
      { ...ofHost.head, by: 'the anchor of build-1 of 2026-01-14T12:00:00Z' },
    ])
  })

  test('of a log that was moved are those of its streams, at whatever place they were', async () => {
    const moved = anAnchor({ ...LIVE, log: ELSEWHERE, seq: 7 })
    const othersThere = anAnchor({ ...LIVE, log: ELSEWHERE })
    await keep(moved, othersThere)

    const lines = await source(LIVE).linesOf(aReport({ heads: holding(moved) }), WAITING)

    assert.deepEqual(lines, [{ ...moved.head, by: 'the anchor of laptop of 2026-01-14T12:00:00Z' }])
  })

  test('of the live log are known though not a line of it is left', async () => {
    const ours = anAnchor(LIVE)
    await keep(ours)
    const lines = await source(LIVE).linesOf(aReport({ hosts: [] }), WAITING)
    assert.deepEqual(
      lines.map(({ stream }) => stream),
      [ours.head.stream],
    )
  })

  test('of files are those of the logs that share a stream with them', async () => {
    const kept = anAnchor(LIVE)
    const cut = anAnchor(LIVE)
    const otherLog = anAnchor({ ...LIVE, log: ELSEWHERE })
    const otherHost = anAnchor({ ...LIVE, host: 'build-1' })
    await keep(kept, cut, otherLog, otherHost)

    const report = aReport({ hosts: ['laptop', 'build-1'], heads: holding(kept) })
    const lines = await source().linesOf(report, WAITING)

    const streams = new Set(lines.map(({ stream }) => stream))
    assert.deepEqual(streams, new Set([kept.head.stream, cut.head.stream]))
  })

  test('are counted as they come', async () => {
    await keep(...Array.from({ length: 3 }, () => anAnchor(LIVE)))
    const told: number[] = []
    await source(LIVE, (done) => told.push(done)).linesOf(aReport(), WAITING)
    assert.deepEqual(told, [1, 2, 3])
  })

  test('fail as their table does, and are interrupted when nobody waits', async () => {
    await keep()
    store.fault = unreachableAnchors()
    const answer = source(LIVE).linesOf(aReport(), WAITING)
    await assert.rejects(answer, { code: 'STORE_UNAVAILABLE' })

    const over = source(LIVE).linesOf(aReport(), AbortSignal.abort())
    await assert.rejects(over, { code: 'INTERRUPTED' })
    assert.equal(source(LIVE).name, 'anchors in dynamodb:anchors')
  })
})

suite('the heads that sessions keep', () => {
  const HEAD = '9f86d081884c7d659a2feaa0c55ad015'
  const logged = (id: SessionId, known: Partial<LoggedSession> = {}): LoggedSession => ({
    stream: `stream-of-${id}`,
    id,
    store: TABLE,
    startedAt: new Date(NOON - 15 * MINUTE).toISOString(),
    ...known,
  })

  /** What all places together say, and what was told of while they were asked. */
  async function read(sessions: readonly LoggedSession[], open: SessionHeadsDeps['open']) {
    const told = { gone: [] as string[], looked: [] as number[], opened: [] as string[] }
    const sources = sessionHeads({
      open: (location) => {
        told.opened.push(location)
        return open(location)
      },
      onProgress: (done) => told.looked.push(done),
      onGone: (count, location) => told.gone.push(`${count} of ${location}`),
    })
    const report = aReport({ sessions })
    const places = sources.among(report)
    const answers = await Promise.allSettled(places.map((place) => place.linesOf(report, WAITING)))
    return { names: places.map(({ name }) => name), answers, ...told }
  }

  test('are looked up by the store that the log names, session by session', async () => {
    const ids = Array.from({ length: 20 }, (_, n) => anId(`a${n.toString(16)}`))
    const store = await aStoreWith(...ids.map((id) => aSession({ id, logHead: HEAD })))

    const { names, answers, looked, gone } = await read(
      ids.map((id) => logged(id)),
      async () => store,
    )

    assert.deepEqual(names, [`sessions in ${TABLE}`])
    const [answer] = answers
    assert.equal(answer?.status, 'fulfilled')
    assert.deepEqual(
      answer.value.toSorted((a, b) => a.stream.localeCompare(b.stream)),
      ids.map((id) => ({ stream: `stream-of-${id}`, hash: HEAD, by: `session ${id}` })),
    )
    assert.equal(looked.at(-1), ids.length)
    assert.deepEqual(gone, [])
  })

  test('vouch for nothing where the record is gone, or has none: the former are counted', async () => {
    const [there, headless, removed] = [anId('a1'), anId('a2'), anId('a3')]
    const store = await aStoreWith(
      aSession({ id: there, logHead: HEAD }),
      aSession({ id: headless }),
    )
    const sessions = [there, headless, removed, 'no-id' as SessionId].map((id) => logged(id))

    const { answers, gone } = await read(sessions, async () => store)

    assert.partialDeepStrictEqual(answers, [
      { status: 'fulfilled', value: [{ by: `session ${there}` }] },
    ])
    assert.deepEqual(gone, [`2 of ${TABLE}`])
  })

  test('are asked of no store that was in memory, and of none that is not there', async () => {
    const file = 'sqlite:/home/alice/.local/state/sentinel/sentinel.db'
    const sessions = [
      logged(anId('a1'), { store: 'memory:' }),
      logged(anId('a2'), { store: file }),
      logged(anId('a3'), { store: file }),
    ]
    const { names, answers, opened, gone } = await read(sessions, async () => undefined)

    assert.deepEqual(names, [`sessions in ${file}`])
    assert.deepEqual(answers, [{ status: 'fulfilled', value: [] }])
    assert.deepEqual(opened, [file])
    assert.deepEqual(gone, [`2 of ${file}`])
  })

  test('of one place are known though another does not answer', async () => {
    const [one, other] = [anId('a1'), anId('a2')]
    const store = await aStoreWith(aSession({ id: one, logHead: HEAD }))
    const dead = differently(store, { get: () => Promise.reject(unavailable()) })
    const sessions = [logged(other, { store: 'dynamodb:eu-west-1:sessions' }), logged(one)]

    const { names, answers } = await read(sessions, async (location) =>
      location === TABLE ? store : dead,
    )

    assert.deepEqual(names, ['sessions in dynamodb:eu-west-1:sessions', `sessions in ${TABLE}`])
    const [failed, answered] = answers
    assert.ok(failed?.status === 'rejected' && hasCode(failed.reason, 'STORE_UNAVAILABLE'))
    assert.ok(answered?.status === 'fulfilled')
    assert.deepEqual(
      answered.value.map(({ by }) => by),
      [`session ${one}`],
    )
  })

  test('begin nothing after a failure, and close the store when all is over', async () => {
    const ids = Array.from({ length: 100 }, (_, n) => anId(`a${n.toString(16)}`))
    const store = await aStoreWith()
    let asked = 0
    let underWay = 0
    const closedWith: number[] = []
    const failing = differently(store, {
      async get() {
        asked += 1
        underWay += 1
        const isFirst = asked === 1
        await new Promise((resolve) => setTimeout(resolve, isFirst ? 1 : 10))
        underWay -= 1
        if (isFirst) throw unavailable()
        return undefined
      },
      async [Symbol.asyncDispose]() {
        closedWith.push(underWay)
      },
    })

    const { answers } = await read(
      ids.map((id) => logged(id)),
      async () => failing,
    )

    assert.equal(answers[0]?.status, 'rejected')
    assert.ok(asked <= 16, `${asked} of 100`)
    assert.deepEqual(closedWith, [0])
  })

  test('are interrupted when nobody waits any more', async () => {
    const store = await aStoreWith(aSession({ id: anId('a1'), logHead: HEAD }))
    const over = new AbortController()
    const slow = differently(store, {
      async get() {
        over.abort()
        throw unavailable()
      },
    })
    const deps = { onProgress() {}, onGone() {}, open: async () => slow }
    const report = aReport({ sessions: [logged(anId('a1'))] })
    const [place] = sessionHeads(deps).among(report)
    await assert.rejects(place!.linesOf(report, over.signal), { code: 'INTERRUPTED' })
    await assert.rejects(place!.linesOf(report, over.signal), { code: 'INTERRUPTED' })
  })
})
