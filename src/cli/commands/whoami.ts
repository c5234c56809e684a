import { describePrincipal, personOf } from '../../domain/principal.ts'
import { sourceIdentityPattern } from '../../domain/source-identity.ts'
import { defineCommand } from '../command.ts'
import { columns } from '../output.ts'
import { chooseProfile } from '../profile-argument.ts'

export default defineCommand({
  usage: 'whoami [profile]',
  summary: 'Show who you are to AWS, to the policy and in CloudTrail',
  examples: ['whoami prod', 'whoami --profile prod --output json'],
  options: {
    profile: {
      type: 'string',
      value: 'PROFILE',
      summary: 'The profile, instead of as an argument',
    },
  },

  async run({ args: [given], options }, deps) {
    const profile = chooseProfile(given, options.profile, deps)
    const { principal, user, target } = await deps.identify(profile)
    const facts = {
      profile,
      principal: principal.arn,
      user_id: principal.uniqueId,
      kind: principal.kind,
      account: principal.account,
      person: personOf(principal),
      matched_by: describePrincipal(principal),
      source_identity: sourceIdentityPattern(user),
      role: target.roleArn ?? null,
      stamped: target.stamped,
    }
    const text = columns([
      ['profile', profile],
      ['principal', facts.principal],
      ['user id', facts.user_id],
      ['person', facts.person],
      ['in a policy', facts.matched_by.join('  ')],
      ['in CloudTrail', `sourceIdentity ${facts.source_identity}`],
      ['asks for', target.stamped ? String(target.roleArn) : 'no role: nothing to stamp'],
    ])
    deps.out.print(text, facts)
    return undefined
  },
})
