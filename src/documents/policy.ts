import type * as z from 'zod'
import type { Policy } from '../domain/policy/types.ts'
import { camelKeys } from './fields.ts'
import { toFindings } from './findings.ts'
import { findErrors, findWarnings } from './policy-checks.ts'
import { policyDocument } from './policy-schema.ts'
import { locate, type Problem, toError, toProblems } from './problem.ts'
import { readYaml } from './strict-yaml.ts'
import { nodeAt, toValue, type YamlNode } from './yaml-tree.ts'

export interface CheckedPolicy {
  readonly reference: string
  /** Absent when there are problems: a policy that is not valid never decides anything. */
  readonly policy?: Policy
  /** By place; the first hundred, if there are more. */
  readonly problems: readonly Problem[]
  readonly warnings: readonly Problem[]
}

// Zod compiles schemas to functions, which pays off from the second document on: 40 ms for 64 KB.
const ONCE = { jitless: true }

/** Reads the policy in `text` and says everything that is wrong with it. Throws nothing. */
export function checkPolicy(text: string, reference: string): CheckedPolicy {
  const { root, position, problem } = readYaml(text)
  if (problem !== undefined) return { reference, problems: [problem], warnings: [] }

  const parsed = policyDocument.safeParse(toValue(root), ONCE)
  if (!parsed.success) {
    const findings = toFindings(parsed.error.issues, root, policyDocument)
    return { reference, problems: toProblems(findings, position), warnings: [] }
  }

  const policy = toPolicy(parsed.data, root)
  const problems = toProblems(findErrors(policy, root, position), position)
  const warnings = toProblems(findWarnings(policy, root), position)
  return { reference, problems, warnings, ...(problems.length === 0 && { policy }) }
}

/**
 * Reads the policy in `text`. Throws `POLICY_INVALID` for the first thing that is wrong, at
 * `reference` (a path, a parameter), which the warnings name too.
 */
export function parsePolicy(
  text: string,
  reference: string,
): { readonly policy: Policy; readonly warnings: readonly string[] } {
  const { policy, problems, warnings } = checkPolicy(text, reference)
  if (policy === undefined) {
    throw toError('POLICY_INVALID', reference, problems, 'sentinel policy validate')
  }
  return { policy, warnings: warnings.map((warning) => locate(warning, reference)) }
}

function toPolicy(document: z.output<typeof policyDocument>, root: YamlNode): Policy {
  const {
    profiles,
    strict_profiles: strictProfiles = false,
    stores = {},
    approvals = [],
    break_glass: breakGlass = [],
    notify = [],
    tests = [],
    ...rest
  } = document
  return {
    ...camelKeys(rest),
    ...(profiles !== undefined && { profiles: bindingsOf(profiles, root) }),
    strictProfiles,
    stores,
    approvals,
    breakGlass,
    notify,
    tests,
  }
}

/** In the order written: an object moves keys that look like numbers to its front. */
function bindingsOf(
  profiles: Readonly<Record<string, { readonly role: string }>>,
  root: YamlNode,
): NonNullable<Policy['profiles']> {
  const node = nodeAt(root, ['profiles'])
  const written = node?.kind === 'mapping' ? [...node.entries.keys()] : []
  return written.map((profile) => ({ profile, role: profiles[profile]!.role }))
}
