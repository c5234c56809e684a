import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { suite, test } from 'node:test'
import { fileURLToPath } from 'node:url'

const program = fileURLToPath(new URL('./parse-time-program.ts', import.meta.url))

suite('a fresh process', () => {
  for (const [size, bytes] of [
    ['1.6 KB', 1800],
    ['64 KiB', 65_536],
  ] as const) {
    test(`parses a policy of ${size}`, (context) => {
      const output = execFileSync(process.execPath, ['--import', 'tsx', program, String(bytes)])
      const { bytes: written, rules, milliseconds } = JSON.parse(output.toString())
      assert.ok(rules > bytes / 300, `${rules} rules`)
      context.diagnostic(`${written} bytes, ${rules} rules: ${milliseconds.toFixed(0)} ms`)
    })
  }
})
