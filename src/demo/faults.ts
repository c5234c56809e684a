import { AWSError } from './aws-error.ts'

/** Something that goes wrong with the next calls. */
export interface Fault {
  /** The operation it strikes, such as `AssumeRole`. Absent: every one. */
  readonly operation?: string
  /** How many calls it strikes before it is used up; may be Infinity. Absent: one. */
  readonly times?: number
  /** How long the answer takes besides. */
  readonly latencyMs?: number
  /** What becomes of the answer. Absent: nothing, it is only late. */
  readonly outcome?: FaultOutcome
}

export type FaultOutcome =
  /** A 500, a throttling, an error of any code: the operation is not carried out. */
  | { readonly kind: 'internal_error' }
  | { readonly kind: 'throttling' }
  | { readonly kind: 'error'; readonly code: string; readonly status?: number }
  /** The connection is reset, or nothing is ever said. The operation is not carried out. */
  | { readonly kind: 'reset' }
  | { readonly kind: 'blackhole' }
  /** A 200 whose body is no answer. */
  | { readonly kind: 'garbage' }
  /** The operation is carried out, and the answer says that another role was assumed. */
  | { readonly kind: 'wrong_role'; readonly assumedRoleArn: string }

/** The faults to come, in the order in which they were scripted. */
export class FaultScript {
  #faults: { readonly fault: Fault; readonly left: number }[] = []

  add(fault: Fault): void {
    this.#faults.push({ fault, left: fault.times ?? 1 })
  }

  /** Takes the first fault that strikes a call of `operation`, once. */
  take(operation: string): Fault | undefined {
    const index = this.#faults.findIndex(
      ({ fault }) => fault.operation === undefined || fault.operation === operation,
    )
    const struck = this.#faults[index]
    if (!struck) return undefined
    const rest = struck.left > 1 ? [{ ...struck, left: struck.left - 1 }] : []
    this.#faults = this.#faults.toSpliced(index, 1, ...rest)
    return struck.fault
  }
}

/** The error that ends a call which `outcome` keeps from being carried out. */
export function faultError(outcome: FaultOutcome): AWSError {
  switch (outcome.kind) {
    case 'internal_error':
      return new AWSError(
        'InternalFailure',
        'The request processing has failed because of an unknown error, exception or failure.',
        500,
      )
    case 'throttling':
      return new AWSError('Throttling', 'Rate exceeded', 400)
    case 'error':
      return new AWSError(outcome.code, `scripted: ${outcome.code}`, outcome.status)
    default:
      // Never seen: no answer of the service goes out.
      return new AWSError(outcome.kind, `scripted: ${outcome.kind}`)
  }
}
