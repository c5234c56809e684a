/**
 * How the explanation of a decision is shown: to people as a table of rules and what would change
 * the outcome, to programs as fields.
 *
 * @module
 */
import type { ExplainedAccess } from '../app/explain-access.ts'
import { adviceOf } from '../app/refusal.ts'
import { formatDuration } from '../domain/duration.ts'
import type { ApprovalWay, BreakGlassWay } from '../domain/policy/explain.ts'
import type { Change, Nearest } from '../domain/policy/nearest.ts'
import { toSeconds } from '../domain/time.ts'

/** Every rule with its conditions, then the decision, then what would change a refusal. */
export function renderExplanation(explained: ExplainedAccess): string {
  return [renderRules(explained), '', renderDecision(explained), ...renderWays(explained)].join(
    '\n',
  )
}

/** The rules alone, each condition with ✓ or ✗ and what was compared. */
export function renderRules({ decision, rules, boundTo }: ExplainedAccess): string {
  const lines = boundTo === undefined ? [] : [`no rule is asked: the name is bound to ${boundTo}`]
  for (const rule of rules) {
    const decides = decision.rule?.index === rule.index ? '  ← decides' : ''
    lines.push(`${mark(rule.matched)} ${rule.index + 1}. ${rule.name} (${rule.effect})${decides}`)
    for (const { matched, condition, expected, actual } of rule.conditions) {
      lines.push(`    ${mark(matched)} ${condition}: ${actual}, wanted ${expected.join(' or ')}`)
    }
  }
  return lines.join('\n')
}

/** The decision, and the rule that came nearest to another one. */
export function renderDecision({ decision, nearest }: ExplainedAccess): string {
  const { outcome, reason, maxDuration } = decision
  const lines = [`${outcome}: ${reason}`]
  if (maxDuration !== undefined) lines.push(`at most ${formatDuration(maxDuration)}`)
  if (nearest) lines.push(...renderNearest(nearest))
  return lines.join('\n')
}

/** What leads to access after a refusal, a line each. */
export function renderWays({
  decision: { remedies },
  approval,
  breakGlass,
  commands,
}: ExplainedAccess): string[] {
  const lines: string[] = []
  for (const remedy of remedies) {
    if (remedy.kind === 'request' || remedy.kind === 'break_glass') continue
    lines.push(`to change it: ${adviceOf(remedy)}`)
  }
  if (approval) lines.push(...renderApproval(approval), `    ${commands.request}`)
  if (breakGlass) lines.push(...renderBreakGlass(breakGlass), `    ${commands.breakGlass}`)
  return lines
}

const LISTS = { rule: 'rule', approval: 'approvals rule', break_glass: 'break-glass rule' } as const

function renderNearest({ kind, rule, index, effect, changes, isEnough }: Nearest): string[] {
  const number = kind === 'rule' ? ` ${index + 1}.` : ''
  const what = `nearest: ${LISTS[kind]}${number} ${rule}${effect === undefined ? '' : ` (${effect})`}`
  const claim = isEnough ? 'would let it be, with' : 'would need at least'
  return [`${what} ${claim}:`, ...changes.map((change) => `    ${describeChange(change)}`)]
}

const NAMES: Partial<Record<Change['what'], string>> = { break_glass: 'break-glass event' }

/** `mode: cli, wanted server`. */
function describeChange({ what, actual, expected, opensAt }: Change): string {
  const next = opensAt === undefined ? '' : ` (next from ${toSeconds(opensAt)})`
  return `${NAMES[what] ?? what}: ${actual}, wanted ${expected.join(' or ')}${next}`
}

/** A pattern may cover whoever asks, who never counts. */
function whoApproves(approvers: readonly string[], required: number): string {
  if (approvers.length === 0) return 'the rule itself'
  const isOpen = approvers.some((text) => text.includes('*'))
  if (isOpen) return `${required} of ${approvers.join(', ')}, never by whoever asks`
  return required < approvers.length
    ? `${required} of ${approvers.join(', ')}`
    : approvers.join(' and ')
}

function renderApproval({
  rule,
  approvers,
  required,
  maxDuration,
  automatic,
}: ApprovalWay): string[] {
  const limit = maxDuration === undefined ? '' : `, for ${formatDuration(maxDuration)} at most`
  const whom = whoApproves(approvers, required)
  const text = `to change it: approval by ${whom} (rule "${rule}"${limit})`
  if (automatic === undefined) return [text]
  const most = Number.isFinite(automatic) ? `, for ${formatDuration(automatic)} at most` : ''
  return [text, `    the rule approves by itself at this time${most}`]
}

function renderBreakGlass(way: BreakGlassWay): string[] {
  const { rule, reasonCodes, maxDuration, cooldown, maxPerUser, maxPerProfile } = way
  const quota = (each: string, limit: typeof maxPerUser) =>
    limit && `${limit.count} in ${formatDuration(limit.window)} ${each}`
  const terms = [
    `reason ${reasonCodes.join(' or ')}`,
    maxDuration !== undefined && `${formatDuration(maxDuration)} at most`,
    cooldown !== undefined && `${formatDuration(cooldown)} after the last one`,
    quota('a person', maxPerUser),
    quota('a profile', maxPerProfile),
    way.blockWhenOverdue && 'no review of yours overdue',
    way.reviewWithin !== undefined && `reviewed within ${formatDuration(way.reviewWithin)}`,
  ]
  return [`in an emergency: break the glass (rule "${rule}": ${terms.filter(Boolean).join('; ')})`]
}

/** The explanation for programs: the same keys each time. */
export function explanationFields(explained: ExplainedAccess) {
  const { decision, rules, boundTo, nearest, approval, breakGlass, commands } = explained
  return {
    decision,
    rules,
    bound_to: boundTo ?? null,
    nearest: nearest ? nearestFields(nearest) : null,
    approval: approval ? approvalFields(approval, commands.request) : null,
    break_glass: breakGlass ? breakGlassFields(breakGlass, commands.breakGlass) : null,
  }
}

function nearestFields({ isEnough, changes, ...nearest }: Nearest) {
  return {
    ...nearest,
    changes: changes.map(({ opensAt, ...change }) => ({
      ...change,
      ...(opensAt !== undefined && { opens_at: toSeconds(opensAt) }),
      text: describeChange({ ...change, ...(opensAt !== undefined && { opensAt }) }),
    })),
    is_enough: isEnough,
  }
}

function approvalFields(
  { maxDuration, automatic, ...way }: ApprovalWay,
  command: string | undefined,
) {
  return {
    ...way,
    max_duration: maxDuration ?? null,
    /** JSON has no word for no limit. */
    approves_itself: automatic !== undefined,
    automatic_max_duration: automatic !== undefined && automatic < Infinity ? automatic : null,
    command,
  }
}

function breakGlassFields(way: BreakGlassWay, command: string | undefined) {
  return {
    rule: way.rule,
    reason_codes: way.reasonCodes,
    max_duration: way.maxDuration ?? null,
    cooldown: way.cooldown ?? null,
    max_per_user: way.maxPerUser ?? null,
    max_per_profile: way.maxPerProfile ?? null,
    reviewers: way.reviewers ?? null,
    review_within: way.reviewWithin ?? null,
    block_when_overdue: way.blockWhenOverdue,
    overrides_deny: way.overridesDeny,
    command,
  }
}

function mark(matched: boolean): string {
  return matched ? '✓' : '✗'
}
