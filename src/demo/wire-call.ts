import type { AWSError } from './aws-error.ts'
import type { WireRequest } from './loopback.ts'
import type { StructureShape } from './shapes.ts'

/** What a request asks for, before anything of it is believed. */
interface WireCall {
  readonly operation: string
  /** Whether the request is for the version of the API that the stand-in knows. */
  readonly isKnownVersion: boolean
  /** The refusal of an operation that does not exist. */
  unknown(): AWSError
  /** The parameters, taken apart but not checked. */
  read(shape: StructureShape): unknown
}

/** How a service is spoken to. */
export interface Protocol {
  readonly contentType: string
  /** Throws `AWSError` when it is no call at all. */
  parse(request: WireRequest): WireCall
  result(operation: string, result: Readonly<Record<string, unknown>>, requestId: string): string
  error(error: AWSError, requestId: string): { readonly status: number; readonly body: string }
}
