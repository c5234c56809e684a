import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { parseKnownFiles } from '@smithy/core/config'
import { scanIni } from '../../src/aws/ini-scan.ts'
import { openHome } from '../fixtures/aws/home.ts'
import { pick, random, scaled } from '../fixtures/random.ts'

suite('scanIni', () => {
  test('sees headers that no parser reads', () => {
    const text = '[profile a]\n[Profile "b"]\n[ profile  c ]\n[d]\n[profile e\n[services f]'
    const seen = scanIni(text).map(({ word, name, line }) => [word, name, line])
    assert.deepEqual(seen, [
      ['profile', 'a', 1],
      ['profile', 'b', 2],
      ['profile', 'c', 3],
      [undefined, 'd', 4],
      ['profile', 'e', 5],
      ['services', 'f', 6],
    ])
  })

  test('names nested keys by their parent, and takes comments away', () => {
    const text =
      '[profile a] ; mine\nregion = x # y\ns3 =\n  one = 1\n  two = 2\noutput = json\n#k = 1'
    assert.deepEqual(scanIni(text)[0]?.keys, [
      { name: 'region', line: 2 },
      { name: 's3', line: 3 },
      { name: 's3.one', line: 4 },
      { name: 's3.two', line: 5 },
      { name: 'output', line: 6 },
    ])
  })

  test('sees every key that the SDK reads, in random files', async () => {
    const seed = 20260114
    const next = random(seed)
    const lines = [
      'a = 1',
      'b =',
      '  c = 2',
      '; d = 3',
      'e=4 #x',
      '[profile p]',
      '',
      ' f = [x]',
      '=',
    ]
    for (let n = 0; n < scaled(50); n += 1) {
      const text = ['[profile p]', ...Array.from({ length: 12 }, () => pick(next, lines))].join(
        '\n',
      )
      using home = openHome({ config: text })
      const read = await parseKnownFiles({ configFilepath: home.config, ignoreCache: true })
      const seen = new Set(scanIni(text).flatMap(({ keys }) => keys.map(({ name }) => name)))
      for (const key of Object.keys(read.p ?? {})) {
        assert.ok(seen.has(key), `seed ${seed}: ${key} is not seen in\n${text}`)
      }
    }
  })
})
