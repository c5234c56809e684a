import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { Composer } from 'yaml'
import { readYaml } from '../../src/documents/strict-yaml.ts'
import { keyOffsetAt, nodeAt, offsetAt, toValue } from '../../src/documents/yaml-tree.ts'

function readValue(text: string): unknown {
  const { root, problem } = readYaml(text)
  assert.ok(root, JSON.stringify(problem))
  return toValue(root)
}

/** Line, column and message of the problem, as in an error. */
function refusal(text: string, limits?: Parameters<typeof readYaml>[1]): string {
  const { problem } = readYaml(text, limits)
  assert.ok(problem, 'this was read')
  return `${problem.line}:${problem.column}: ${problem.message}`
}

suite('readYaml', () => {
  test('reads mappings, lists and scalars in block and flow style', () => {
    const text = 'a: [1, x, "y"]\nb:\n  - c: true\n    d: null\n  - e: |\n      two\n      lines\n'
    assert.equal(
      JSON.stringify(readValue(text)),
      '{"a":[1,"x","y"],"b":[{"c":true,"d":null},{"e":"two\\nlines\\n"}]}',
    )
  })

  test('reads scalars as YAML 1.2 does: yes, on and 09:00 are text', () => {
    assert.deepEqual(readValue('[yes, on, 09:00, 0o17, 012, 1_000]'), [
      'yes',
      'on',
      '09:00',
      15,
      12,
      '1_000',
    ])
  })

  test('reads nothing but comments as null', () => {
    for (const text of ['', '# a comment\n', '\n\n', '---\n']) assert.equal(readValue(text), null)
  })

  test('reads a byte order mark, Windows line ends and a leading ---', () => {
    assert.equal(JSON.stringify(readValue('\ufeff---\r\na: 1\r\nb: "x"\r\n')), '{"a":1,"b":"x"}')
  })

  test('reads Unicode, joiners and emoji', () => {
    const text = 'é: "naïve 東京 👩\u200d🚒 می\u200cخواهم"'
    assert.equal(JSON.stringify(readValue(text)), '{"é":"naïve 東京 👩\u200d🚒 می\u200cخواهم"}')
  })

  test('gives objects no prototype, so that no key means anything', () => {
    const value = readValue('constructor: 1\ntoString: { hasOwnProperty: 2 }')
    assert.equal(Object.getPrototypeOf(value), null)
    assert.deepEqual(Object.keys(value as object), ['constructor', 'toString'])
  })

  test('knows where every key and value stands', () => {
    const { root, position } = readYaml('a: 1\nbé:\n  - cc: x\n    d:   [y, z]\n')
    assert.ok(root)
    assert.deepEqual(position(keyOffsetAt(root, ['bé'])), { line: 2, column: 1 })
    assert.deepEqual(position(offsetAt(root, ['bé', 0])), { line: 3, column: 5 })
    assert.deepEqual(position(keyOffsetAt(root, ['bé', 0, 'd'])), { line: 4, column: 5 })
    assert.deepEqual(position(offsetAt(root, ['bé', 0, 'd', 1])), { line: 4, column: 14 })
    assert.deepEqual(position(offsetAt(root, ['bé', 0, 'missing'])), { line: 3, column: 5 })
    assert.equal(nodeAt(root, ['a', 'b']), undefined)
  })

  test('counts columns in characters, after a byte order mark too', () => {
    assert.match(refusal('\ufeff"é👩": &a 1'), /^1:7: anchors/)
  })

  const refused: [what: string, text: string, refusal: RegExp][] = [
    ['anchors', 'a: &x 1', /^1:4: anchors are not allowed$/],
    ['anchors on collections', 'a: &x\n  b: 1', /^1:4: anchors/],
    ['aliases', 'a: *x', /^1:4: aliases are not allowed$/],
    ['aliases as keys', '*x : 1', /^1:1: aliases/],
    ['aliases in flow style', 'users: [alice, *]', /^1:16: aliases/],
    ['custom tags', 'a: !x 1', /^1:4: tags are not allowed$/],
    ['standard tags', 'a: !!str 1', /^1:4: tags/],
    ['verbatim tags', 'a: !<tag:x> 1', /^1:4: tags/],
    ['merge keys', 'a: { <<: { b: 1 } }', /^1:6: merge keys are not allowed$/],
    ['YAML directives', '%YAML 1.1\n---\na: 1', /^1:1: directives are not allowed$/],
    ['tag directives', '# c\n%TAG ! x\n---\na: 1', /^2:1: directives/],
    ['a second document', 'a: 1\n---\nb: 1', /^2:1: only one document is allowed$/],
    ['an empty second document', '---\n---\na: 1', /^2:1: only one document/],
    ['the end of a document', 'a: 1\n...\n', /^2:1: only one document/],
    ['explicit keys', '? a\n: 1', /^1:1: explicit keys are not allowed$/],
    ['duplicate keys', 'a: 1\nb:\n  c: 1\n  "c": 2', /^4:3: the key "c" stands twice/],
    ['duplicate keys in flow style', '{a: 1, b: 2, a: 3}', /^1:14: the key "a" stands twice/],
    ['__proto__ as a key', 'a:\n  __proto__: { b: 1 }', /^2:3: the key "__proto__" is not allowed/],
    ['numbers as keys', 'a: 1\n2: b', /^2:1: a key must be text$/],
    ['booleans as keys', 'true: b', /^1:1: a key must be text$/],
    ['null as a key', '~: b', /^1:1: a key must be text$/],
    ['a missing key', ': b', /^1:1: a key is missing$/],
    ['lists as keys', '[a]: b', /^1:1: a list or mapping cannot be a key$/],
    ['tabs as indentation', 'a:\n\tb: 1', /^2:1: tabs are not allowed as indentation$/],
    ['a NUL', 'a: x\0y', /^1:5: the character U\+0000 is not allowed$/],
    ['control characters', 'a: "x\u001by"', /^1:6: the character U\+001B/],
    ['C1 control characters', 'a: x\u0085y', /^1:5: the character U\+0085/],
    ['a lone carriage return', 'a: 1\rb: 2', /^1:5: the character U\+000D/],
    ['line separators', 'a: x\u2028y', /^1:5: the character U\+2028/],
    ['text that runs backwards', '# \u202e1\na: 1', /^1:3: the character U\+202E/],
    ['characters without a width', 'al\u200bice: 1', /^1:3: the character U\+200B/],
    ['half a character', 'a: "\ud800"', /^1:5: the character U\+D800/],
    ['a second byte order mark', '\ufeff\ufeffa: 1', /^1:1: the character U\+FEFF/],
    ['escaped control characters', 'a:\n  b: "x\\0"', /^2:6: the character U\+0000/],
    ['escaped hidden characters in keys', '"x\\u202e": 1', /^1:1: the character U\+202E/],
    ['an open list', 'a: [b\nc: 1', /^2:1: a list or mapping in brackets is still open here$/],
    ['an open quote', 'a: "b\n', /^2:1: missing closing "quote$/],
    ['a stray bracket', 'a: b\n]', /^2:1: unexpected "\]"$/],
    ['commas alone', 'a: [,]', /^1:5: unexpected , in flow sequence$/],
    ['unknown escapes', 'a: "\\q"', /^1:5: invalid escape sequence/],
    ['reserved characters', 'a: @b', /^1:4: plain value cannot start with reserved/],
    ['mappings on one line', 'a: b: c', /^1:4: nested mappings are not allowed/],
    ['a crooked list', 'a:\n  - b\n - c', /^3:1: a block sequence may not be used/],
    ['a crooked mapping', 'a:\n  b: 1\n c: 2', /^3:1: all mapping items must start at the same/],
  ]
  for (const [what, text, expected] of refused) {
    test(`refuses ${what}`, () => assert.match(refusal(text), expected))
  }

  test('says how to write a pattern that YAML takes for an alias', () => {
    assert.equal(
      readYaml('users: [*@corp.example]').problem?.hint,
      'quote a pattern: "*@corp.example"',
    )
  })

  test('says where the other of two keys stands', () => {
    assert.equal(readYaml('a: 1\nb: 1\na: 2').problem?.hint, 'keep one: the other is in line 1')
  })

  test('reads a document of exactly the limit, and places where it is crossed', () => {
    const full = `a: ${'x'.repeat(60)}\nb: é`
    const maxBytes = Buffer.byteLength(full)
    assert.ok(readYaml(full, { maxBytes }).root)
    assert.equal(
      refusal(`${full}c`, { maxBytes }),
      `2:5: the document is larger than ${maxBytes} bytes`,
    )
    assert.match(refusal(`${full}c`, { maxBytes: maxBytes - 1 }), /^2:/)
  })

  test('has a limit of 64 KiB by default', () => {
    assert.ok(readYaml(`a: ${'x'.repeat(65_533)}`).root)
    assert.equal(
      refusal(`a: ${'x'.repeat(65_534)}`),
      '1:65537: the document is larger than 65536 bytes',
    )
  })

  test('reads mappings and lists as deep as the limit, in every style', () => {
    const nested: [open: string, close: string][] = [
      ['[[[', ']]]'],
      ['- - - ', 'x'],
      ['a:\n b:\n  c:\n', '   d'],
    ]
    for (const [open, close] of nested) {
      assert.ok(readYaml(`${open}${close}`, { maxDepth: 3 }).root, open)
      assert.match(refusal(`${open}${close}`, { maxDepth: 2 }), /lie more than 2 deep/, open)
    }
  })

  test('refuses a document of more parts than anybody writes', () => {
    assert.match(refusal('\n'.repeat(40_000)), /^32769:1: the document has more than 32768 parts$/)
  })

  test('stops at the first mistake of thousands', () => {
    assert.match(refusal(`a: [${','.repeat(20_000)}]`), /^1:6: unexpected ,/)
    // Without this handler the library collects them all, with a stack trace each.
    assert.ok(Object.hasOwn(new Composer(), 'onError'), 'the library calls it something else')
  })
})
