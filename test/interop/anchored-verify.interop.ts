import assert from 'node:assert/strict'
import { copyFileSync, existsSync, rmSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { after, before, suite, test } from 'node:test'
import {
  type DynamoDBLocal,
  missingDynamoDBLocal,
  openDynamoDBLocal,
} from '../fixtures/dynamodb-local.ts'
import { type AnchorScene, openAnchorScene } from '../fixtures/interop/anchor-scene.ts'
import { eventually } from '../fixtures/interop/gateway.ts'

const isLocalMissing = await missingDynamoDBLocal()
const AS_BOB = ['--aws-profile', 'bob']

/** A scene in which three commands have written the log, a stream each. */
async function openWritten(local: DynamoDBLocal): Promise<AnchorScene> {
  const scene = await openAnchorScene(local)
  for (const command of [
    ['export', 'dev'],
    ['export', 'prod'],
    ['export', 'dev'],
  ]) {
    await scene.sentinel(...command)
  }
  assert.equal(await scene.count(), 3)
  return scene
}

const verify = (scene: AnchorScene, ...files: string[]) =>
  scene.sentinel('audit', 'verify', ...AS_BOB, ...files)

suite('audit verify, of a log that is anchored', { skip: isLocalMissing, concurrency: 4 }, () => {
  let local: DynamoDBLocal
  before(async () => {
    local = await openDynamoDBLocal()
  })
  after(() => local?.[Symbol.asyncDispose]())

  test('says yes to a log as it was written, whole or as files', async () => {
    await using scene = await openWritten(local)
    const live = await verify(scene)
    assert.equal(live.status, 0, live.stdout + live.stderr)
    const copy = join(scene.sessions.scene.home, 'copy.jsonl')
    copyFileSync(scene.path, copy)
    const files = await verify(scene, copy)
    assert.equal(files.status, 0, files.stdout + files.stderr)
  })

  const cuts: Record<string, (scene: AnchorScene) => void> = {
    'its last line': (scene) => {
      const last = scene.lines().length - 1
      scene.keep((_, index) => index < last)
    },
    'its last stream': (scene) => {
      const stream = scene.lines().at(-1)?.record.stream
      scene.keep(({ record }) => record.stream !== stream)
    },
    'all that it has': (scene) => scene.keep(() => false),
  }
  for (const [what, cut] of Object.entries(cuts)) {
    test(`says no to a log from which somebody cut ${what}`, async () => {
      await using scene = await openWritten(local)
      cut(scene)
      const { status, stdout, stderr } = await verify(scene)
      assert.equal(status, 1, stdout + stderr)
      assert.match(stdout, RegExp(`the anchor of ${RegExp.escape(hostname())} of 20`))
    })
  }

  test('comes to 6 where the anchors cannot be read, and to 1 where the log is not sound', async () => {
    await using scene = await openWritten(local)
    const { proxy } = scene.sessions
    proxy.fail('reset')
    const unknown = await verify(scene)
    assert.equal(unknown.status, 6, unknown.stdout + unknown.stderr)
    assert.match(unknown.stdout + unknown.stderr, /anchors in dynamodb:/)

    scene.keep((_, index) => index !== 1)
    const unsound = await verify(scene)
    assert.equal(unsound.status, 1, unsound.stdout + unsound.stderr)
  })

  test('holds a log against the records of its sessions, in a table or in a file', async () => {
    for (const store of ['table', 'file'] as const) {
      await using scene = await openAnchorScene(local)
      const { sessions } = scene
      const flags = {
        table: ['--session-table', sessions.table],
        file: ['--session-store', 'local'],
      }
      const plain = (...args: string[]) => sessions.sentinel(...args, ...AS_BOB)
      const gateway = await sessions.serve(flags[store])
      await gateway.ask()
      await eventually('the record', async () =>
        scene.lines().some(({ record }) => record.type === 'session.created'),
      )
      await gateway.end()

      const sound = await plain('audit', 'verify')
      assert.equal(sound.status, 0, sound.stdout + sound.stderr)
      const ended = scene.lines().findIndex(({ record }) => record.type === 'session.ended')
      scene.keep((_, index) => index < ended)
      const cut = await plain('audit', 'verify')
      assert.equal(cut.status, 1, cut.stdout + cut.stderr)
      assert.match(cut.stdout, RegExp(`session ${gateway.id}`))
    }
  })

  test('makes no store where there is none any more, and says how many sessions are gone', async () => {
    await using scene = await openAnchorScene(local)
    const { sessions } = scene
    const gateway = await sessions.serve(['--session-store', 'local'])
    await gateway.ask()
    await gateway.end()
    const file = join(sessions.scene.home, '.local/state/sentinel/sentinel.db')
    for (const suffix of ['', '-wal', '-shm']) rmSync(file + suffix, { force: true })

    const { status, stdout, stderr } = await sessions.sentinel('audit', 'verify')

    assert.equal(status, 0, stdout + stderr)
    assert.match(stdout + stderr, /\b1 session\b/)
    assert.equal(existsSync(file), false)
  })
})
