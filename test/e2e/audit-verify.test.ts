import assert from 'node:assert/strict'
import { chmodSync, readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs'
import { suite, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { gzipSync } from 'node:zlib'
import { openScene, type Scene } from '../fixtures/scene.ts'

const PATH = '.local/state/sentinel/decisions.jsonl'

/** A scene in which three commands have written the log, a stream each. */
async function openWritten() {
  const scene = await openScene()
  for (const args of [
    ['export', 'dev'],
    ['export', 'prod'],
    ['exec', 'dev', '--', 'true'],
  ]) {
    await scene.sentinel(args)
  }
  const file = `${scene.home}/${PATH}`
  const lines = readFileSync(file, 'latin1').trimEnd().split('\n')
  assert.ok(lines.length >= 9)
  return {
    scene,
    file,
    lines,
    write: (kept: readonly string[]) =>
      writeFileSync(file, kept.map((line) => `${line}\n`).join('')),
    [Symbol.asyncDispose]: () => scene[Symbol.asyncDispose](),
  }
}

const verify = (scene: Scene, ...args: string[]) => scene.sentinel(['audit', 'verify', ...args])

async function verifyJSON(scene: Scene) {
  const { status, stdout, stderr } = await verify(scene, '--output', 'json')
  return { status, stderr, found: JSON.parse(stdout) }
}

suite('audit verify', { concurrency: 2 }, () => {
  test('says yes to the log of a few runs, and to a compressed copy of it', async () => {
    await using written = await openWritten()
    const { scene, file, lines } = written
    const { status, stdout, stderr } = await verify(scene)
    assert.equal(status, 0, stderr)
    assert.match(stdout, RegExp(`^sound: ${lines.length} lines of 3 streams in 1 file, `))
    assert.doesNotMatch(stdout, /without stop/)

    const copy = `${scene.home}/copy`
    writeFileSync(copy, gzipSync(readFileSync(file)))
    assert.equal((await verify(scene, copy)).status, 0)
    assert.equal((await verify(scene, '--log-file', copy)).status, 0)
    assert.deepEqual(scene.log().length, lines.length)
  })

  test('names the line that was edited, or is gone, moved or torn, in text and in JSON', async () => {
    await using written = await openWritten()
    const { scene, file, lines } = written
    const edits = {
      edited: lines.with(1, lines[1]!.replace('"dev"', '"prod"')),
      missing: lines.toSpliced(1, 1),
      reordered: lines.with(1, lines[2]!).with(2, lines[1]!),
      torn: lines.with(1, lines[1]!.slice(0, 99)),
      foreign: lines.toSpliced(1, 0, lines[1]!.replace(/"prev":"./, '"prev":"!')),
    }
    for (const [fault, edited] of Object.entries(edits)) {
      assert.notDeepEqual(edited, lines)
      written.write(edited)
      const text = await verify(scene)
      assert.equal(text.status, 1, text.stdout)
      const [first = ''] = text.stdout.split('\n')
      assert.ok(first.startsWith(`${file}:2: ${fault}: `), text.stdout)
      assert.match(text.stdout, /^not sound: 1 problem in /m)
      const { status, found } = await verifyJSON(scene)
      assert.equal(status, 1)
      assert.equal(found.outcome, 'unsound')
      const [problem] = found.problems
      assert.deepEqual([problem.fault, problem.file, problem.line], [fault, file, 2])
    }
  })

  test('tells of a run that was cut short, and of a stream that is gone', async () => {
    await using written = await openWritten()
    const { scene, lines } = written
    written.write(lines.slice(0, -1))
    const cut = await verify(scene)
    assert.equal(cut.status, 0)
    assert.match(cut.stdout, /^1 stream ends without stop \(.*: only anchors tell\):\n {2}\w{20} /m)

    const { stream } = JSON.parse(lines[0]!)
    const isOfFirst = (line: string) => line.startsWith(`{"v":1,"stream":"${stream}"`)
    written.write(lines.filter((line) => !isOfFirst(line)))
    const gone = await verify(scene)
    assert.equal(gone.status, 1)
    assert.match(
      gone.stdout,
      RegExp(`^stream ${stream}: missing: the stream is gone: .* names its`),
    )
  })

  test('reads the files that were moved aside, wherever they are, and a part of them alone', async () => {
    await using written = await openWritten()
    const { scene, file, lines } = written
    const old = `${file}.20260114T090000123Z.gz`
    writeFileSync(old, gzipSync(`${lines.slice(0, 4).join('\n')}\n`))
    written.write(lines.slice(4))
    const whole = await verifyJSON(scene)
    assert.equal(whole.status, 0, whole.stderr)
    assert.deepEqual(
      whole.found.files.map(({ path }: { path: string }) => path),
      [old, file],
    )

    assert.equal((await verify(scene, file)).status, 1)
    assert.equal((await verify(scene, '--partial', file)).status, 0)
    assert.equal((await verify(scene, file, old)).status, 0)
  })

  test('ends as errors do where there is no log, or none that it may read', async () => {
    await using scene = await openScene()
    const none = await verify(scene)
    assert.equal(none.status, 4)
    assert.match(none.stderr, /^error: there is no decision log at .*\nhint: /m)
    const text = scene.write('text', 'no log at all\n')
    const other = await verify(scene, text)
    assert.equal(other.status, 6)
    assert.match(other.stderr, /^error: .*text cannot be read: it is no decision log\nhint: /m)
    assert.equal((await verify(scene, scene.home)).status, 6)
    if (process.getuid?.() === 0) return
    chmodSync(text, 0)
    assert.equal((await verify(scene, text)).status, 6)
  })

  test('is ended by Ctrl-C with 130', { skip: process.platform !== 'linux' }, async () => {
    await using scene = await openScene()
    // Gigabytes of blank lines, in a few kilobytes.
    const blank = gzipSync('\n'.repeat(16 * 2 ** 20))
    writeFileSync(`${scene.home}/slow`, Buffer.concat(Array.from({ length: 200 }, () => blank)))
    const running = scene.start(['audit', 'verify', `${scene.home}/slow`])
    const { pid } = running.process
    const opened = () => {
      const fds = `/proc/${pid}/fd`
      return readdirSync(fds).some((fd) => targetOf(`${fds}/${fd}`).endsWith('/slow'))
    }
    while (!opened()) await sleep(10)
    await sleep(200)
    running.process.kill('SIGINT')
    const { status, stderr } = await running.ended
    assert.equal(status, 130)
    assert.match(stderr, /error: reading the decision log was interrupted/)
  })
})

function targetOf(link: string): string {
  try {
    return readlinkSync(link)
  } catch {
    // It was closed meanwhile.
    return ''
  }
}
