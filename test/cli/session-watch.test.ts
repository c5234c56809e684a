import assert from 'node:assert/strict'
import { suite, type TestContext, test } from 'node:test'
import type { Window } from '../../src/deps.ts'
import type { SessionStore } from '../../src/ports/session-store.ts'
import { NOON } from '../fixtures/policies.ts'
import { type Outcome, sentinel } from '../fixtures/session-cli.ts'
import {
  ALICE,
  anId,
  aSession,
  aStoreOfKinds,
  aStoreWith,
  differently,
  unavailable,
} from '../fixtures/sessions.ts'

const WAITING = new AbortController().signal
const WIDE = { columns: 140, rows: 8 }

/** Lets the watch look again whenever it waits, until its reader goes away. */
async function inNoTime(t: TestContext, watching: () => Promise<Outcome>): Promise<Outcome> {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  let isOver = false
  const outcome = watching().finally(() => {
    isOver = true
  })
  while (!isOver) {
    await new Promise(setImmediate)
    t.mock.timers.tick(2000)
  }
  return await outcome
}

/** `store`, with something done to it before each look. */
function withEvents(store: SessionStore, ...events: (() => Promise<unknown>)[]): SessionStore {
  let look = 0
  return differently(store, {
    async *list(query, signal) {
      const event = events[look]
      look += 1
      await event?.()
      yield* store.list(query, signal)
    },
  })
}

suite('sentinel session watch, without a terminal', () => {
  test('prints one line of JSON a change', async (t) => {
    const inner = await aStoreWith(aSession())
    const store = withEvents(
      inner,
      async () => {},
      () => inner.touch(ALICE, aSession({ requestCount: 4 }), NOON, WAITING),
      () => inner.create(aSession({ id: anId('2'), startedAt: NOON }), WAITING),
      () => inner.revoke(ALICE, { at: NOON, by: 'carol', reason: 'left' }, WAITING),
    )
    const reader = (text: string) => text.split('\n').length < 5
    const args = ['session', 'watch']
    const { status, stdout, isStoreClosed } = await inNoTime(t, () =>
      sentinel(args, { store, reader }),
    )
    assert.equal(status, 0)
    assert.ok(isStoreClosed)
    const lines = stdout.trimEnd().split('\n')
    assert.deepEqual(
      lines
        .map((line) => JSON.parse(line))
        .map(({ change, session }) => [change, session.id, session.shown_status]),
      [
        ['started', ALICE, 'active'],
        ['touched', ALICE, 'active'],
        ['started', anId('2'), 'active'],
        ['status', ALICE, 'revoked'],
      ],
    )
  })

  test('does so on a terminal as well when JSON is asked for', async (t) => {
    const store = await aStoreWith(aSession())
    const args = ['session', 'watch', '--output', 'json']
    const scene = { store, stdoutWindow: WIDE, reader: () => false }
    const { stdout } = await inNoTime(t, () => sentinel(args, scene))
    assert.equal(JSON.parse(stdout).change, 'started')
  })

  test('says on stderr when the store falls silent, once, and when it answers again', async (t) => {
    const inner = await aStoreWith(aSession())
    const silence = () => Promise.reject(unavailable())
    const store = withEvents(
      inner,
      async () => {},
      silence,
      silence,
      () => inner.touch(ALICE, aSession({ requestCount: 4 }), NOON, WAITING),
    )
    const reader = (text: string) => text.split('\n').length < 3
    const { stderr } = await inNoTime(t, () => sentinel(['session', 'watch'], { store, reader }))
    assert.equal(
      stderr,
      'warning: the session store does not answer; nothing is known since 2026-01-14T12:00:00Z\n' +
        'note: memory: answers again\n',
    )
  })

  test('takes the filters of session list, and refuses what that refuses', async (t) => {
    const scene = { store: await aStoreOfKinds(), reader: () => false }
    const args = ['session', 'watch', '--status', 'revoked']
    const { stdout } = await inNoTime(t, () => sentinel(args, scene))
    assert.equal(JSON.parse(stdout).session.id, anId('e0'))
    assert.equal((await sentinel(['session', 'watch', '--status', 'gone'])).status, 2)
  })

  test('does not begin on a store that does not answer', async () => {
    const store = withEvents(await aStoreWith(), () => Promise.reject(unavailable()))
    const { status, stderr } = await sentinel(['session', 'watch'], { store })
    assert.equal(status, 6)
    assert.match(stderr, /^error: the session store does not answer\n/)
  })
})

