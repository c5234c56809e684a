import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { csvLine } from '../../src/cli/csv.ts'

suite('csvLine', () => {
  const cells: [what: string, cell: string | number | null, written: string][] = [
    ['leaves words alone', 'laptop stolen', 'laptop stolen'],
    ['leaves nothing for what is not there', null, ''],
    ['writes numbers as they are', -3, '-3'],
    ['quotes what has a comma', 'a,b', '"a,b"'],
    ['doubles quotes', 'say "no"', '"say ""no"""'],
    ['quotes what has a newline', 'a\nb', '"a\nb"'],
    ['disarms a formula', '=HYPERLINK("http://x")', `"'=HYPERLINK(""http://x"")"`],
    ['disarms a sum', '+1', "'+1"],
    ['disarms a difference', '-1', "'-1"],
    ['disarms a function', '@SUM(A1)', "'@SUM(A1)"],
    ['disarms a formula behind blanks', '  =1', "'  =1"],
    ['disarms a tab', '\t=1', "'\t=1"],
    ['disarms a formula of wide characters', '＝1', "'＝1"],
    ['escapes what a terminal acts on', 'a\u001b[2J\r', 'a\\u001b[2J\\u000d'],
    ['leaves an equals sign further on alone', 'a=b', 'a=b'],
  ]
  for (const [what, cell, written] of cells) {
    test(what, () => assert.equal(csvLine(['x', cell]), `x,${written}\n`))
  }
})
