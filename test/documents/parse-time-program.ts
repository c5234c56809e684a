// Parses one policy in a process that has parsed none, and prints how long that took.
import { parsePolicy } from '../../src/documents/policy.ts'
import { policyOf } from './documents.ts'

const text = policyOf(Number(process.argv[2]))
const start = performance.now()
const { policy } = parsePolicy(text, 'generated')
const milliseconds = performance.now() - start
console.log(JSON.stringify({ bytes: text.length, rules: policy.rules.length, milliseconds }))
