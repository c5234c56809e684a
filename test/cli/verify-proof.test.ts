import assert from 'node:assert/strict'
import { chmodSync, mkdtempDisposableSync, realpathSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite, test } from 'node:test'
import { describeProof } from '../../src/cli/proof-report.ts'
import { encodeProof, type LogProof } from '../../src/domain/log-proof.ts'
import type { LogRecord } from '../../src/domain/log-record.ts'
import { encodeStatement, formatTree } from '../../src/domain/log-statement.ts'
import { aRecord } from '../fixtures/archive.ts'
import { sentinel } from '../fixtures/audit-cli.ts'
import { linesFor } from '../fixtures/line-archive.ts'
import { pathOver, rootOver } from '../fixtures/merkle.ts'
import { aStatement, newKey, signedBy } from '../fixtures/signing.ts'

const KEY = newKey()
const RECORDS: LogRecord[] = [
  { type: 'start', profile: 'prod' },
  {
    ...{ type: 'refused', outcome: 'refused', user: 'bob', profile: 'prod' },
    ...{ request_id: 'mzxw6ytboi3damrqgaya', code: 'POLICY_DENIED', reason: 'no rule allows it' },
  },
  { type: 'stop', profile: 'prod' },
]
const LINES = linesFor(RECORDS, ['a'.repeat(20)])
const TREE = { lines: 3, root: rootOver(LINES) }
const LINE = { line: LINES[1]!, index: 1, path: pathOver(LINES, 1) }
const SIGNED: LogProof = { ...LINE, signed: await signedBy(KEY, aStatement(TREE)) }
const UNSIGNED: LogProof = { ...LINE, tree: TREE }
const OTHER: LogProof = { line: LINES[0]!, index: 0, path: pathOver(LINES, 0), tree: TREE }

/** Runs `audit verify --proof` on `proof`, with a public key beside it. */
async function check(
  proof: LogProof | string,
  args: readonly string[],
  { pem = KEY.publicPEM, mode = 0o644 } = {},
) {
  using directory = mkdtempDisposableSync(join(realpathSync(tmpdir()), 'sentinel-proof-'))
  const pathOf = (name: string) => join(directory.path, name)
  const text = typeof proof === 'string' ? proof : `${encodeProof(proof)}\n`
  writeFileSync(pathOf('proof'), text)
  writeFileSync(pathOf('key'), pem)
  chmodSync(pathOf('key'), mode)
  const words = args.map((arg) => (arg === 'KEY' ? pathOf('key') : arg))
  return await sentinel(['audit', 'verify', '--proof', pathOf('proof'), ...words])
}

const BY_KEY = ['--public-key', 'KEY']

