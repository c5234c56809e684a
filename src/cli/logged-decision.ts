/**
 * How a record of a decision, and what is to be said of it, is shown: to people and to programs.
 *
 * @module
 */
import type { ExplainedRecord } from '../app/explain-record.ts'
import type { FoundDecision } from '../app/find-refusal.ts'
import type { LoggedRecord } from '../domain/log-record.ts'
import { toSeconds } from '../domain/time.ts'
import { explanationFields, renderDecision, renderRules, renderWays } from './explanation.ts'
import { columns } from './output.ts'

interface PolicyRead {
  readonly reference: string
  readonly version?: number
  readonly sha256: string
}

/** The policy that is asked now, or why none is. */
export type PolicyTold = PolicyRead | { readonly error: string }

/** Characters of a SHA-256: for people to compare. */
const SHORT_HASH_LENGTH = 12

interface Told {
  readonly found: FoundDecision
  readonly explained: ExplainedRecord
  readonly policy: PolicyTold | undefined
}

/** What the record says, what that means, and how the policy decides it now. */
export function renderLogged({ found, explained, policy }: Told): string {
  const { meaning } = explained
  const sections = [
    columns(rowsOf(found)),
    meaning && !explained.same && renderMeaning(found.record, explained),
    policy && 'sha256' in policy && renderSame(found.record, explained, policy),
    renderAgain(explained),
  ]
  return sections.filter(Boolean).join('\n\n')
}

/** The same for programs, with the same keys each time. */
export function loggedFields({ found, explained, policy }: Told) {
  const { meaning, decided, same, again } = explained
  const { record, at, isAnnulled, repeats, served } = found
  const isRead = policy !== undefined && 'sha256' in policy
  return {
    record,
    file: at.path,
    line: at.line,
    carried_out: !isAnnulled,
    repeats,
    served,
    meaning: meaning ? { when: meaning.when, next: meaning.next ?? null } : null,
    decided: decided ?? null,
    policy_now: isRead ? policy : null,
    policy_error: policy && !isRead ? policy.error : null,
    same_policy: same?.isSamePolicy ?? null,
    explanation: same
      ? { at: toSeconds(same.input.at), ...explanationFields(same.explained) }
      : null,
    again: again ? { at: toSeconds(again.at), ...explanationFields(again.explained) } : null,
  }
}

function rowsOf({ record, isAnnulled, repeats, served }: FoundDecision): string[][] {
  const { outcome, type, code, user, principal, profile, role_arn: role, mode } = record
  const rows: [name: string, value: string | false | undefined][] = [
    ['time', record.time],
    ['outcome', [outcome ?? type, code].filter(Boolean).join(' ')],
    ['taken back', isAnnulled && 'the record could not be made durable: nothing came of it'],
    ['reason', record.reason],
    ['rule', describeRule(record)],
    ['user', principal === undefined ? user : `${user} (${principal})`],
    ['profile', role === undefined ? profile : `${profile} (${role})`],
    ['mode', mode],
    ['grant', record.grant_id && `${record.basis} ${record.grant_id}`],
    ['policy', record.policy && describePolicy(record.policy)],
    ['session', record.session_id],
    ['request', record.request_id],
    ['repeated', repeats > 0 && `${repeats} times more`],
    ['served', served > 0 && `${served} times`],
  ]
  return rows.flatMap(([name, value]) => (value ? [[name, inOneLine(value)]] : []))
}

function describeRule({ rule, rule_index: index, effect }: LoggedRecord): string | undefined {
  if (effect === undefined) return undefined
  return rule === undefined
    ? `none matched (${effect})`
    : `${(index ?? 0) + 1}. ${rule} (${effect})`
}

function describePolicy({
  reference,
  version,
  sha256,
}: NonNullable<LoggedRecord['policy']>): string {
  const parts = [
    String(reference),
    version !== undefined && `version ${version}`,
    sha256 !== undefined && `sha256 ${shortHash(sha256)}`,
  ]
  return parts.filter(Boolean).join(', ')
}

function renderMeaning({ code }: LoggedRecord, { meaning, decided }: ExplainedRecord): string {
  const lines = [`${code}: ${meaning?.when}`]
  if (decided === 'allow')
    lines.push('the policy had allowed it: this was not for its rules to decide')
  if (meaning?.next !== undefined) lines.push(`to go on: ${meaning.next}`)
  return lines.join('\n')
}

function renderSame(
  record: LoggedRecord,
  { same, decided }: ExplainedRecord,
  policy: PolicyRead,
): string | undefined {
  if (!same) return undefined
  const { isSamePolicy, explained } = same
  const lead = isSamePolicy
    ? [`under the same policy, at ${toSeconds(same.input.at)}:`]
    : [
        `the policy has changed since: it is now ${describePolicy(policy)}`,
        `decided then: ${decided}${record.rule === undefined ? '' : ` by rule "${inOneLine(record.rule)}"`}`,
        `the same access at the same time, by the policy as it is now: ${explained.decision.outcome}`,
      ]
  return [...lead, '', renderRules(explained), '', renderDecision(explained)].join('\n')
}

function renderAgain({ again }: ExplainedRecord): string | undefined {
  if (!again) return undefined
  const { decision } = again.explained
  const lines = [
    `asked for again now, at ${toSeconds(again.at)}, without a grant:`,
    `${decision.outcome}: ${decision.reason}`,
    ...renderWays(again.explained),
  ]
  return lines.join('\n')
}

function shortHash(sha256: string): string {
  return String(sha256).slice(0, SHORT_HASH_LENGTH)
}

function inOneLine(text: string): string {
  return text.replaceAll('\n', '\\n')
}
