import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { claimsOf, differences, isSigned } from '../../src/app/check-statement.ts'
import type { ClaimOutcome } from '../../src/ports/log-archive.ts'
import { aStatement, digest, newKey, signedBy } from '../fixtures/signing.ts'

const KEY = newKey()
const SIGNED = await signedBy(KEY, aStatement())
const { lines, root } = SIGNED.statement

type ReadLog = Parameters<typeof differences>[1]
const found = (log: Partial<ReadLog>) =>
  differences(SIGNED, {
    extent: 'whole',
    report: { lines: 1200, earlierRoot: root },
    outcomes: ['present', 'present'],
    ...log,
  })

suite('a log held to a statement', () => {
  test('holds what was signed, and may have grown', () => {
    assert.deepEqual(found({}), [])
    assert.deepEqual(found({ report: { lines, earlierRoot: root } }), [])
  })

  test('does not, when one of the lines is another', () => {
    assert.deepEqual(found({ report: { lines: 1200, earlierRoot: digest('other') } }), [
      'some of the first 1000 lines were changed since they were signed at 2026-01-14T09:00:00.000Z',
    ])
  })

  test('does not, when it has fewer lines', () => {
    assert.deepEqual(found({ report: { lines: 999 } }), [
      'of the 1000 lines that were signed at 2026-01-14T09:00:00.000Z only 999 are there',
    ])
  })

  for (const [outcome, words] of [
    ['annulled', /^line 3:\w{64} of stream b{20}, signed at .* was taken back by a later one$/],
    ['different', /^line 3:.* has another one in its place$/],
    ['absent', /^line 3:.* is not there$/],
  ] as [ClaimOutcome, RegExp][]) {
    test(`does not, when a head of a stream is ${outcome}`, () => {
      for (const extent of ['whole', 'part'] as const) {
        const [difference = '', ...more] = found({ extent, outcomes: ['present', outcome] })
        assert.match(difference, words)
        assert.deepEqual(more, [])
      }
    })
  }

  test('of which a part is there, is held to the heads alone', () => {
    assert.deepEqual(found({ extent: 'part', report: { lines: 10 } }), [])
    assert.equal(found({ extent: 'part', outcomes: [] }).length, 2)
  })

  test('of which a part is there, is not held to a statement without heads', async () => {
    const signed = await signedBy(KEY, aStatement({ heads: [] }))
    const log = { extent: 'part', report: { lines: 10 }, outcomes: [] } as const
    assert.match(differences(signed, log).join(), /names no line/)
  })

  test('is asked for each head', () => {
    assert.deepEqual(claimsOf(SIGNED), SIGNED.statement.heads)
  })

  test('is only held to what the key signed', async () => {
    const { verifier } = KEY
    assert.ok(isSigned({ verifier, digest }, SIGNED))
    const statement = aStatement({ lines: 999 })
    assert.ok(!isSigned({ verifier, digest }, { ...SIGNED, statement }))
    assert.ok(!isSigned({ verifier: newKey().verifier, digest }, SIGNED))
  })
})
