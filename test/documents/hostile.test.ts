import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { checkPolicy } from '../../src/documents/policy.ts'
import { COMPLETE } from './documents.ts'
import { mutationsOf } from './mutations.ts'
import { hostileShapes } from './shapes.ts'

/** The first problem of a document that must have one, at a place that is in it. */
function firstProblem(what: string, text: string) {
  const { policy, problems } = checkPolicy(text, 'hostile')
  const [problem] = problems
  assert.ok(problem !== undefined && policy === undefined, `${what} was accepted`)
  const { line, column } = problem
  const lines = text.split('\n')
  assert.ok(line >= 1 && line <= lines.length, `${what}: line ${line} of ${lines.length}`)
  assert.ok(column >= 1 && column <= lines[line - 1]!.length + 1, `${what}: column ${column}`)
  for (const { message, hint = '' } of problems) {
    const length = Math.max(message.length, hint.length)
    assert.ok(length < 400, `${what}: ${length} characters`)
  }
  return problem
}

suite('hostile documents', () => {
  const shapes = hostileShapes()
  test(`all ${Object.keys(shapes).length} shapes are refused at a place`, (context) => {
    const times = Object.entries(shapes).map(([what, text]) => {
      const start = process.cpuUsage()
      firstProblem(what, text)
      const { user, system } = process.cpuUsage(start)
      return { what, milliseconds: Math.round((user + system) / 1000) }
    })
    const slowest = times.toSorted((a, b) => b.milliseconds - a.milliseconds).slice(0, 3)
    context.diagnostic(
      `slowest, CPU: ${slowest.map(({ what, milliseconds }) => `${what} ${milliseconds} ms`).join(', ')}`,
    )
  })

  test('every misspelt key and wrong value of a complete policy is refused where it stands', () => {
    const mutations = mutationsOf(COMPLETE)
    assert.ok(mutations.length > 150, `${mutations.length}`)
    for (const { what, text, lines } of mutations) {
      const { line, message } = firstProblem(what, text)
      const [first, last] = lines
      assert.ok(first <= line && line <= last, `${what}: line ${line}: ${message}`)
    }
  })
})
