import assert from 'node:assert/strict'
import { mkdtempDisposableSync, realpathSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite, test } from 'node:test'
import { parseProof, treeOf } from '../../src/domain/log-proof.ts'
import type { LogRecord } from '../../src/domain/log-record.ts'
import { encodeStatement, formatTree } from '../../src/domain/log-statement.ts'
import type { ChainProblem } from '../../src/ports/log-archive.ts'
import { sentinel } from '../fixtures/audit-cli.ts'
import { LineArchive, linesFor } from '../fixtures/line-archive.ts'
import { rootOver } from '../fixtures/merkle.ts'
import { aStatement, newKey, signedBy } from '../fixtures/signing.ts'

const KEY = newKey()
const ID = 'mzxw6ytboi3damrqgaya'
const RECORDS: LogRecord[] = [
  { type: 'start', profile: 'prod' },
  { type: 'issued', profile: 'prod', user: 'alice', request_id: ID },
  { type: 'stop', profile: 'prod' },
]
const LINES = linesFor(RECORDS, ['a'.repeat(20)])
const archive = new LineArchive(LINES)

/** A directory with the key in it, and files by their names. */
function openPlace(files: Readonly<Record<string, string>> = {}) {
  const directory = mkdtempDisposableSync(join(realpathSync(tmpdir()), 'sentinel-prove-'))
  const pathOf = (name: string) => join(directory.path, name)
  for (const [name, text] of Object.entries({ 'key.pem': KEY.privatePEM, ...files })) {
    writeFileSync(pathOf(name), text, { mode: 0o600 })
  }
  return { pathOf, [Symbol.dispose]: () => directory.remove() }
}

suite('sentinel audit prove', () => {
  test('prints a proof in one line, signed with a key', async () => {
    using place = openPlace()
    const { status, stdout, stderr } = await sentinel(
      ['audit', 'prove', 'mzxw', '--key', place.pathOf('key.pem')],
      { archive },
    )
    assert.deepEqual([status, stderr], [0, ''])
    assert.match(stdout, /^[^\n]+\n$/)
    const proof = parseProof(stdout)
    assert.equal(proof.line, LINES[1])
    assert.ok('signed' in proof)
    assert.equal(proof.signed.signature.keyId, KEY.verifier.keyId)
  })

  test('proves by an earlier statement', async () => {
    const tree = { lines: 2, root: rootOver(LINES.slice(0, 2)) }
    const signed = await signedBy(KEY, aStatement(tree))
    using place = openPlace({ 'statement.json': `${encodeStatement(signed)}\n` })
    const { status, stdout } = await sentinel(
      ['audit', 'prove', ID, '--signature', place.pathOf('statement.json')],
      { archive },
    )
    assert.equal(status, 0)
    assert.deepEqual(treeOf(parseProof(stdout)), signed.statement)
  })

  test('proves nothing by a statement that the log does not hold: 1', async () => {
    const signed = await signedBy(KEY, aStatement({ lines: 2 }))
    using place = openPlace({ 'statement.json': encodeStatement(signed) })
    const { status, stdout, stderr } = await sentinel(
      ['audit', 'prove', ID, '--signature', place.pathOf('statement.json')],
      { archive },
    )
    assert.deepEqual([status, stdout], [1, ''])
    assert.match(
      stderr,
      /^refused: the first 2 lines of the log are not those that were signed at 2026-01-14T09:00:00\.000Z$/m,
    )
  })

  test('warns of a proof that nobody signed, and names the root to hand on', async () => {
    const { status, stdout, stderr } = await sentinel(['audit', 'prove', ID], { archive })
    assert.equal(status, 0)
    const proof = parseProof(stdout)
    assert.ok('tree' in proof)
    assert.match(stderr, /^warning: nobody signed the proof: it proves nothing/m)
    assert.ok(stderr.includes(`the root is ${formatTree(proof.tree)}`))
  })

  test('takes the SourceIdentity that CloudTrail has for the request', async () => {
    const prove = async (named: string) => {
      const { stdout } = await sentinel(['audit', 'prove', named], { archive })
      return stdout
    }
    assert.equal(await prove(`sentinel=alice=policy=${ID}`), await prove(ID))
  })

  test('signs no proof out of a log that is not sound: 1', async () => {
    using place = openPlace()
    const problem: ChainProblem = { fault: 'missing', detail: 'lines 2 to 4 are gone' }
    const { status, stdout, stderr } = await sentinel(
      ['audit', 'prove', ID, '--key', place.pathOf('key.pem')],
      { archive: new LineArchive(LINES, { problems: [problem, problem] }) },
    )
    assert.deepEqual([status, stdout], [1, ''])
    assert.match(stderr, /not sound: 2 problems; lines 2 to 4 are gone$/m)
  })

  const refused: [what: string, args: string[], status: number, stderr: RegExp][] = [
    ['no id', [], 2, /<request-id> is missing/],
    ['an id of nothing', ['z'.repeat(20)], 4, /no issuance or refusal of request z{20}\nhint: /],
    ['a key and a statement', [ID, '--key', 'x', '--signature', 'y'], 2, /are both given/],
    ['two keys', [ID, '--key', 'x', '--kms-key', 'y'], 2, /are both given/],
    ['a statement that is not there', [ID, '--signature', '/nowhere'], 5, /no file \/nowhere/],
    ['a statement that is none', [ID, '--signature', '/dev/null'], 5, /is not JSON/],
    ['endless statements', [ID, '--signature', '/dev/zero'], 5, /larger than/],
  ]
  for (const [what, args, status, expected] of refused) {
    test(`refuses ${what}`, async () => {
      const ended = await sentinel(['audit', 'prove', ...args], { archive })
      assert.deepEqual([ended.status, ended.stdout], [status, ''])
      assert.match(ended.stderr, expected)
    })
  }
})
