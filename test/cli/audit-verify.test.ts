import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { suite, test } from 'node:test'
import type { AnchorSource } from '../../src/app/verify-log.ts'
import { parseStatement } from '../../src/domain/log-statement.ts'
import { SentinelError } from '../../src/errors.ts'
import { LinkedLog, textOf } from '../audit/linked-log.ts'
import { streamOf } from '../audit/log-fixture.ts'
import { type ArchivePlace, makeArchivePlace } from '../audit/open-archive.ts'
import { sentinel } from '../fixtures/audit-cli.ts'
import { newKey } from '../fixtures/signing.ts'

const A = streamOf('a')
const LOG = new LinkedLog()
LOG.add(A, 'start')
for (let count = 0; count < 40; count++) LOG.add(A, 'issued')
LOG.add(A, 'stop')
const LINES = LOG.lines.map(({ text }) => text)
const EDITED = LINES.with(3, LINES[3]!.replace('prod', 'prof'))
const [HEAD] = LOG.claims()
assert.ok(HEAD)

const ANCHORS: AnchorSource = {
  name: 'anchors in a table',
  linesOf: async () => [{ ...HEAD, by: 'the anchor of laptop' }],
}

async function verify(
  place: ArchivePlace,
  args: readonly string[] = [],
  sources?: readonly AnchorSource[],
) {
  const archive = await place.open()
  return sentinel(['audit', 'verify', ...args], { archive, ...(sources && { sources }) })
}

