import type { Instant } from '../domain/time.ts'
import type { AccessKey, SessionKey } from './directory.ts'
import type { StructureShape, Value } from './shapes.ts'

/** One call, as an operation sees it: the parameters are conforming, the signature is good. */
export interface Call {
  readonly now: Instant
}

export interface SignedCall extends Call {
  readonly region: string
  readonly caller: AccessKey
}

export interface Outcome {
  /** The members of the response. */
  readonly result: Readonly<Record<string, unknown>>
  /** The credentials in it. */
  readonly issued?: SessionKey
}

/** An operation of a service: its request's shape, and what it does. Throws `AWSError`. */
export type Operation = { readonly shape: StructureShape } & (
  | { readonly access: 'signed'; run(call: SignedCall, parameters: unknown): Outcome }
  | { readonly access: 'open'; run(call: Call, parameters: unknown): Outcome }
)

export type Operations = Readonly<Record<string, Operation>>

/** An operation for whoever signs. */
export function signed<const S extends StructureShape>(
  shape: S,
  run: (call: SignedCall, parameters: Value<S>) => Outcome,
): Operation {
  return { shape, access: 'signed', run: (call, parameters) => run(call, parameters as Value<S>) }
}

/** An operation for whoever brings a token of somebody that AWS trusts. */
export function open<const S extends StructureShape>(
  shape: S,
  run: (call: Call, parameters: Value<S>) => Outcome,
): Operation {
  return { shape, access: 'open', run: (call, parameters) => run(call, parameters as Value<S>) }
}
