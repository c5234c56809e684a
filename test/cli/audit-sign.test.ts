import assert from 'node:assert/strict'
import {
  chmodSync,
  mkdtempDisposableSync,
  readFileSync,
  realpathSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite, test } from 'node:test'
import { isSigned } from '../../src/app/check-statement.ts'
import { parseStatement } from '../../src/domain/log-statement.ts'
import { sentinel } from '../fixtures/audit-cli.ts'
import { LineArchive, linesFor } from '../fixtures/line-archive.ts'
import { digest, newKey } from '../fixtures/signing.ts'

const KEY = newKey()
const LINES = linesFor([{ type: 'start' }, { type: 'stop' }], ['a'.repeat(20)])
const archive = new LineArchive(LINES)

/** A directory with the key in it, and where what is written may go. */
function openPlace(text = KEY.privatePEM, mode = 0o600) {
  const directory = mkdtempDisposableSync(join(realpathSync(tmpdir()), 'sentinel-sign-'))
  const key = join(directory.path, 'key.pem')
  writeFileSync(key, text, { mode })
  chmodSync(key, mode)
  return {
    key,
    statement: join(directory.path, 'statement.json'),
    [Symbol.dispose]: () => directory.remove(),
  }
}

suite('sentinel audit sign', () => {
  test('prints a statement that the public key verifies, in one line', async () => {
    using place = openPlace()
    for (const form of [[], ['--output', 'json']]) {
      const { status, stdout, stderr } = await sentinel(
        ['audit', 'sign', '--key', place.key, ...form],
        { archive },
      )
      assert.equal(status, 0, stderr)
      assert.match(stdout, /^[^\n]+\n$/)
      const signed = parseStatement(stdout)
      assert.ok(isSigned({ verifier: KEY.verifier, digest }, signed))
      assert.equal(signed.statement.host, hostname())
      assert.equal(signed.statement.lines, 2)
    }
  })

  test('writes it to a new file for its owner alone, and to no other', async () => {
    using place = openPlace()
    const argv = ['audit', 'sign', '--key', place.key, '--out', place.statement]

    const first = await sentinel(argv, { archive })
    const text = readFileSync(place.statement, 'utf8')
    const second = await sentinel(argv, { archive })

    assert.equal(first.status, 0, first.stderr)
    const told = `signed 2 lines of ${archive.files[1]?.path} with key ${KEY.verifier.keyId}`
    assert.equal(first.stdout, `${told}: ${place.statement}\n`)
    assert.ok(isSigned({ verifier: KEY.verifier, digest }, parseStatement(text)))
    assert.equal(statSync(place.statement).mode & 0o777, 0o600)
    assert.equal(second.status, 4)
    assert.match(second.stderr, /^error: nothing was written: .*statement\.json is there already$/m)
    assert.equal(readFileSync(place.statement, 'utf8'), text)
  })

  test('says that nothing could be written where that cannot be', async () => {
    using place = openPlace()
    const out = join(place.statement, 'no', 'directory')
    const argv = ['audit', 'sign', '--key', place.key, '--out', out]
    const { status, stdout, stderr } = await sentinel(argv, { archive })
    assert.deepEqual([status, stdout], [4, ''])
    assert.match(stderr, /ENOENT/)
  })

  test('prints the public key, without reading a log', async () => {
    using place = openPlace()
    const { status, stdout, selection } = await sentinel(
      ['audit', 'sign', '--key', place.key, '--print-public-key'],
      { archive },
    )
    assert.deepEqual([status, stdout, selection], [0, KEY.publicPEM, undefined])
  })

  test('signs nothing for a log that is not sound: 1', async () => {
    using place = openPlace()
    const at = { path: 'decisions.jsonl', line: 7 }
    const problems = [{ fault: 'edited', at, detail: 'the line was changed' }] as const
    const { status, stdout, stderr } = await sentinel(['audit', 'sign', '--key', place.key], {
      archive: new LineArchive(LINES, { problems }),
    })
    assert.deepEqual([status, stdout], [1, ''])
    assert.match(
      stderr,
      /^refused: nothing was signed, as the log is not sound: 1 problem; decisions\.jsonl:7: the line was changed$/m,
    )
  })

  test('reads the log that is named', async () => {
    using place = openPlace()
    const { selection } = await sentinel(
      ['audit', 'sign', '--key', place.key, '--log-file', '/var/log/x'],
      { archive },
    )
    assert.deepEqual(selection, { 'log-file': '/var/log/x' })
  })

  for (const mode of [0o640, 0o604, 0o660, 0o644]) {
    test(`refuses a key that others may read or write: ${mode.toString(8)}`, async () => {
      using place = openPlace(KEY.privatePEM, mode)
      const { status, stdout, stderr } = await sentinel(['audit', 'sign', '--key', place.key], {
        archive,
      })
      assert.deepEqual([status, stdout], [5, ''])
      assert.match(stderr, /key\.pem may be (read|changed) by other users/)
      assert.match(stderr, /^hint: run: chmod (600|go-w) /m)
    })
  }

  const refused: [what: string, args: string[], status: number, stderr: RegExp][] = [
    ['no key', [], 2, /^error: no key is named\nhint: name one key: --key FILE, or --kms-key/],
    ['two keys', ['--key', 'x', '--kms-key', 'alias/x'], 2, /--key and --kms-key are both given/],
    ['a key that is not there', ['--key', '/nowhere/key.pem'], 5, /no key at .*\nhint: make one/],
    ['a directory', ['--key', '/'], 5, /not a regular file/],
  ]
  for (const [what, args, status, expected] of refused) {
    test(`refuses ${what}`, async () => {
      const ended = await sentinel(['audit', 'sign', ...args], { archive })
      assert.deepEqual([ended.status, ended.stdout], [status, ''])
      assert.match(ended.stderr, expected)
    })
  }

  test('never tells the key, whatever is wrong with it', async () => {
    const { privatePEM } = KEY
    for (const text of [
      privatePEM.slice(0, -30),
      privatePEM.replace('MC4C', '****'),
      `${privatePEM}${'x'.repeat(20_000)}`,
    ]) {
      using place = openPlace(text)
      const { status, stdout, stderr } = await sentinel(['audit', 'sign', '--key', place.key], {
        archive,
      })
      const secret = privatePEM.split('\n')[1]?.slice(20, 50) ?? assert.fail()
      assert.notEqual(status, 0)
      assert.ok(!`${stdout}${stderr}`.includes(secret))
    }
  })
})
