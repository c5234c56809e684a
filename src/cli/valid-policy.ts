import type { Deps, PolicyFlags } from '../deps.ts'
import type { Policy } from '../domain/policy/types.ts'
import { SentinelError } from '../errors.ts'

/**
 * The policy that `flags` name, or else the settings; one in SSM is read with the credentials of
 * `profile`. Rejects with `POLICY_INVALID`, and as `checkPolicy` does.
 */
export async function readValidPolicy(
  flags: PolicyFlags,
  profile: string | undefined,
  { checkPolicy }: Pick<Deps, 'checkPolicy'>,
): Promise<{ readonly policy: Policy; readonly reference: string; readonly sha256: string }> {
  const { policy, problems, reference, sha256 } = await checkPolicy(flags, profile)
  const [first] = problems
  if (policy) return { policy, reference, sha256 }
  throw new SentinelError(
    'POLICY_INVALID',
    `${reference}:${first?.line}:${first?.column}: ${first?.message}`,
    { hint: first?.hint ?? 'see all of them with: sentinel policy validate' },
  )
}
