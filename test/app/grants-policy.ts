import { aBreakGlassRule, anApprovalRule, aPolicy, aRule, users } from '../fixtures/policies.ts'

/** Tight, so that it is often in the way. */
export const RULE = aBreakGlassRule({
  profiles: ['*'],
  reviewers: users('sso:*'),
  cooldown: 600,
  maxPerUser: { count: 2, window: 6 * 3600 },
  maxPerProfile: { count: 3, window: 6 * 3600 },
  reviewWithin: 3600,
  blockWhenOverdue: true,
})

/** Everybody may approve everything, so that nothing but the rule about oneself forbids it. */
export const POLICY = aPolicy({
  rules: [aRule({ name: 'all', effect: 'require_approval' })],
  approvals: [
    anApprovalRule({ name: 'one', profiles: ['one *'], approvers: users('sso:*') }),
    anApprovalRule({ name: 'two', profiles: ['two *'], approvers: users('sso:*'), required: 2 }),
    anApprovalRule({
      name: 'short',
      profiles: ['auto *'],
      approvers: users('sso:*'),
      autoApprove: { maxDuration: 1800 },
    }),
  ],
  breakGlass: [RULE],
})
