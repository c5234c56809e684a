/**
 * Events as CloudTrail writes them. Each source identity has its own place, and only that one is
 * read: what the call asked for, what the session got, what the caller had. Everything may be
 * absent, null, or of another type than usual.
 *
 * @module
 */
import type { TrailEvent } from '../ports/trail.ts'

type Fields = Readonly<Record<string, unknown>>

const ROLE = 'AWS::IAM::Role'

/** Reads an event; `undefined` when it cannot be known what happened, where and when. */
export function parseTrailEvent(text: string | undefined): TrailEvent | undefined {
  const event = parseObject(text)
  const { id, name, region, at } = {
    id: textOf(event?.eventID),
    name: textOf(event?.eventName),
    region: textOf(event?.awsRegion),
    at: Date.parse(textOf(event?.eventTime) ?? ''),
  }
  if (!event || !id || !name || !region || !Number.isFinite(at)) return undefined
  const fields = Object.entries({ id, name, region, at, ...callOf(event), ...callerOf(event) })
  // Only what may be absent can be undefined by now, and undefined becomes absent.
  return Object.fromEntries(
    fields.filter(([, field]) => field !== undefined),
  ) as unknown as TrailEvent
}

function callOf(event: Fields) {
  const asked = fieldsOf(event.requestParameters)
  const answer = fieldsOf(event.responseElements)
  return {
    roleArn: textOf(asked.roleArn) ?? roleAmong(event.resources),
    sessionName: textOf(asked.roleSessionName),
    askedSourceIdentity: textOf(asked.sourceIdentity),
    issuedSourceIdentity: textOf(answer.sourceIdentity),
    issuedAccessKeyId: textOf(fieldsOf(answer.credentials).accessKeyId),
    sourceIp: textOf(event.sourceIPAddress),
    userAgent: textOf(event.userAgent),
    errorCode: textOf(event.errorCode),
  }
}

function callerOf(event: Fields) {
  const identity = fieldsOf(event.userIdentity)
  return {
    caller:
      textOf(identity.arn) ??
      textOf(identity.invokedBy) ??
      textOf(identity.principalId) ??
      textOf(identity.userName),
    callerAccessKeyId: textOf(identity.accessKeyId),
    callerSourceIdentity: textOf(fieldsOf(identity.sessionContext).sourceIdentity),
  }
}

function roleAmong(resources: unknown): string | undefined {
  if (!Array.isArray(resources)) return undefined
  const roles = resources.map(fieldsOf).filter(({ type }) => type === ROLE)
  return textOf(roles[0]?.ARN)
}

function parseObject(text: string | undefined): Fields | undefined {
  try {
    const value: unknown = JSON.parse(text ?? '')
    return isObject(value) ? value : undefined
  } catch {
    // A SyntaxError is how JSON says that this is none.
    return undefined
  }
}

function fieldsOf(value: unknown): Fields {
  return isObject(value) ? value : {}
}

function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** CloudTrail writes an empty text, now and then, for what it has not. */
function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined
}
