/**
 * The journal as CloudTrail would show it. Left out is what the stand-in does not know, and the
 * session token that CloudTrail does show in the response of AssumeRole: the journal has no
 * secrets.
 *
 * @module
 */

import { createHash } from 'node:crypto'
import { type Instant, toSeconds } from '../domain/time.ts'
import type { Identity } from './iam.ts'
import { type JournalCaller, type JournalEntry, sourceIdentityOf } from './journal.ts'
import { lowerFirst } from './shapes.ts'

/** An event as it stands in a trail. */
export type CloudTrailEvent = Readonly<Record<string, unknown>>

/**
 * The events in the trail of `account`, oldest first: the calls of its own principals, and the
 * calls by which others came into its roles. Calls that nobody could be found for are in no trail.
 */
export function cloudTrailEvents(
  journal: readonly JournalEntry[],
  account: string,
): CloudTrailEvent[] {
  return journal
    .filter((entry) => entry.outcome === 'answered' || entry.outcome === 'refused')
    .filter((entry) => recipientsOf(entry).includes(account))
    .map((entry) => toEvent(entry, account))
}

function recipientsOf({ caller, issued }: JournalEntry): (string | undefined)[] {
  return [caller?.identity.account, issued?.identity.account]
}

function toEvent(entry: JournalEntry, account: string): CloudTrailEvent {
  const { at, service, operation, region, requestId, issued } = entry
  const isAcrossAccounts = new Set(recipientsOf(entry).filter(Boolean)).size > 1
  return {
    eventVersion: '1.08',
    userIdentity: userIdentityOf(entry, account),
    eventTime: toSeconds(at),
    eventSource: `${service}.amazonaws.com`,
    eventName: operation,
    awsRegion: region || 'us-east-1',
    sourceIPAddress: '127.0.0.1',
    userAgent: entry.userAgent,
    ...(entry.errorCode && { errorCode: entry.errorCode, errorMessage: entry.errorMessage }),
    requestParameters: requestParametersOf(entry),
    responseElements: responseElementsOf(entry),
    requestID: requestId,
    eventID: eventId(requestId, account),
    readOnly: !/^(?:Put|Delete)/.test(operation),
    ...(issued?.identity.kind === 'role' && {
      resources: [
        {
          accountId: issued.identity.account,
          type: 'AWS::IAM::Role',
          ARN: issued.identity.role.arn,
        },
      ],
    }),
    eventType: 'AwsApiCall',
    managementEvent: true,
    recipientAccountId: account,
    ...(isAcrossAccounts && { sharedEventID: eventId(requestId, 'shared') }),
    eventCategory: 'Management',
  }
}

function userIdentityOf({ caller, issued }: JournalEntry, account: string): object | undefined {
  if (!caller) return issued && webIdentityUser(issued.identity)
  const { identity } = caller
  if (identity.account !== account) {
    // Another account's trail learns no more of the caller than this.
    return { type: 'AWSAccount', principalId: identity.userId, accountId: identity.account }
  }
  const session = sessionContextOf(caller)
  return {
    type: { root: 'Root', user: 'IAMUser', role: 'AssumedRole' }[identity.kind],
    principalId: identity.userId,
    arn: identity.arn,
    accountId: identity.account,
    accessKeyId: caller.accessKeyId,
    ...(identity.kind === 'user' && { userName: identity.name }),
    ...(session && { sessionContext: session }),
  }
}

function webIdentityUser(identity: Identity): object | undefined {
  if (identity.kind !== 'role' || !identity.web) return undefined
  const { issuer, subject } = identity.web
  return {
    type: 'WebIdentityUser',
    principalId: `${providerArn(identity.account, issuer)}:${subject}`,
    userName: subject,
    identityProvider: providerArn(identity.account, issuer),
  }
}

function sessionContextOf(caller: JournalCaller): object | undefined {
  const { identity, issuedAt, hasMFA, isSession } = caller
  if (!isSession) return undefined
  const sourceIdentity = sourceIdentityOf(identity)
  return {
    ...(identity.kind === 'role' && {
      sessionIssuer: {
        type: 'Role',
        principalId: identity.role.uniqueId,
        arn: identity.role.arn,
        accountId: identity.account,
        userName: identity.role.name,
      },
      ...(identity.web && {
        webIdFederationData: {
          federatedProvider: providerArn(identity.account, identity.web.issuer),
          attributes: {},
        },
      }),
    }),
    attributes: { creationDate: toSeconds(issuedAt), mfaAuthenticated: String(hasMFA) },
    ...(sourceIdentity !== undefined && { sourceIdentity }),
  }
}

function requestParametersOf({ parameters }: JournalEntry): object | null {
  const entries = Object.entries(parameters)
  if (entries.length === 0) return null
  return Object.fromEntries(entries.map(([name, value]) => [lowerFirst(name), value]))
}

function responseElementsOf({ issued, sourceIdentity }: JournalEntry): object | null {
  if (!issued) return null
  const { accessKeyId, expiration, identity } = issued
  return {
    credentials: { accessKeyId, expiration: toLongDate(expiration) },
    ...(identity.kind === 'role' && {
      assumedRoleUser: { assumedRoleId: identity.userId, arn: identity.arn },
    }),
    ...(sourceIdentity !== undefined && { sourceIdentity }),
  }
}

/** `Jan 14, 2026, 9:05:00 AM`: CloudTrail's way to write the expiration, and nothing else. */
function toLongDate(instant: Instant): string {
  const date = new Date(instant)
  // `Wed, 14 Jan 2026 09:05:00 GMT`
  const [, day, month, year, time = ''] = date.toUTCString().split(/,? /)
  const hours = date.getUTCHours()
  const half = hours < 12 ? 'AM' : 'PM'
  return `${month} ${Number(day)}, ${year}, ${hours % 12 || 12}${time.slice(2)} ${half}`
}

function providerArn(account: string, issuer: string): string {
  return `arn:aws:iam::${account}:oidc-provider/${issuer.replace('https://', '')}`
}

function eventId(requestId: string, which: string): string {
  const hex = createHash('sha256').update(`${requestId} ${which}`).digest('hex').slice(0, 32)
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
}
