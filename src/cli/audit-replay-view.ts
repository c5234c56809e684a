/**
 * What another policy would have decided: for people, and as CSV or JSON for programs.
 *
 * @module
 */
import { CHANGES, type Change, type ChangeGroup, type Replay } from '../app/replay-log.ts'
import { csvLine } from './csv.ts'
import { toJSON } from './output.ts'
import { inOneLine } from './session-table.ts'

/** What is decided by no rule is refused. */
const NO_RULE = '(no rule)'

const CHANGED: Readonly<Record<Change, string>> = {
  refused: 'allowed then, refused now',
  allowed: 'refused then, allowed now',
  rule: 'allowed by another rule',
  cap: 'allowed for less time than was issued',
}

/** How many groups of one change people look at. */
const GROUPS_SHOWN = 50

/** `replay` for people: a summary, then each group with the way to look closer. */
export function renderReplay(replay: Replay, reference: string): string {
  const { decided, unchanged, undecidable, changes, groups, ungrouped, from, to } = replay
  const period = from === undefined ? '' : `, ${shown(from)} to ${shown(to ?? from)}`
  const counts = [
    [unchanged, 'as before'],
    ...CHANGES.map((change) => [changes[change], CHANGED[change]] as const),
  ] as const
  const width = Math.max(...counts.map(([count]) => String(count).length))
  const lines = [
    `${reference} on ${plural(decided, 'logged access', 'logged accesses')}${period}:`,
    ...counts.map(([count, what]) => `  ${String(count).padStart(width)}  ${what}`),
  ]
  if (undecidable.undecided > 0) {
    lines.push(
      `not decided again: ${undecidable.undecided} that failed before the policy was asked`,
    )
  }
  if (undecidable.incomplete > 0) {
    lines.push(
      `not decided again: ${undecidable.incomplete} of which the record does not say enough`,
    )
  }
  for (const change of CHANGES) {
    lines.push(
      ...section(
        change,
        groups.filter((group) => group.change === change),
      ),
    )
  }
  if (ungrouped > 0)
    lines.push('', `and ${ungrouped} more changes, of too many kinds to tell apart`)
  return `${lines.join('\n')}\n`
}

function section(change: Change, groups: readonly ChangeGroup[]): string[] {
  if (groups.length === 0) return []
  const rest = groups.length - GROUPS_SHOWN
  return [
    '',
    `${CHANGED[change]}:`,
    ...groups.slice(0, GROUPS_SHOWN).flatMap(linesOf),
    ...(rest > 0 ? [`  and ${rest} more: see all of them with --format json`] : []),
  ]
}

function linesOf({ user, profile, count, reason, ...group }: ChangeGroup): string[] {
  const { change, oldRule = NO_RULE, newRule = NO_RULE, first, last, example } = group
  const rules = change === 'cap' ? newRule : `${oldRule} → ${newRule}`
  const times = first === last ? shown(first) : `${shown(first)} to ${shown(last)}`
  return [
    `  ${count} × ${inOneLine(user || '(unknown)')}, ${inOneLine(profile)}: ${inOneLine(rules)}`,
    `      ${inOneLine(reason)}`,
    `      ${times}${example === undefined ? '' : `, as in ${inOneLine(example)}`}`,
  ]
}

/** `replay` for programs, with the policy it was under. */
export function replayJSON(
  { groups, ...replay }: Replay,
  policy: { readonly reference: string; readonly sha256: string },
): string {
  return `${toJSON({ policy, ...replay, groups: groups.map(fieldsOf) }, 2)}\n`
}

const FIELDS = [
  ...['change', 'count', 'user', 'profile', 'old_rule', 'new_rule', 'reason'],
  ...['first', 'last', 'example'],
] as const

/** The groups of a replay, a line each. */
export function replayCSV({ groups }: Replay): string {
  const lines = groups.map((group) => {
    const fields: Readonly<Record<string, string | number | null>> = fieldsOf(group)
    return csvLine(FIELDS.map((name) => fields[name] ?? null))
  })
  return [csvLine(FIELDS), ...lines].join('')
}

function fieldsOf({ change, count, user, profile, ...group }: ChangeGroup) {
  const { oldRule = null, newRule = null, reason, first, last, example = null } = group
  const rules = { old_rule: oldRule, new_rule: newRule }
  return { change, count, user, profile, ...rules, reason, first, last, example }
}

function shown(time: string): string {
  return inOneLine(time).replace(/\.\d+Z$/, 'Z')
}

function plural(count: number, one: string, many: string): string {
  return `${count} ${count === 1 ? one : many}`
}
