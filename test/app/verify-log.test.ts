import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { type AnchorSource, type VouchedLine, verifyLog } from '../../src/app/verify-log.ts'
import { SentinelError } from '../../src/errors.ts'
import type {
  ChainReport,
  Claim,
  ClaimOutcome,
  VerifyOptions,
} from '../../src/ports/log-archive.ts'

const SIGNAL = new AbortController().signal
const HASH = 'ab'.repeat(32)

const REPORT: ChainReport = {
  lines: 2,
  bytes: 900,
  streams: 1,
  annulled: 0,
  torn: 0,
  problems: [],
  problemCount: 0,
  open: [],
  openCount: 0,
  heads: new Map([['a'.repeat(20), { seq: 2, hash: HASH }]]),
  sessions: [],
  hosts: ['laptop'],
}

/** A log of which `outcomes` says what becomes of the claims. */
function archiveOf(outcomes: readonly ClaimOutcome[], report: Partial<ChainReport> = {}) {
  const asked: { options?: VerifyOptions; claims?: readonly Claim[] } = {}
  return {
    asked,
    async verify(options: VerifyOptions) {
      asked.options = options
      return { ...REPORT, ...report }
    },
    async check(claims: readonly Claim[]) {
      asked.claims = claims
      return outcomes
    },
  }
}

const line = (by: string, seq = 2): VouchedLine => ({
  stream: 'a'.repeat(20),
  seq,
  hash: HASH,
  by,
})

const source = (...lines: VouchedLine[]): AnchorSource => ({
  name: 'a table',
  linesOf: async () => lines,
})

const silent: AnchorSource = {
  name: 'another table',
  linesOf: async () => {
    throw new SentinelError('STORE_UNAVAILABLE', 'the table did not answer')
  },
}

suite('holding a log to what is known of it', () => {
  test('calls it sound where all agrees', async () => {
    const archive = archiveOf(['present', 'present'])
    const sources = [source(line('one')), { among: () => [source(line('other'))] }]
    const verdict = await verifyLog(archive, { extent: 'whole', sources }, { signal: SIGNAL })
    assert.equal(verdict.outcome, 'sound')
    assert.equal(verdict.anchors, 2)
    assert.deepEqual(archive.asked.claims, [line('one'), line('other')])
    assert.equal(archive.asked.options?.extent, 'whole')
  })

  for (const outcome of ['annulled', 'different', 'absent'] as const) {
    test(`calls it unsound where a line is ${outcome}, and says who vouches for it`, async () => {
      const archive = archiveOf(['present', outcome])
      const sources = [source(line('one'), line('other', 3))]
      const verdict = await verifyLog(archive, { extent: 'whole', sources }, { signal: SIGNAL })
      assert.equal(verdict.outcome, 'unsound')
      assert.deepEqual(verdict.contradictions, [{ ...line('other', 3), outcome }])
    })
  }

  test('misses no line in a part of a log, which may stand in another', async () => {
    const sources = [source(line('one'), line('other'))]
    const input = { extent: 'part', sources } as const
    const absent = await verifyLog(archiveOf(['present', 'absent']), input, { signal: SIGNAL })
    assert.equal(absent.outcome, 'sound')
    const changed = await verifyLog(archiveOf(['present', 'different']), input, { signal: SIGNAL })
    assert.equal(changed.outcome, 'unsound')
  })

  test('does not know where a source is silent, unless something is wrong anyway', async () => {
    const sources = [silent, source(line('one'))]
    const input = { extent: 'whole', sources } as const
    const unknown = await verifyLog(archiveOf(['present']), input, { signal: SIGNAL })
    assert.equal(unknown.outcome, 'unknown')
    assert.deepEqual(
      unknown.unread.map(({ source }) => source),
      ['another table'],
    )
    for (const archive of [
      archiveOf(['absent']),
      archiveOf(['present'], {
        problems: [{ fault: 'torn', detail: 'it is torn' }],
        problemCount: 1,
      }),
    ]) {
      assert.equal((await verifyLog(archive, input, { signal: SIGNAL })).outcome, 'unsound')
    }
  })

  test('does not take a bug, or an interruption, for silence', async () => {
    const bug = { name: 'a bug', linesOf: async () => assert.fail('a bug') }
    const input = { extent: 'whole', sources: [bug] } as const
    await assert.rejects(verifyLog(archiveOf([]), input, { signal: SIGNAL }), /a bug/)
    const late = { extent: 'whole', sources: [silent] } as const
    await assert.rejects(verifyLog(archiveOf([]), late, { signal: AbortSignal.abort() }))
  })

  test('holds it to what was signed, as long as that is', async () => {
    const statement = {
      statement: {
        time: '2026-01-14T09:00:00.000Z',
        host: 'laptop',
        log: '/log',
        lines: 2,
        root: HASH,
        heads: [{ stream: 'a'.repeat(20), seq: 2, hash: HASH }],
      },
      signature: { algorithm: 'Ed25519', keyId: HASH, signature: 'AA==' },
    } as const
    const input = { extent: 'whole', sources: [source(line('one'))], statement } as const
    const signed = archiveOf(['present', 'present'], { earlierRoot: HASH })
    const sound = await verifyLog(signed, input, { signal: SIGNAL })
    assert.deepEqual([sound.outcome, sound.differences, sound.anchors], ['sound', [], 1])
    assert.equal(signed.asked.options?.rootAt, 2)

    const other = archiveOf(['present', 'present'], { earlierRoot: 'cd'.repeat(32) })
    const changed = await verifyLog(other, input, { signal: SIGNAL })
    assert.equal(changed.outcome, 'unsound')
    assert.equal(changed.differences.length, 1)
    const cut = archiveOf(['present', 'absent'], { earlierRoot: HASH })
    assert.equal((await verifyLog(cut, input, { signal: SIGNAL })).differences.length, 1)
  })
})
