import { type Diagnosis, diagnose } from '../../app/doctor.ts'
import { defineCommand } from '../command.ts'
import { POLICY_OPTIONS } from '../issue-options.ts'
import { columns } from '../output.ts'

export default defineCommand({
  usage: 'doctor [profile]',
  summary: 'Check the set-up of this machine, and say what to do about what is wrong',
  examples: ['doctor', 'doctor prod', 'doctor --offline --output json'],
  statuses: {
    0: 'nothing is wrong; there may be warnings',
    1: 'something is wrong',
  },
  options: {
    offline: { type: 'boolean', summary: 'Ask nobody but this machine' },
    policy: { ...POLICY_OPTIONS.policy, summary: 'Check the policy in this file' },
    'policy-parameter': {
      ...POLICY_OPTIONS['policy-parameter'],
      summary: 'Check the policy in this SSM parameter',
    },
    'log-file': { type: 'string', value: 'PATH', summary: 'Look at the decision log at PATH' },
  },

  async run({ args: [profile], options }, deps) {
    deps.out.progress('looking')
    const diagnoses = await diagnose(deps.doctorChecks({ ...options, profile }))
    const isWell = diagnoses.every(({ verdict }) => verdict !== 'failed')
    deps.out.print(describe(diagnoses), { ok: isWell, checks: diagnoses.map(toFields) })
    return isWell ? undefined : { status: 1 }
  },
})

/** A line each, and below it the next step where there is one to take. */
function describe(diagnoses: readonly Diagnosis[]): string {
  const lines = diagnoses.flatMap(({ verdict, check, detail, hint }) => {
    const line = [verdict, check, detail.replaceAll('\n', '\\n')]
    return hint === undefined ? [line] : [line, ['', '', `hint: ${hint}`]]
  })
  return columns(lines)
}

function toFields({ check, verdict, detail, hint, facts }: Diagnosis): object {
  return { check, verdict, detail, ...(hint !== undefined && { hint }), ...facts }
}
