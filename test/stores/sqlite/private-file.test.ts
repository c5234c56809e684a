import assert from 'node:assert/strict'
import {
  chmodSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { suite, test } from 'node:test'
import { openSqliteSessionStore } from '../../../src/stores/sqlite/session-store.ts'
import { AS_US, aPlace } from '../sqlite-place.ts'
import { aLock, aSession, NOW, progress, WAITING } from '../store-under-test.ts'

function modeOf(path: string): string {
  return (lstatSync(path).mode & 0o777).toString(8)
}

suite('the file of a SQLite store', () => {
  test('is for its user alone, whatever the umask, and so is what SQLite adds', async (t) => {
    const { directory } = await aPlace(t)
    const home = join(directory, 'state', 'sentinel')
    const umask = process.umask(0)
    t.after(() => process.umask(umask))
    await using store = await openSqliteSessionStore(join(home, 'sentinel.db'), AS_US)
    await store.create(aSession(), WAITING)

    assert.deepEqual([modeOf(home), modeOf(join(home, '..'))], ['700', '700'])
    const files = readdirSync(home).toSorted()
    assert.deepEqual(files, ['sentinel.db', 'sentinel.db-shm', 'sentinel.db-wal'])
    for (const file of files) assert.equal(modeOf(join(home, file)), '600', file)
  })

  const refusals: Record<string, (path: string, directory: string) => void> = {
    'a link to a file': (path, directory) => {
      writeFileSync(join(directory, 'target'), '', { mode: 0o600 })
      symlinkSync('target', path)
    },
    'a link to nothing': (path) => symlinkSync('nowhere', path),
    'a file with a second name': (path) => {
      writeFileSync(path, '', { mode: 0o600 })
      linkSync(path, `${path}.too`)
    },
    'a file that a group may read': (path) => {
      writeFileSync(path, '')
      chmodSync(path, 0o640)
    },
    'a file that everybody may write': (path) => {
      writeFileSync(path, '')
      chmodSync(path, 0o602)
    },
    'a directory in its place': (path) => mkdirSync(path, { mode: 0o700 }),
    'a directory that others may list': (_, directory) => chmodSync(directory, 0o750),
    'a directory that is a link': (_, directory) => {
      renameSync(directory, `${directory}-moved`)
      symlinkSync(`${directory}-moved`, directory)
    },
  }
  for (const [what, spoil] of Object.entries(refusals)) {
    test(`is not ${what}: it is refused, not repaired`, async (t) => {
      const { directory } = await aPlace(t)
      const inner = join(directory, 'state')
      const path = join(inner, 'sentinel.db')
      mkdirSync(inner, { mode: 0o700 })
      spoil(path, inner)
      const modes = [modeOf(inner), ...readdirSync(inner).map((name) => modeOf(join(inner, name)))]

      await assert.rejects(openSqliteSessionStore(path, AS_US), { code: 'FILE_UNTRUSTED' })

      const after = [modeOf(inner), ...readdirSync(inner).map((name) => modeOf(join(inner, name)))]
      assert.deepEqual(after, modes)
    })
  }

  test('is not the file of another user', { skip: AS_US.uid === undefined }, async (t) => {
    const { path } = await aPlace(t)
    await using _ = await openSqliteSessionStore(path, AS_US)

    const asAnother = openSqliteSessionStore(path, { uid: AS_US.uid! + 1 })

    await assert.rejects(asAnother, { code: 'FILE_UNTRUSTED', message: /another user/ })
  })

  test('is what stands at the path: one that was deleted is asked no longer', async (t) => {
    const { directory, path } = await aPlace(t)
    await using store = await openSqliteSessionStore(path, AS_US)
    const { id, user, profile } = aSession()
    await store.create({ ...aSession(), id, user, profile }, WAITING)
    for (const file of readdirSync(directory)) rmSync(join(directory, file))

    await using peer = await openSqliteSessionStore(path, AS_US)
    await peer.lock(aLock({ kind: 'user', name: user }), WAITING)

    const { session, locks } = await store.look({ id, user, profile }, WAITING)
    assert.deepEqual([session, locks.length], [undefined, 1])
    assert.equal(await store.touch(id, progress(1), NOW, WAITING), 'missing')
  })
})