/** The screen after `written`: what a terminal makes of the few controls that are used. */
function screenOf(written: string): string[] {
  let rows: string[] = []
  let at = 0
  const up = '␛['
  const pieces = written.replaceAll('\u001b', '␛').split(/(?<=\n)|(?=\n|␛)|(?<=␛\[\d*[AHJK])/)
  for (const piece of pieces) {
    if (piece.startsWith(up)) {
      if (piece === `${up}2J`) rows = []
      else if (piece === `${up}H`) at = 0
      else if (piece.endsWith('A')) at -= Number(piece.slice(2, -1))
      else if (piece === `${up}J`) rows = rows.slice(0, at)
      else assert.equal(piece, `${up}K`)
      assert.ok(at >= 0, 'the cursor left the screen')
    } else if (piece === '\n') at += 1
    else rows[at] = piece
  }
  return rows
}

suite('sentinel session watch, on a terminal', () => {
  /** The screen after each of the first `count` looks. */
  async function screens(
    t: TestContext,
    count: number,
    { store, window = () => WIDE }: { store: SessionStore; window?: () => Window },
  ) {
    const frames: string[][] = []
    const reader = (text: string) => frames.push(screenOf(text)) < count
    const scene = { store, reader, stdoutWindow: window }
    const outcome = await inNoTime(t, () => sentinel(['session', 'watch'], scene))
    return { ...outcome, frames }
  }

  test('draws a table, and draws it again in its place', async (t) => {
    const inner = await aStoreWith(aSession())
    const store = withEvents(
      inner,
      async () => {},
      () => inner.revoke(ALICE, { at: NOON, by: 'carol', reason: 'left' }, WAITING),
    )
    const { frames, stdout } = await screens(t, 2, { store })
    assert.deepEqual(frames, [
      [
        'memory: at 2026-01-14T12:00:00Z',
        'ID                STATUS   USER          PROFILE       CREDENTIALS UNTIL     STARTED               LAST USED             SERVED',
        '00000000000a11ce  active   alice         prod          2026-01-14T12:14:00Z  2026-01-14T11:45:00Z  2026-01-14T11:59:00Z  3',
        'Ctrl-C ends this',
      ],
      [
        'memory: at 2026-01-14T12:00:00Z',
        'ID                STATUS   USER          PROFILE       CREDENTIALS UNTIL     STARTED               LAST USED             SERVED',
        '00000000000a11ce  revoked  alice         prod          2026-01-14T12:14:00Z  2026-01-14T11:45:00Z  2026-01-14T11:59:00Z  3',
        'Ctrl-C ends this',
      ],
    ])
    assert.ok(!stdout.includes('\u001b[2J'), 'nothing is erased before it is drawn')
    assert.ok(!stdout.includes('\u001b[?25l'), 'the cursor stays visible, for whoever interrupts')
  })

  test('fits the window, and says how many it leaves out', async (t) => {
    const store = await aStoreWith(
      ...Array.from({ length: 9 }, (_, index) =>
        aSession({ id: anId(`${index}`), startedAt: NOON - index }),
      ),
    )
    const { frames } = await screens(t, 1, { store, window: () => ({ columns: 30, rows: 8 }) })
    const [frame = []] = frames
    assert.equal(frame.length, 7)
    assert.ok(frame.every((line) => line.length < 30))
    assert.equal(frame[2], '0000000000000000  active   a…')
    assert.equal(frame.at(-1), 'and 5 more')
  })

  test('survives a window that becomes smaller, and shows as much as fits then', async (t) => {
    const store = await aStoreWith(aSession(), aSession({ id: anId('2') }))
    // The first look at the window is for whether there is one.
    const windows = [WIDE, WIDE]
    const { frames, stdout } = await screens(t, 2, {
      store,
      window: () => windows.shift() ?? { columns: 20, rows: 4 },
    })
    assert.deepEqual(frames.at(-1)?.length, 3)
    assert.equal(frames.at(-1)?.[0], 'memory: at 2026-01…')
    assert.ok(stdout.includes('\u001b[2J\u001b[H'))
  })

  test('draws nothing in a window that is too small for anything', async (t) => {
    const store = await aStoreWith(aSession())
    const { frames } = await screens(t, 2, { store, window: () => ({ columns: 1, rows: 2 }) })
    assert.deepEqual(frames.at(-1), [])
  })

  test('says in the table since when the store is silent', async (t) => {
    const store = withEvents(
      await aStoreWith(aSession()),
      async () => {},
      () => Promise.reject(unavailable()),
    )
    const { frames, stderr } = await screens(t, 2, { store })
    assert.equal(stderr, '')
    assert.match(frames[1]![2]!, /active/)
    assert.equal(frames[1]!.at(-1), 'as of 2026-01-14T12:00:00Z: the session store does not answer')
  })

  test('says when there is none', async (t) => {
    const { frames } = await screens(t, 1, { store: await aStoreWith() })
    assert.match(frames[0]!.at(-1)!, /^no session is like that; Ctrl-C ends this$/)
  })
})
