import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { suite, test } from 'node:test'
import { rootOf } from '../../src/audit/inclusion.ts'
import { pathOver, rootOver } from '../fixtures/merkle.ts'
import { pick, random, scaled } from '../fixtures/random.ts'

/** The leaves of Certificate Transparency's own test vectors, and the root over the first n. */
const LEAVES = [
  '',
  '00',
  '10',
  '2021',
  '3031',
  '40414243',
  '5051525354555657',
  '606162636465666768696a6b6c6d6e6f',
].map((hex) => Buffer.from(hex, 'hex').toString('latin1'))
const ROOTS = [
  'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
  '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
  'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
  'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
  'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
  '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4',
  '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef',
  'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
  '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
]

const lines = (count: number) => Array.from({ length: count }, (_, place) => `line ${place}`)

suite('rootOf', () => {
  for (const [count, root] of ROOTS.entries()) {
    test(`leads from each of ${count} leaves to the root that is published for them`, () => {
      const leaves = LEAVES.slice(0, count)
      assert.equal(rootOver(leaves), root)
      for (const [index, line] of leaves.entries()) {
        const path = pathOver(leaves, index)
        assert.equal(rootOf({ line, index, lines: count, path }), root)
      }
    })
  }

  test('leads from every leaf of trees of every shape to their roots', () => {
    for (let count = 1; count <= 40; count += 1) {
      const leaves = lines(count)
      const root = rootOver(leaves)
      for (const [index, line] of leaves.entries()) {
        const path = pathOver(leaves, index)
        assert.equal(rootOf({ line, index, lines: count, path }), root, `${index} of ${count}`)
      }
    }
  })

  test('leads elsewhere from any other place, line or path', () => {
    const seed = 5
    const next = random(seed)
    for (let turn = 0; turn < scaled(300); turn += 1) {
      const leaves = lines(2 + Math.floor(next() * 200))
      const index = Math.floor(next() * leaves.length)
      const proof = {
        line: leaves[index]!,
        index,
        lines: leaves.length,
        path: pathOver(leaves, index),
      }
      const other = pick(
        next,
        [...leaves.keys()].filter((place) => place !== index),
      )
      const place = Math.floor(next() * proof.path.length)
      const turned = proof.path[place]!.replace(/^./, (digit) => (digit === '0' ? '1' : '0'))
      for (const changed of [
        { ...proof, index: other },
        { ...proof, line: leaves[other]! },
        { ...proof, path: proof.path.with(place, turned) },
        { ...proof, path: proof.path.toSpliced(place, 1) },
        { ...proof, path: [...proof.path, turned] },
        { ...proof, line: `${proof.line} ` },
      ]) {
        const found = rootOf(changed)
        assert.notEqual(found, rootOver(leaves), `seed ${seed}, turn ${turn}`)
      }
    }
  })

  test('knows no root for a place behind the last line, or a path that is too long or short', () => {
    const [line, path] = ['line 0', pathOver(lines(5), 0)]
    assert.equal(rootOf({ line, index: 5, lines: 5, path }), undefined)
    assert.equal(rootOf({ line, index: 0, lines: 5, path: path.slice(1) }), undefined)
    assert.equal(rootOf({ line, index: 0, lines: 5, path: [...path, path[0]!] }), undefined)
  })

  test('counts beyond 2^32 lines', () => {
    const path = Array.from({ length: 52 }, (_, level) => rootOver([`sibling ${level}`]))
    const parent = (left: string, right: string) =>
      createHash('sha256')
        .update(Buffer.from(`01${left}${right}`, 'hex'))
        .digest('hex')
    const line = 'a line'
    const leaf = rootOver([line])
    const [first, last] = [0, 2 ** 52 - 1]
    const fromFirst = path.reduce((node, sibling) => parent(node, sibling), leaf)
    const fromLast = path.reduce((node, sibling) => parent(sibling, node), leaf)
    assert.equal(rootOf({ line, index: first, lines: 2 ** 52, path }), fromFirst)
    assert.equal(rootOf({ line, index: last, lines: 2 ** 52, path }), fromLast)
  })
})
