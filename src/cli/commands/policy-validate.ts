import type { CheckedPolicy, Problem } from '../../deps.ts'
import { SentinelError } from '../../errors.ts'
import { defineCommand } from '../command.ts'
import { POLICY_OPTIONS } from '../issue-options.ts'

export default defineCommand({
  usage: 'policy validate [file]',
  summary: 'Check a policy, and show every problem with its line and column',
  examples: ['policy validate policy.yaml', 'policy validate --policy-parameter /sentinel/policy'],
  options: POLICY_OPTIONS,

  async run({ args: [file], options }, deps) {
    if (file !== undefined && options.policy !== undefined) {
      throw new SentinelError('USAGE', 'the policy is given twice', { hint: 'name one file' })
    }
    const flags = file === undefined ? options : { ...options, policy: file }
    const checked = await deps.checkPolicy(flags, undefined)
    for (const warning of checked.warnings) deps.notices.warn(at(checked, warning), warning.hint)
    if (checked.problems.length > 0) throw invalid(checked, deps)
    const { reference, sha256, policy } = checked
    const rules = policy?.rules.length ?? 0
    deps.out.print(`${reference} is valid: ${rules} ${rules === 1 ? 'rule' : 'rules'}`, {
      valid: true,
      reference,
      sha256,
      rules,
      warnings: checked.warnings,
    })
    return undefined
  },
})

/** The first problem is the error; more than one are listed before it. */
function invalid(
  checked: CheckedPolicy,
  { out }: { out: { print(text: string, data: unknown): void } },
): SentinelError {
  const { problems } = checked
  const [first] = problems
  const lines = problems.map((problem) => at(checked, problem)).join('\n')
  out.print(lines, { valid: false, reference: checked.reference, problems })
  const count = `${problems.length} ${problems.length === 1 ? 'problem' : 'problems'}`
  return new SentinelError(
    'POLICY_INVALID',
    `${checked.reference} is not valid: ${count}, the first at ${first?.line}:${first?.column}`,
    { hint: first?.hint ?? 'mend it and validate again' },
  )
}

function at({ reference }: CheckedPolicy, { line, column, message }: Problem): string {
  return `${reference}:${line}:${column}: ${message}`
}