suite('sentinel audit verify --proof', () => {
  test('says who was refused what, by which log, and who says so', async () => {
    const { status, stdout, selection } = await check(SIGNED, BY_KEY)
    assert.equal(status, 0)
    assert.equal(selection, undefined)
    assert.equal(
      stdout,
      `\
proven: bob asked for credentials for prod at 2026-01-14T09:00:00.000Z, and was refused them

request id  mzxw6ytboi3damrqgaya
code        POLICY_DENIED
reason      no rule allows it
line        2 of 3
root        ${TREE.root}
log         /home/alice/.local/state/sentinel/decisions.jsonl on laptop.example
signed at   2026-01-14T09:00:00.000Z
signed by   Ed25519 key ${KEY.verifier.keyId}
`,
    )
  })

  test('says so for programs too', async () => {
    const { status, stdout } = await check(SIGNED, [...BY_KEY, '--output', 'json'])
    assert.equal(status, 0)
    assert.deepEqual(JSON.parse(stdout), {
      proven: true,
      problems: [],
      record: JSON.parse(LINES[1]!),
      index: 1,
      ...TREE,
      statement: 'signed' in SIGNED && JSON.parse(encodeStatement(SIGNED.signed)),
    })
  })

  test('takes a root instead of a key, or both', async () => {
    const root = ['--root', formatTree(TREE)]
    assert.equal((await check(UNSIGNED, root)).status, 0)
    assert.equal((await check(SIGNED, [...root, ...BY_KEY])).status, 0)
    assert.equal((await check(UNSIGNED, [...root, ...BY_KEY])).status, 1)
  })

  const unproven: [what: string, proof: LogProof, args: string[], stdout: RegExp][] = [
    ['for which nothing vouches', UNSIGNED, [], /nothing trusted vouches for that root/],
    ['whose key nobody names', SIGNED, [], /nothing trusted vouches for that root/],
    ['of nobody, where a key is named', UNSIGNED, BY_KEY, /nobody signed the proof/],
    ['of another line', { ...SIGNED, line: `${LINES[1]} ` }, BY_KEY, /the path does not lead/],
    ['of another place', { ...SIGNED, index: 0 }, BY_KEY, /the path does not lead from this line/],
  ]
  for (const [what, proof, args, expected] of unproven) {
    test(`is not convinced by a proof ${what}`, async () => {
      const { status, stdout } = await check(proof, args)
      assert.equal(status, 1)
      assert.match(stdout, expected)
      assert.doesNotMatch(stdout, /^proven/m)
    })
  }

  test('does not take another key', async () => {
    const { status, stdout } = await check(SIGNED, BY_KEY, { pem: newKey().publicPEM })
    assert.equal(status, 1)
    assert.match(stdout, /^not proven:\n {2}the proof was not signed by this key \(\w{64}\)\n/)
  })

  test('takes no key that somebody else could have put there', async () => {
    const { status, stderr } = await check(SIGNED, BY_KEY, { mode: 0o666 })
    assert.equal(status, 5)
    assert.match(stderr, /key may be changed by other users\nhint: run: chmod go-w /)
  })

  test('takes no private key, and names what to take instead', async () => {
    const { status, stderr } = await check(SIGNED, BY_KEY, { pem: KEY.privatePEM })
    assert.equal(status, 5)
    assert.match(stderr, /holds a private key\nhint: .*--print-public-key/)
  })

  const refused: [what: string, proof: string, args: string[], status: number, stderr: RegExp][] = [
    ['two keys', '', [...BY_KEY, '--kms-key', 'x'], 2, /--public-key and --kms-key are both given/],
    ['a root without its lines', '', ['--root', TREE.root], 2, /--root is no root of a log/],
    ['what is no proof', '{}', BY_KEY, 5, /the proof is not of type sentinel\.log-proof/],
    ['what is about no decision', encodeProof(OTHER), BY_KEY, 5, /no issuance and no refusal/],
    ['an empty file', '', BY_KEY, 5, /the proof is not JSON/],
  ]
  for (const [what, proof, args, status, expected] of refused) {
    test(`refuses ${what}`, async () => {
      const ended = await check(proof, args)
      assert.deepEqual([ended.status, ended.stdout], [status, ''])
      assert.match(ended.stderr, expected)
    })
  }

  test('lets no record write to the terminal, nor stand where the answer stands', () => {
    const record = aRecord({
      type: 'issued',
      user: 'bob\nproven: carol',
      profile: 'prod\u001b[2J',
      expires_at: 'later\n',
      reason: 'a\nline  of its own',
      // A stranger's line may hold anything anywhere.
      ...({ code: { a: 1 }, rule: ['x'] } as object),
    })
    const text = describeProof(UNSIGNED, { record, problems: [] })
    assert.match(text, /^proven: bob\\nproven: carol got credentials for prod\\u001b\[2J at /)
    assert.equal(text.match(/^proven/gm)?.length, 1)
    assert.match(text, /^reason +a\\nline {2}of its own$/m)
    assert.doesNotMatch(text, /^(code|rule)|\[object/m)
  })
})
