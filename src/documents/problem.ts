import { type ErrorCode, SentinelError } from '../errors.ts'
import type { Position, PositionOf } from './position.ts'

/** Something wrong in a document, where it stands. */
export interface Problem extends Position {
  /** Lower case, no full stop, as in a `SentinelError`. */
  readonly message: string
  readonly hint?: string
}

/** A problem before it is shown: its position and its hint cost time, and there may be many. */
export interface Finding {
  /** An offset. */
  readonly at: number
  readonly message: string
  readonly hint?: string | undefined
  readonly suggest?: (() => string | undefined) | undefined
}

/** More are counted, but not told: nobody reads on, and a hostile document has thousands. */
const TOLD_MAX = 100

/** The first hundred of `findings`, in the order in which they stand in the document. */
export function toProblems(findings: readonly Finding[], position: PositionOf): Problem[] {
  const told = findings.toSorted((a, b) => a.at - b.at).slice(0, TOLD_MAX)
  return told.map(({ at, message, hint, suggest }) => {
    const advice = hint ?? suggest?.()
    return { ...position(at), message, ...(advice !== undefined && { hint: advice }) }
  })
}

/** `policy.yaml:3:5: "effects" is not a key of a rule`: the form from which editors jump. */
export function locate({ line, column, message }: Problem, reference: string): string {
  return `${reference}:${line}:${column}: ${message}`
}

/**
 * The error for a document with `problems`: the first of them, and the command that shows the rest
 * if there is more than one.
 */
export function toError(
  code: Extract<ErrorCode, 'POLICY_INVALID' | 'CONFIG_INVALID'>,
  reference: string,
  problems: readonly Problem[],
  command?: string,
): SentinelError {
  const [first = { line: 1, column: 1, message: 'the document is not valid' }, ...others] = problems
  const rest = others.length === 1 ? 'one more problem' : `${others.length} more problems`
  const advice =
    others.length > 0 && command !== undefined ? `see ${rest} with: ${command}` : undefined
  const hint = [first.hint, advice].filter((part) => part !== undefined).join('; ')
  return new SentinelError(code, locate(first, reference), { hint: hint || undefined })
}
