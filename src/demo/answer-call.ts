import type { Instant } from '../domain/time.ts'
import { authenticate, type Gate, missingToken, type Signer } from './authenticate.ts'
import { AWSError } from './aws-error.ts'
import { type Fault, type FaultOutcome, type FaultScript, faultError } from './faults.ts'
import { type JournalEntry, type Service, sourceIdentityOf, toJournalCaller } from './journal.ts'
import { jsonProtocol } from './json-protocol.ts'
import type { WireReply, WireRequest } from './loopback.ts'
import type { Operation, Operations, Outcome } from './operation.ts'
import { queryProtocol } from './query-protocol.ts'
import { conform, withoutSecrets } from './shapes.ts'
import { headerOf } from './sigv4.ts'
import type { Protocol } from './wire-call.ts'

/** What the services are made of. */
export interface Backend extends Gate {
  readonly operations: Readonly<Record<Service, Operations>>
  readonly faults: FaultScript
}

/** What a call came to. */
export interface Answer {
  readonly reply: WireReply
  readonly entry: JournalEntry
  /** How long to hold the reply back. */
  readonly latencyMs: number
}

/** What is found out about a call, step by step: whatever ends it, the journal has this much. */
interface Findings {
  readonly now: Instant
  readonly requestId: string
  readonly service: Service
  operation: string
  parameters: JournalEntry['parameters']
  signer?: Signer
  fault?: Fault
  issued?: NonNullable<JournalEntry['issued']>
  error?: AWSError
}

const PROTOCOLS: Readonly<Record<Service, Protocol>> = { sts: queryProtocol, ssm: jsonProtocol }

/** Answers one request: with a result, with an error in the service's own form, or as scripted. */
export function answerCall(
  backend: Backend,
  request: WireRequest,
  { requestId, now }: { requestId: string; now: Instant },
): Answer {
  // The two services share one address; only SSM's protocol names its target in a header.
  const service: Service = headerOf(request, 'x-amz-target') === undefined ? 'sts' : 'ssm'
  const findings: Findings = { now, requestId, service, operation: '', parameters: {} }
  const content = contentOf(backend, request, findings)
  return {
    reply: toReply(content, findings),
    entry: toEntry(request, findings),
    latencyMs: findings.fault?.latencyMs ?? 0,
  }
}

/** Carries the call out. A refusal is kept in `findings`, and is the content. */
function contentOf(
  backend: Backend,
  request: WireRequest,
  findings: Findings,
): { status: number; body: string } {
  const protocol = PROTOCOLS[findings.service]
  try {
    const { result } = carryOut(backend, request, findings)
    return { status: 200, body: protocol.result(findings.operation, result, findings.requestId) }
  } catch (error) {
    findings.error = toAWSError(error)
    return protocol.error(findings.error, findings.requestId)
  }
}

function carryOut(backend: Backend, request: WireRequest, findings: Findings): Outcome {
  const { now, service } = findings
  if (request.isTooLarge) throw new AWSError('RequestEntityTooLarge', 'Request too large', 413)
  const call = PROTOCOLS[service].parse(request)
  findings.operation = call.operation
  const operation = findOperation(backend.operations[service], call.operation)
  if (!operation || !call.isKnownVersion) throw call.unknown()

  const signer = authenticate(backend, request, { service, now })
  if (signer) findings.signer = signer
  const run = bind(operation, signer, now)
  const fault = backend.faults.take(call.operation)
  if (fault) findings.fault = fault
  const raw = call.read(operation.shape)
  findings.parameters = withoutSecrets(operation.shape, raw) as JournalEntry['parameters']
  if (preventsCall(fault?.outcome)) throw faultError(fault.outcome)

  const outcome = run(conform(operation.shape, raw))
  if (outcome.issued) {
    const { accessKeyId, expiration, identity } = outcome.issued
    findings.issued = { accessKeyId, expiration, identity }
  }
  return withWrongRole(outcome, fault?.outcome)
}

function findOperation(operations: Operations, name: string): Operation | undefined {
  return Object.hasOwn(operations, name) ? operations[name] : undefined
}

/** The operation, for who signed. Throws when somebody must have signed and nobody has. */
function bind(
  operation: Operation,
  signer: Signer | undefined,
  now: Instant,
): (parameters: unknown) => Outcome {
  if (operation.access === 'open') return (parameters) => operation.run({ now }, parameters)
  if (!signer) throw missingToken()
  return (parameters) => operation.run({ now, ...signer }, parameters)
}

function preventsCall(outcome: FaultOutcome | undefined): outcome is FaultOutcome {
  return outcome !== undefined && outcome.kind !== 'wrong_role'
}

function withWrongRole(outcome: Outcome, fault: FaultOutcome | undefined): Outcome {
  if (fault?.kind !== 'wrong_role' || !outcome.issued) return outcome
  const { userId } = outcome.issued.identity
  const wrong = { AssumedRoleId: userId, Arn: fault.assumedRoleArn }
  return { ...outcome, result: { ...outcome.result, AssumedRoleUser: wrong } }
}

/** Anything but a refusal is a bug of the stand-in, which AWS would call an internal failure. */
function toAWSError(error: unknown): AWSError {
  return error instanceof AWSError ? error : new AWSError('InternalFailure', String(error), 500)
}

function toReply(content: { status: number; body: string }, findings: Findings): WireReply {
  const outcome = findings.fault?.outcome
  if (outcome?.kind === 'reset') return { kind: 'reset' }
  if (outcome?.kind === 'blackhole') return { kind: 'silence' }
  const { contentType } = PROTOCOLS[findings.service]
  return {
    kind: 'answer',
    headers: { 'content-type': contentType, 'x-amzn-requestid': findings.requestId },
    ...(outcome?.kind === 'garbage' ? { status: 200, body: '<<< {"garbage' } : content),
  }
}

function toEntry(request: WireRequest, findings: Findings): JournalEntry {
  const { now, requestId, service, operation, parameters, signer, fault, issued, error } = findings
  const caller = signer && toJournalCaller(signer.caller)
  const sourceIdentity = sourceIdentityOf(issued?.identity ?? caller?.identity)
  return {
    at: now,
    requestId,
    service,
    region: signer?.region ?? '',
    operation,
    parameters,
    userAgent: headerOf(request, 'user-agent') ?? '',
    outcome: fault?.outcome ? 'faulted' : error ? 'refused' : 'answered',
    ...(caller && { caller }),
    ...(error && { errorCode: error.code, errorMessage: error.message }),
    ...(sourceIdentity !== undefined && { sourceIdentity }),
    ...(issued && { issued }),
  }
}
