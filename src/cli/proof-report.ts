import type { ProofFinding } from '../app/check-proof.ts'
import { type LogProof, treeOf } from '../domain/log-proof.ts'
import type { LoggedRecord } from '../domain/log-record.ts'
import { signedFields } from '../domain/log-statement.ts'
import { columns } from './output.ts'
import { inOneLine } from './session-table.ts'

/** What a proof proves, or why it proves nothing, for people. */
export function describeProof(proof: LogProof, { record, problems }: ProofFinding): string {
  const title =
    problems.length === 0
      ? `proven: ${headline(record)}`
      : ['not proven:', ...problems.map((problem) => `  ${problem}`)].join('\n')
  const rows = [...recordRows(record), ...placeRows(proof)]
    .filter((row): row is [string, string] => row[1] !== undefined)
    .map(([name, value]) => [name, inOneLine(value)])
  return `${title}\n\n${columns(rows)}`
}

/** The same for programs. */
export function proofFields(proof: LogProof, { record, problems }: ProofFinding) {
  const { lines, root } = treeOf(proof)
  return {
    proven: problems.length === 0,
    problems,
    record,
    index: proof.index,
    lines,
    root,
    statement: 'signed' in proof ? signedFields(proof.signed) : null,
  }
}

type Row = readonly [name: string, value: string | undefined]

function headline({ type, outcome, user, profile, time, expires_at: end }: LoggedRecord): string {
  const who = inOneLine(String(user ?? 'somebody'))
  const what = inOneLine(String(profile ?? 'a profile'))
  if (type === 'issued') {
    return `${who} got credentials for ${what} at ${inOneLine(time)}${end ? `, until ${inOneLine(String(end))}` : ''}`
  }
  const why = outcome === 'failed' ? 'got none: it failed' : 'was refused them'
  return `${who} asked for credentials for ${what} at ${inOneLine(time)}, and ${why}`
}

/** Values are of whatever type a stranger's line gave them: what is no text is left out. */
function recordRows(record: LoggedRecord): Row[] {
  const names = [
    'request_id',
    'principal',
    'role_arn',
    'access_key_id',
    'source_identity',
    'mode',
    'effect',
    'basis',
    'rule',
    'code',
    'reason',
    'grant_id',
    'session_id',
  ] as const
  return names.map((name) => [name.replaceAll('_', ' '), textOf(record[name])])
}

function placeRows(proof: LogProof): Row[] {
  const { lines, root } = treeOf(proof)
  const place: Row[] = [
    ['line', `${proof.index + 1} of ${lines}`],
    ['root', root],
  ]
  if (!('signed' in proof)) return place
  const { statement, signature } = proof.signed
  return [
    ...place,
    ['log', `${statement.log} on ${statement.host}`],
    ['signed at', statement.time],
    ['signed by', `${signature.algorithm} key ${signature.keyId}`],
  ]
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}
