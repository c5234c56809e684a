/**
 * Who may decide about a request, under the policy as it is now. The requester's principal is not
 * kept, so the rule is found again by its name.
 *
 * @module
 */
import type { AccessRequest, FiledRequest, Review } from '../domain/access-request.ts'
import { isSameParty, principalOf } from '../domain/party.ts'
import { isDecider } from '../domain/policy/automatic.ts'
import { matchesGlob } from '../domain/policy/glob.ts'
import type { ApprovalRule, Policy } from '../domain/policy/types.ts'
import { SentinelError } from '../errors.ts'
import type { Actor } from './request-deps.ts'

/** Whether `actor` may approve or deny `request`. */
export function mayReview(policy: Policy, request: AccessRequest, actor: Actor): boolean {
  return whyNotReview(policy, request, actor) === undefined
}

/**
 * `filed` with those approvals only whose givers might give them now: who left the approvers, or
 * never was one and wrote the record without Sentinel, approves nothing. What denies stays.
 */
export function withRightfulApprovals(policy: Policy, filed: FiledRequest): FiledRequest {
  const { request, reviews } = filed
  const isRightful = ({ verdict, reviewer: party }: Review) => {
    if (verdict === 'deny') return true
    const principal = principalOf(party)
    return principal !== undefined && mayReview(policy, request, { principal, party })
  }
  return { ...filed, reviews: reviews.filter(isRightful) }
}

/** Throws `REVIEW_REFUSED` unless `actor` may approve or deny `request`. */
export function assertMayReview(policy: Policy, request: AccessRequest, actor: Actor): void {
  const refusal = whyNotReview(policy, request, actor)
  if (refusal) throw refusal
}

/**
 * Throws `REVIEW_REFUSED` unless `actor` may end what came of `request`: its requester, or whoever
 * may approve it. A rule that is gone, by whose name nobody can be told, leaves that to the
 * approvers of the profile: taking access away is the safe direction.
 */
export function assertMayRevoke(policy: Policy, request: AccessRequest, actor: Actor): void {
  if (isSameParty(actor.party, request.requester)) return
  const named = ruleOf(policy, request)
  const rules = named ? [named] : policy.approvals.filter((rule) => isFor(rule, request))
  if (rules.some(({ approvers }) => isDecider(approvers, actor.principal, policy))) return
  throw new SentinelError(
    'REVIEW_REFUSED',
    `request ${request.id} is ended by ${request.requester.user}, or by whoever may approve it`,
    { hint: whoMay(rules.flatMap(namesOf)) },
  )
}

/** The rule that `request` was made under, if it is still there and still for that profile. */
function ruleOf({ approvals }: Policy, request: AccessRequest): ApprovalRule | undefined {
  return approvals.find((rule) => rule.name === request.rule && isFor(rule, request))
}

/** Whom `rule` lets approve, as the policy writes them. */
function namesOf({ approvers }: ApprovalRule): readonly string[] {
  return approvers.map(({ text }) => text)
}

function whyNotReview(
  policy: Policy,
  request: AccessRequest,
  { principal, party }: Actor,
): SentinelError | undefined {
  const { id, requester, rule: name, profile } = request
  const rule = ruleOf(policy, request)
  if (isSameParty(party, requester)) {
    return new SentinelError('REVIEW_REFUSED', `request ${id} is your own (${party.person})`, {
      hint: rule ? whoMay(namesOf(rule)) : `withdraw it with: sentinel cancel ${id}`,
    })
  }
  if (rule === undefined) {
    return new SentinelError(
      'REVIEW_REFUSED',
      `the policy has no approvals rule "${name}" for ${profile} any more`,
      { hint: `have ${requester.user} ask again, under the policy as it is now` },
    )
  }
  if (isDecider(rule.approvers, principal, policy)) return undefined
  return new SentinelError(
    'REVIEW_REFUSED',
    `you (${party.person}) are not among the approvers of rule "${name}"`,
    { hint: whoMay(namesOf(rule)) },
  )
}

function isFor({ profiles }: ApprovalRule, { profile }: AccessRequest): boolean {
  return profiles.some((pattern) => matchesGlob(pattern, profile))
}

function whoMay(names: readonly string[]): string {
  return names.length === 0
    ? 'see who may with: sentinel policy validate'
    : `ask ${names.join(' or ')}`
}
