/**
 * What `audit verify` found: for people what matters first, for programs all of it.
 *
 * @module
 */
import type { Contradiction, LogVerdict } from '../app/verify-log.ts'
import type { SignedStatement } from '../domain/log-statement.ts'
import { formatTree } from '../domain/log-statement.ts'
import type { ChainProblem, LogFileInfo, OpenStream, VerifyOptions } from '../ports/log-archive.ts'
import { columns } from './output.ts'
import { inOneLine } from './session-table.ts'
import { describeStatement, statementFields } from './verify-statement.ts'

/** A log that was verified, and how. */
export interface Verified {
  readonly verdict: LogVerdict
  readonly files: readonly LogFileInfo[]
  readonly extent: VerifyOptions['extent']
  readonly statement: SignedStatement | undefined
}

/** How many problems, and open streams, people are shown. */
const PROBLEMS_SHOWN = 20
const OPEN_SHOWN = 10

/** For people. */
export function describeVerdict(verified: Verified): string {
  const { verdict } = verified
  return [
    ...describeProblems(verdict),
    describeOutcome(verified),
    ...describeAnchors(verified),
    ...(verified.statement ? [describeStatement(comparisonOf(verified, verified.statement))] : []),
    ...describeTakenBack(verdict.report),
    ...(verdict.report.root === undefined ? [] : [`root ${rootOf(verdict.report)}`]),
    ...describeOpen(verdict.report),
  ].join('\n')
}

/** For programs. */
export function verdictFields(verified: Verified) {
  const { verdict, files, extent, statement } = verified
  const { report, contradictions, unread } = verdict
  return {
    outcome: verdict.outcome,
    extent,
    files: files.map(({ path, bytes, isCompressed }) => ({
      path,
      bytes,
      compressed: isCompressed,
    })),
    lines: report.lines,
    streams: report.streams,
    annulled: report.annulled,
    torn: report.torn,
    from: report.from ?? null,
    to: report.to ?? null,
    root: report.root === undefined ? null : rootOf(report),
    problem_count: report.problemCount,
    problems: report.problems.map(({ fault, at, stream, seq, detail }) => ({
      fault,
      file: at?.path ?? null,
      line: at?.line ?? null,
      stream: stream ?? null,
      seq: seq ?? null,
      detail,
    })),
    anchors: {
      checked: verdict.anchors,
      contradictions: contradictions.map(({ by, stream, seq, hash, outcome }) => ({
        by,
        stream,
        seq: seq ?? null,
        hash,
        outcome,
      })),
      unread: unread.map(({ source, error: { code, message } }) => ({ source, code, message })),
    },
    statement: statement ? statementFields(comparisonOf(verified, statement)) : null,
    open_count: report.openCount,
    open: report.open.map(({ head, last }) => ({ ...head, ...last })),
  }
}

function describeProblems({ report, contradictions }: LogVerdict): string[] {
  const shown = report.problems.slice(0, PROBLEMS_SHOWN).map(describeProblem)
  const more = report.problemCount - shown.length
  const contradicted = contradictions.slice(0, PROBLEMS_SHOWN).map(describeContradiction)
  const moreContradicted = contradictions.length - contradicted.length
  return [
    ...shown,
    ...(more > 0 ? [`and ${count(more, 'more problem')}`] : []),
    ...contradicted,
    ...(moreContradicted > 0 ? [`and ${count(moreContradicted, 'more anchor')} so`] : []),
  ]
}

/** As compilers do: `decisions.jsonl:4711: edited: …`. */
function describeProblem({ at, fault, stream, seq, detail }: ChainProblem): string {
  const where = at ? `${at.path}:${at.line}` : `stream ${stream}`
  const which = at && stream !== undefined ? ` (line ${seq} of stream ${stream})` : ''
  return inOneLine(`${where}: ${fault}: ${detail}${which}`)
}

const CONTRADICTED = {
  annulled: 'was taken back by a later line, though it was safe on the disk',
  different: 'is another one now',
  absent: 'is gone',
} as const satisfies Record<Contradiction['outcome'], string>

function describeContradiction({ stream, seq, outcome, by }: Contradiction): string {
  const line = seq === undefined ? 'a line' : `line ${seq}`
  const fault = outcome === 'absent' ? 'missing' : 'edited'
  const what = `${line} of the stream ${CONTRADICTED[outcome]}, by ${by}`
  return inOneLine(`stream ${stream}: ${fault}: ${what}`)
}

function describeOutcome({ verdict, files, extent }: Verified): string {
  const { report, contradictions, differences, outcome } = verdict
  const { lines, streams, from, to } = report
  const wrong = report.problemCount + contradictions.length + differences.length
  const period = from !== undefined && to !== undefined ? `, ${inOneLine(`${from} to ${to}`)}` : ''
  const log = `${count(lines, 'line')} of ${count(streams, 'stream')} in ${count(files.length, 'file')}${period}`
  const part = extent === 'part' ? ', as a part of a log' : ''
  switch (outcome) {
    case 'sound':
      return `sound${part}: ${log}`
    case 'unsound':
      return `not sound: ${count(wrong, 'problem')} in ${log}`
    case 'unknown':
      return `sound${part}, as far as it could be checked: ${log}`
  }
}

function describeAnchors({ verdict, extent }: Verified): string[] {
  const { anchors, contradictions, unread } = verdict
  const failed = unread.map(({ source, error }) =>
    inOneLine(`not checked: ${source} could not be read: ${error.message}`),
  )
  if (anchors === 0) return failed
  const agreeing = anchors - contradictions.length
  const agree =
    agreeing < anchors
      ? `${agreeing} of ${count(anchors, 'anchor')} agree`
      : anchors === 1
        ? '1 anchor agrees'
        : `all ${anchors} anchors agree`
  return [extent === 'part' ? `${agree}, as far as these files go` : agree, ...failed]
}

function describeTakenBack({ annulled, torn }: LogVerdict['report']): string[] {
  const parts = [
    ...(annulled > 0 ? [`${count(annulled, 'line')} taken back`] : []),
    ...(torn > 0 ? [`${count(torn, 'line')} torn`] : []),
  ]
  return parts.length > 0 ? [`${parts.join(' and ')}, by writes that failed`] : []
}

function describeOpen({ open, openCount }: LogVerdict['report']): string[] {
  if (openCount === 0) return []
  const shown = open.slice(-OPEN_SHOWN).toReversed()
  const streams = openCount === 1 ? '1 stream ends' : `${openCount} streams end`
  const which = openCount > shown.length ? `; the last ${shown.length}:` : ':'
  return [
    `${streams} without stop (a crash, a run that goes on, or an end that was cut: only anchors tell)${which}`,
    columns(shown.map(openRow)),
  ]
}

function openRow({ head, last }: OpenStream): string[] {
  const who = [last.user, last.profile && `on ${last.profile}`].filter(Boolean).join(' ')
  const cells = [
    `  ${head.stream}`,
    `line ${head.seq}`,
    last.time,
    last.type,
    `${last.host} pid ${last.pid}`,
    who,
  ]
  return cells.map(inOneLine)
}

function comparisonOf({ verdict, extent }: Verified, statement: SignedStatement) {
  return { statement, extent, differences: verdict.differences }
}

function rootOf({ lines, root = '' }: LogVerdict['report']): string {
  return formatTree({ lines, root })
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`
}