suite('sentinel audit verify', () => {
  test('says that a log is sound, and what was checked', async () => {
    using place = makeArchivePlace()
    place.write(textOf(LINES))
    const { status, stdout, stderr } = await verify(place, [], [ANCHORS])
    assert.equal(status, 0, stderr)
    assert.equal(stderr, '')
    assert.equal(
      stdout,
      `sound: 42 lines of 1 stream in 1 file, 2026-01-14T09:00:00.000Z to 2026-01-14T09:00:00.041Z
1 anchor agrees
`,
    )
  })

  test('names each line with which something is wrong, the first one first', async () => {
    using place = makeArchivePlace()
    place.write(textOf(EDITED.toSpliced(20, 2)))
    const { status, stdout, stderr } = await verify(place)
    assert.equal(status, 1, stderr)
    const path = place.path()
    assert.equal(
      stdout,
      `${path}:4: edited: line 5 of its stream was written after another line than this (line 4 of stream ${A})
${path}:21: missing: lines 21 to 22 of its stream are gone before it (line 23 of stream ${A})
not sound: 2 problems in 40 lines of 1 stream in 1 file, 2026-01-14T09:00:00.000Z to 2026-01-14T09:00:00.041Z
`,
    )
  })

  test('lists twenty problems to people, and all to programs', async () => {
    using place = makeArchivePlace()
    place.write(textOf(LINES.map((line) => `${line}\r`)))
    const text = await verify(place)
    assert.match(text.stdout, /\nand 22 more problems\nnot sound: 42 problems in /)
    assert.equal(text.stdout.match(/: edited: it ends in a carriage return/g)?.length, 20)
    const { stdout } = await verify(place, ['--output', 'json'])
    const { problems, problem_count } = JSON.parse(stdout)
    assert.equal(problems.length, 42)
    assert.equal(problem_count, 42)
  })

  test('tells streams without stop, the latest first, from tampering', async () => {
    using place = makeArchivePlace()
    const log = new LinkedLog()
    for (const letter of 'abcdefghijkl') log.add(streamOf(letter), 'start')
    place.write(log.text())
    const { status, stdout } = await verify(place)
    assert.equal(status, 0)
    assert.match(
      stdout,
      /^12 streams end without stop \(a crash, a run that goes on, or an end that was cut: only anchors tell\); the last 10:\n {2}l7{19} {2}line 1 {2}2026-01-14T09:00:00.011Z {2}start {2}laptop\.example pid 4711 {2}on prod\n/m,
    )
    assert.doesNotMatch(stdout, /^ {2}b7/m)
  })

  test('says no where somebody vouches for what is not there', async () => {
    using place = makeArchivePlace()
    place.write(textOf(LINES.slice(0, -1)))
    const { status, stdout } = await verify(place, [], [ANCHORS])
    assert.equal(status, 1)
    const [first] = stdout.split('\n')
    assert.equal(
      first,
      `stream ${A}: missing: line 42 of the stream is gone, by the anchor of laptop`,
    )
    assert.match(stdout, /^0 of 1 anchor agree$/m)
    const alone = await verify(place, ['--no-anchors'], [ANCHORS])
    assert.equal(alone.status, 0)
    const part = await verify(place, ['--partial'], [ANCHORS])
    assert.equal(part.status, 0, part.stdout)
  })

  test('ends with 6 where an anchor could not be read, but for a log that is not sound', async () => {
    using place = makeArchivePlace()
    place.write(textOf(LINES))
    const silent: AnchorSource = {
      name: 'anchors in a table',
      linesOf: async () => {
        throw new SentinelError('STORE_UNAVAILABLE', 'the table did not answer', { hint: 'wait' })
      },
    }
    const unknown = await verify(place, [], [silent])
    assert.equal(unknown.status, 6)
    assert.match(
      unknown.stdout,
      /^sound, as far as it could be checked: .*\nnot checked: anchors in a table could not be read: the table did not answer$/m,
    )
    assert.equal(unknown.stderr, 'warning: the table did not answer\nhint: wait\n')
    place.write(textOf(EDITED))
    assert.equal((await verify(place, [], [silent])).status, 1)
  })

  test('tells programs all of it', async () => {
    using place = makeArchivePlace()
    const bytes = place.write(textOf(EDITED)) && textOf(EDITED).length
    const { stdout } = await verify(place, ['--output', 'json', '--with-root'], [ANCHORS])
    const found = JSON.parse(stdout)
    assert.match(found.root, /^42:[0-9a-f]{64}$/)
    assert.deepEqual(found, {
      outcome: 'unsound',
      extent: 'whole',
      files: [{ path: place.path(), bytes, compressed: false }],
      lines: 42,
      streams: 1,
      annulled: 0,
      torn: 0,
      from: '2026-01-14T09:00:00.000Z',
      to: '2026-01-14T09:00:00.041Z',
      root: found.root,
      problem_count: 1,
      problems: [
        {
          fault: 'edited',
          file: place.path(),
          line: 4,
          stream: A,
          seq: 4,
          detail: 'line 5 of its stream was written after another line than this',
        },
      ],
      anchors: { checked: 1, contradictions: [], unread: [] },
      statement: null,
      open_count: 0,
      open: [],
    })
  })

  test('is interrupted with 130', async () => {
    using place = makeArchivePlace()
    place.write(textOf(LINES))
    const archive = await place.open()
    const interrupted = AbortSignal.abort()
    const { status, stderr } = await sentinel(['audit', 'verify'], { archive, interrupted })
    assert.equal(status, 130)
    assert.match(stderr, /^error: reading the decision log was interrupted/)
  })

  test('passes the files and the path that it was given', async () => {
    using place = makeArchivePlace()
    place.write(textOf(LINES))
    const named = await verify(place, ['a.jsonl', 'b.jsonl'])
    assert.deepEqual(named.selection?.files, ['a.jsonl', 'b.jsonl'])
    const other = await verify(place, ['--log-file', 'c.jsonl'])
    assert.deepEqual(other.selection, { files: [], 'log-file': 'c.jsonl' })
  })

  test('holds a log to what was signed of it, if the key signed that', async () => {
    using place = makeArchivePlace()
    place.write(textOf(LINES))
    const keys = [newKey(), newKey()].map((key, index) => {
      writeFileSync(place.path(`${index}.pem`), key.privatePEM, { mode: 0o600 })
      writeFileSync(place.path(`${index}.pub`), key.publicPEM)
      return { key: place.path(`${index}.pem`), public: place.path(`${index}.pub`) }
    })
    const sign = ['audit', 'sign', '--key', keys[0]!.key]
    const { stdout } = await sentinel(sign, { archive: await place.open() })
    assert.equal(parseStatement(stdout).statement.lines, 42)
    const statement = place.write(stdout, 'statement.json')

    const by = (index: number) => ['--signature', statement, '--public-key', keys[index]!.public]
    const sound = await verify(place, by(0))
    assert.equal(sound.status, 0, sound.stderr)
    assert.match(sound.stdout, /^as signed: the first 42 lines of /m)
    const foreign = await verify(place, by(1))
    assert.equal(foreign.status, 1)
    assert.match(foreign.stderr, /was not signed by this key/)

    // The last line is another one, and no chain tells of it.
    place.write(textOf(LINES.with(-1, LINES.at(-1)!.replace('prod', 'prof'))))
    const changed = await verify(place, by(0))
    assert.equal(changed.status, 1)
    assert.match(changed.stdout, /^not sound: 2 problems in .*\nnot as signed /m)
    const told = JSON.parse((await verify(place, [...by(0), '--output', 'json'])).stdout)
    assert.equal(told.statement.holds, false)
  })

  const contradictions: [args: readonly string[], message: RegExp][] = [
    [['a.jsonl', '--log-file', 'b.jsonl'], /--log-file and files are both given/],
    [['--root', '1:ab'], /--root is for --proof/],
    [['--public-key', 'key.pem'], /a key is given, and nothing signed/],
    [['--signature', 'x.json'], /--signature is given without whose signature counts/],
    [['--proof', 'x.json', '--partial'], /--proof is checked without a log/],
    [['--proof', 'x.json', 'a.jsonl'], /--proof is checked without a log/],
    [['--proof', 'x.json', '--signature', 'y.json'], /--proof is checked without a log/],
  ]
  for (const [args, message] of contradictions) {
    test(`refuses ${args.join(' ')}`, async () => {
      const { status, stderr } = await sentinel(['audit', 'verify', ...args])
      assert.equal(status, 2)
      assert.match(stderr, message)
      assert.match(stderr, /^hint: /m)
    })
  }

  test('refuses a proof that is none', async () => {
    using place = makeArchivePlace()
    const proof = place.write('{}', 'proof.json')
    const { status, stderr } = await sentinel([
      'audit',
      'verify',
      '--proof',
      proof,
      '--root',
      `1:${'a'.repeat(64)}`,
    ])
    assert.equal(status, 5)
    assert.match(stderr, /^error: /)
  })
})
