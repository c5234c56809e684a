import assert from 'node:assert/strict'
import { appendFileSync, mkdtempDisposableSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { checkProof } from '../../src/app/check-proof.ts'
import { isSigned } from '../../src/app/check-statement.ts'
import { proveRequest, type Voucher } from '../../src/app/prove-request.ts'
import { signLog } from '../../src/app/sign-log.ts'
import { openLogArchive } from '../../src/audit/archive.ts'
import { rootOf } from '../../src/audit/inclusion.ts'
import { createVerifier } from '../../src/audit/signing.ts'
import { encodeProof, type LogProof, parseProof, treeOf } from '../../src/domain/log-proof.ts'
import type { LogRecord } from '../../src/domain/log-record.ts'
import { encodeStatement, HEADS_MAX } from '../../src/domain/log-statement.ts'
import { hasCode } from '../../src/errors.ts'
import type { ChainProblem } from '../../src/ports/log-archive.ts'
import type { LogSigner } from '../../src/ports/log-signer.ts'
import { FakeClock } from '../fixtures/app/clock.ts'
import { LineArchive, linesFor } from '../fixtures/line-archive.ts'
import { digest, newKey } from '../fixtures/signing.ts'

const KEY = newKey()
const OPTIONS = { signal: new AbortController().signal }
const STREAMS = ['a'.repeat(20), 'b'.repeat(20), 'c'.repeat(20)]

const idOf = (place: number) => `req${String.fromCharCode(97 + place)}`.padEnd(20, '7')
const issued = (place: number): LogRecord => ({
  type: place % 3 === 2 ? 'refused' : 'issued',
  outcome: place % 3 === 2 ? 'refused' : 'issued',
  user: 'alice',
  profile: 'prod',
  request_id: idOf(place),
})
const LINES = linesFor(
  Array.from({ length: 21 }, (_, place) => issued(place)),
  STREAMS,
)
const LOG = new LineArchive(LINES)

const signing = (signer: LogSigner = KEY.signer) => ({
  signer,
  digest,
  clock: new FakeClock(),
  host: 'laptop',
  verifierOf: async (key: { pem: string; name: string }) => createVerifier(key),
})
const byKey = (): Voucher => ({ kind: 'key', signing: signing() })
const sign = async (archive = LOG) => {
  const { signed } = await signLog({ ...signing(), archive }, OPTIONS)
  return signed ?? assert.fail('the log was not signed')
}
const prove = async (text: string, voucher: Voucher, archive = LOG): Promise<LogProof> => {
  const proven = await proveRequest(archive, { text, voucher }, OPTIONS)
  return proven.outcome === 'proof' ? proven.proof : assert.fail(proven.outcome)
}
const CHECKS = { digest, rootOf: async (path: Parameters<typeof rootOf>[0]) => rootOf(path) }
const UNSOUND: ChainProblem = { fault: 'edited', detail: 'line 3 was changed' }

suite('signLog', () => {
  test('signs how many lines there are, their root, and the heads that grew last', async () => {
    const signed = await sign()
    const { heads, ...statement } = signed.statement
    const { root } = await LOG.verify({ ...OPTIONS, extent: 'whole' })
    assert.deepEqual(statement, {
      time: '2026-01-14T12:00:00.000Z',
      host: 'laptop',
      log: '/var/log/sentinel/decisions.jsonl',
      lines: 21,
      root,
    })
    assert.deepEqual(
      heads.map(({ stream, seq, hash }) => [stream, seq, hash]),
      STREAMS.map((stream, place) => [stream, 7, digest(LINES[18 + place]!)]),
    )
    assert.ok(isSigned({ verifier: KEY.verifier, digest }, signed))
  })

  test('names 32 of more streams: those whose last lines are last', async () => {
    const streams = Array.from({ length: 40 }, (_, n) =>
      `s${'abcdefghij'[n % 10]}${'klmn'[(n / 10) | 0]}`.padEnd(20, 'z'),
    )
    const lines = linesFor(
      streams.map(() => issued(0)),
      streams,
    )
    const { statement } = await sign(new LineArchive(lines))
    assert.equal(statement.heads.length, HEADS_MAX)
    assert.deepEqual(
      statement.heads.map(({ stream }) => stream).toSorted(),
      streams.slice(-HEADS_MAX).toSorted(),
    )
  })

  test('signs nothing for a log that is not sound', async () => {
    const archive = new LineArchive(LINES, { problems: [UNSOUND] })
    const { signed, report } = await signLog({ ...signing(), archive }, OPTIONS)
    assert.equal(signed, undefined)
    assert.deepEqual(report.problems, [UNSOUND])
  })

  test('signs nothing for a log without a line', async () => {
    const signing = sign(new LineArchive([]))
    await assert.rejects(signing, { code: 'RECORD_NOT_FOUND' })
  })

  test('gives no statement whose signature its own public key does not know', async () => {
    const other = newKey()
    const mixed = { ...other.signer, publicKey: KEY.signer.publicKey }
    const signed = signLog({ ...signing(mixed), archive: LOG }, OPTIONS)
    await assert.rejects(signed, { code: 'SIGNING_FAILED' })
  })

  test('does not read the log for a key that cannot sign', async () => {
    const archive = { files: LOG.files, verify: () => assert.fail('the log was read') }
    const bad = { ...KEY.signer, publicKey: async () => 'no key' }
    await assert.rejects(signLog({ ...signing(bad), archive }, OPTIONS), { code: 'KEY_INVALID' })
  })
})

suite('proveRequest', () => {
  for (const place of [0, 1, 15, 16, 20]) {
    test(`proves line ${place} of 21, by a key`, async () => {
      const proof = await prove(idOf(place), byKey())
      assert.equal(proof.line, LINES[place])
      const read = parseProof(encodeProof(proof))
      assert.deepEqual(read, proof)
      const { problems, record } = await checkProof(CHECKS, read, { verifier: KEY.verifier })
      assert.deepEqual(problems, [])
      assert.equal(record.request_id, idOf(place))
    })
  }

  test('proves by an earlier statement, when the log has grown since', async () => {
    const signed = await sign(new LineArchive(LINES.slice(0, 11)))
    const proof = await prove(idOf(4), { kind: 'statement', signed })
    assert.equal(treeOf(proof).lines, 11)
    assert.deepEqual((await checkProof(CHECKS, proof, { verifier: KEY.verifier })).problems, [])
  })

  test('finds a request by the beginning of its id', async () => {
    assert.equal((await prove('reqd', byKey())).line, LINES[3])
  })

  test('proves nothing with a statement that does not reach to the record', async () => {
    const signed = await sign(new LineArchive(LINES.slice(0, 11)))
    await assert.rejects(prove(idOf(11), { kind: 'statement', signed }), {
      code: 'RECORD_NOT_FOUND',
      message: /not among the 11 lines that were signed/,
    })
  })

  test('tells that the log holds no longer what was signed', async () => {
    const signed = await sign(new LineArchive(LINES))
    const rewritten = new LineArchive(LINES.with(7, LINES[7]!.replace('alice', 'carol')))
    const voucher = { kind: 'statement', signed } as const
    const proven = await proveRequest(rewritten, { text: idOf(4), voucher }, OPTIONS)
    assert.deepEqual(proven, { outcome: 'changed', signed })
  })

  test('signs no proof out of a log that is not sound', async () => {
    const archive = new LineArchive(LINES, { problems: [UNSOUND] })
    const proven = await proveRequest(archive, { text: idOf(4), voucher: byKey() }, OPTIONS)
    assert.equal(proven.outcome, 'unsound')
  })

  test('leaves a proof unsigned for which nobody vouches', async () => {
    const proof = await prove(idOf(4), { kind: 'nobody' })
    const { lines, root } = await LOG.verify({ ...OPTIONS, extent: 'whole' })
    assert.deepEqual(treeOf(proof), { lines, root })
    assert.ok(!('signed' in proof))
    assert.deepEqual(parseProof(encodeProof(proof)), proof)
  })

  test('proves no record that was taken back, but the one that was written anew', async () => {
    const lines = linesFor([issued(0), issued(1), issued(1)], STREAMS)
    const once = new LineArchive(lines.slice(0, 2), { annulled: [1] })
    await assert.rejects(prove(idOf(1), byKey(), once), {
      code: 'RECORD_NOT_FOUND',
      message: /was taken back/,
    })
    for (const annulled of [1, 2]) {
      const again = new LineArchive(lines, { annulled: [annulled] })
      assert.equal((await prove(idOf(1), byKey(), again)).index, 3 - annulled)
    }
  })

  const refused: [what: string, text: string, code: string, message: RegExp][] = [
    ['an id that nobody has', 'z'.repeat(20), 'RECORD_NOT_FOUND', /of request z{20}/],
    ['a beginning that nobody has', 'zzzz', 'RECORD_NOT_FOUND', /that begins with zzzz/],
    ['a beginning that is too short', 'req', 'USAGE', /not the id of a request: "req"/],
    ['what is no id', 'REQA"}', 'USAGE', /not the id/],
  ]
  for (const [what, text, code, message] of refused) {
    test(`refuses ${what}`, async () => {
      await assert.rejects(prove(text, byKey()), { code, message })
    })
  }

  test('refuses a beginning that several have, and names them', async () => {
    const ids = ['abcd2', 'abcd3'].map((id) => id.padEnd(20, '7'))
    const records = ids.map((request_id) => ({ ...issued(0), request_id }))
    const archive = new LineArchive(linesFor(records, STREAMS))
    await assert.rejects(prove('abcd', byKey(), archive), {
      code: 'RECORD_AMBIGUOUS',
      message: `several requests begin with abcd: ${ids.join(', ')}`,
    })
  })

  test('passes over records that only speak of the request', async () => {
    const records: LogRecord[] = [
      { type: 'served', request_id: idOf(0), count: 3 },
      { type: 'refused', of: idOf(0), repeats: 2 },
    ]
    const archive = new LineArchive(linesFor(records, STREAMS))
    await assert.rejects(prove(idOf(0), byKey(), archive), { code: 'RECORD_NOT_FOUND' })
  })
})

suite('a log in several files', () => {
  test('is signed and proven as one, compressed or not, and while it grows', async () => {
    using directory = mkdtempDisposableSync(join(tmpdir(), 'sentinel-prove-'))
    const live = join(directory.path, 'decisions.jsonl')
    const text = (from: number, to: number) => `${LINES.slice(from, to).join('\n')}\n`
    writeFileSync(`${live}.20260112T090000000Z.gz`, gzipSync(text(0, 5)))
    writeFileSync(`${live}.20260113T090000000Z`, `\n${text(5, 14)}\n`)
    writeFileSync(live, text(14, 21))

    const archive = await openLogArchive({ live })
    const { signed } = await signLog({ ...signing(), archive }, OPTIONS)
    assert.deepEqual(
      { ...signed?.statement, log: undefined },
      { ...(await sign()).statement, log: undefined },
    )
    assert.equal(signed?.statement.log, live)
    // A writer is in the middle of a line.
    appendFileSync(live, LINES[20]!.slice(0, 100))
    for (const place of LINES.keys()) {
      const found = await proveRequest(archive, { text: idOf(place), voucher: byKey() }, OPTIONS)
      const { proof } = found.outcome === 'proof' ? found : assert.fail(found.outcome)
      assert.deepEqual(lineOf(proof), lineOf(await prove(idOf(place), byKey())), `${place}`)
    }
  })
})

function lineOf(proof: LogProof) {
  const { line, index, path } = proof
  return { line, index, path, ...treeOf(proof), log: undefined }
}

suite('a proof', () => {
  const verifier = KEY.verifier

  test('is found out when any of its bytes is another', async () => {
    const text = encodeProof(await prove(idOf(5), byKey()))
    assert.ok(await isTaken(text, { verifier }))
    for (let place = 0; place < text.length; place += 1) {
      for (const byte of ['0', '1', 'a', 'f', '"']) {
        if (text[place] === byte) continue
        const changed = text.slice(0, place) + byte + text.slice(place + 1)
        const around = `${place}: ${changed.slice(place - 20, place + 20)}`
        assert.ok(!(await isTaken(changed, { verifier })), around)
      }
      const without = text.slice(0, place) + text.slice(place + 1)
      assert.ok(!(await isTaken(without, { verifier })), `without ${place}`)
    }
  })

  test('without a signature is found out likewise, by a root that is trusted', async () => {
    const proof = await prove(idOf(5), { kind: 'nobody' })
    const trusted = { tree: treeOf(proof) }
    const text = encodeProof(proof)
    assert.ok(await isTaken(text, trusted))
    for (let place = 0; place < text.length; place += 1) {
      for (const byte of ['0', '1', 'a', 'f', '"']) {
        if (text[place] === byte) continue
        const changed = text.slice(0, place) + byte + text.slice(place + 1)
        const around = `${place}: ${changed.slice(place - 20, place + 20)}`
        assert.ok(!(await isTaken(changed, trusted)), around)
      }
    }
  })

  test('proves nothing to who trusts nothing, and says so', async () => {
    const proof = await prove(idOf(5), byKey())
    const { problems } = await checkProof(CHECKS, proof, {})
    assert.match(problems.join(), /root 21:\w{64}, and nothing trusted vouches for that root/)
  })

  test('of nobody proves nothing to who trusts a key', async () => {
    const proof = await prove(idOf(5), { kind: 'nobody' })
    const { problems } = await checkProof(CHECKS, proof, { verifier })
    assert.deepEqual(problems, ['nobody signed the proof'])
  })

  test('by another key is not taken', async () => {
    const proof = await prove(idOf(5), { kind: 'key', signing: signing(newKey().signer) })
    const { problems } = await checkProof(CHECKS, proof, { verifier })
    assert.match(problems.join(), /^the proof was not signed by this key \(\w{64}\)$/)
  })

  test('is not taken for another root than the one that is trusted', async () => {
    const proof = await prove(idOf(5), byKey())
    const { problems } = await checkProof(CHECKS, proof, {
      verifier,
      tree: { ...treeOf(proof), lines: 20 },
    })
    assert.match(problems.join(), /^the proof is about another log, or another time of it/)
  })

  test('takes no statement of one log for a line of another', async () => {
    const proof = await prove(idOf(5), byKey())
    const signed = await sign(new LineArchive(LINES.slice(0, 11)))
    const { problems } = await checkProof(CHECKS, { ...proof, signed }, { verifier })
    assert.deepEqual(problems, ['the path does not lead from this line to the root'])
  })

  test('is about a decision, and about nothing else', async () => {
    const { line: _, ...rest } = await prove(idOf(5), byKey())
    for (const line of [
      'no JSON',
      '[]',
      '{"type":"issued"}',
      LINES[5]!.replace('refused', 'stop'),
    ]) {
      const { index, path } = rest
      const proof = { line, index, path, tree: treeOf(rest as LogProof) }
      await assert.rejects(checkProof(CHECKS, proof, { verifier }), { code: 'STATEMENT_INVALID' })
    }
  })

  test('is refused in any other form', async () => {
    const signed = encodeProof(await prove(idOf(5), byKey()))
    const unsigned = encodeProof(await prove(idOf(5), { kind: 'nobody' }))
    const statement = encodeStatement(await sign())
    for (const text of [
      '',
      '[]',
      statement,
      signed.replace('"v":1', '"v":2'),
      signed.replace(/"index":\d+/, '"index":-1'),
      signed.replace(/"path":\[/, '"path":["",'),
      signed.replace(/"path":\[.*?\]/, `"path":${JSON.stringify(Array(65).fill(digest('')))}`),
      signed.replace(/"statement":.*/, '"statement":null}'),
      signed.replace(/}$/, ',"lines":21}'),
      unsigned.replace('"lines":21', '"lines":0'),
      unsigned.replace(/,"root":"\w+"/, ''),
      `${signed}\n\n`,
    ]) {
      assert.throws(() => parseProof(text), { code: 'STATEMENT_INVALID' }, text.slice(0, 60))
    }
  })
})

async function isTaken(text: string, trusted: Parameters<typeof checkProof>[2]): Promise<boolean> {
  try {
    const { problems } = await checkProof(CHECKS, parseProof(text), trusted)
    return problems.length === 0
  } catch (error) {
    if (!hasCode(error, 'STATEMENT_INVALID')) throw error
    return false
  }
}
