/**
 * What documents name of AWS and of the network: accounts, roles, tables, topics, addresses.
 *
 * @module
 */
import { SHIP_TARGET } from '../domain/ship-target.ts'
import { STORE_FORMS, STORE_LOCATION } from '../domain/store-location.ts'
import { formed, text } from './fields.ts'

const REGION = '[a-z]{2,5}(?:-[a-z]+)+-\\d{1,2}'

export function account(description: string) {
  return formed({
    noun: 'an account id of 12 digits',
    description,
    pattern: /^\d{12}$/,
    hint: 'write all 12 digits in quotes, zeros in front too',
  })
}

/** A role's ARN, or a glob over such ARNs. */
export function rolePattern(description: string) {
  return text({
    noun: 'a role ARN or a pattern of one',
    description,
    pattern: ROLE_PATTERN,
    parse: (text) => (ROLE_PATTERN.test(text) ? text : undefined),
    advise: (text) =>
      text.includes(':assumed-role/')
        ? 'write the ARN of the role, not of its session: arn:aws:iam::ACCOUNT:role/NAME'
        : 'write arn:aws:iam::ACCOUNT:role/NAME, with * where anything may stand',
  })
}

const ROLE_PATTERN = /^arn:[a-z*-]+:iam::(?:\d{12}|(?=\d*\*)[\d*]+):role\/[\w+=,.@/*-]+$/

export function roleArn(description: string) {
  return formed({
    noun: 'the ARN of a role',
    description,
    pattern: /^arn:[a-z-]+:iam::\d{12}:role\/[\w+=,.@/-]+$/,
    hint: 'write arn:aws:iam::ACCOUNT:role/NAME',
  })
}

export function topicArn(description: string) {
  return formed({
    noun: 'the ARN of an SNS topic',
    description,
    pattern: new RegExp(`^arn:aws[a-z-]*:sns:${REGION}:\\d{12}:[\\w-]{1,256}(?:\\.fifo)?$`),
    hint: 'write arn:aws:sns:REGION:ACCOUNT:TOPIC',
  })
}

export function region(description: string) {
  return formed({
    noun: 'an AWS region',
    description,
    pattern: new RegExp(`^${REGION}$`),
    hint: 'write it as eu-central-1',
  })
}

/** Where sessions, requests or break-glass events are kept. */
export function storeLocation(description: string) {
  return formed({
    noun: 'a place for a store',
    description: `${description} ${STORE_FORMS}.`,
    pattern: STORE_LOCATION,
    hint: `write ${STORE_FORMS}`,
  })
}

/** Where the policy is kept. */
export function policyLocation(description: string) {
  return formed({
    noun: 'a place for a policy',
    description: `${description} file:PATH or ssm:[REGION:]NAME.`,
    pattern: new RegExp(`^(?:file:\\S(?:.*\\S)?|ssm:(?:${REGION}:)?[\\w./-]{1,1011})$`),
    hint: 'write file:PATH or ssm:[REGION:]NAME',
  })
}

/** A table that anchors of the decision log are kept in. */
export function anchorLocation(description: string) {
  return formed({
    noun: 'a table',
    description: `${description} dynamodb:[REGION:]TABLE or the ARN of a table.`,
    pattern: new RegExp(STORE_LOCATION.source.replace('memory:|local|sqlite:\\S(?:.*\\S)?|', '')),
    hint: 'write dynamodb:[REGION:]TABLE or the ARN of a table',
  })
}

/** Where the decision log is shipped to. */
export function shipTarget(description: string) {
  return text({
    noun: 'a place to ship the log to',
    isSecret: true,
    description: `${description} cloudwatch:GROUP/STREAM or https://HOST/PATH.`,
    pattern: SHIP_TARGET,
    parse: (text) => {
      const isURL = SHIP_TARGET.test(text) && !text.startsWith('cloudwatch:')
      if (isURL && !isSafeURL(text, ['https:'], { loopback: 'http:' })) return undefined
      return SHIP_TARGET.test(text) ? text : undefined
    },
    hint: 'write cloudwatch:GROUP/STREAM or https://HOST/PATH, without user or password',
  })
}

/** An address to post to. Plain HTTP would show what is posted, except on this very machine. */
export function webhookURL(description: string) {
  return text({
    noun: 'an https address',
    isSecret: true,
    description,
    pattern: /^https?:\/\/[^\s/@]+(?:\/\S*)?$/,
    parse: (text) => (isSafeURL(text, ['https:'], { loopback: 'http:' }) ? text : undefined),
    hint: 'write https://HOST/PATH without user or password; http only for 127.0.0.1',
  })
}

export function endpointURL(description: string) {
  return text({
    noun: 'an https address',
    isSecret: true,
    description,
    pattern: /^https:\/\/[^\s/@]+(?:\/\S*)?$/,
    parse: (text) => (isSafeURL(text, ['https:']) ? text : undefined),
    hint: 'write https://HOST without user or password',
  })
}

export function proxyURL(description: string) {
  return text({
    noun: 'the address of a proxy',
    isSecret: true,
    description,
    pattern: /^https?:\/\/[^\s/@]+\/?$/,
    parse: (text) => (isSafeURL(text, ['https:', 'http:']) ? text : undefined),
    hint: 'write http://HOST:PORT without user or password',
  })
}

function isSafeURL(
  text: string,
  protocols: readonly string[],
  { loopback }: { readonly loopback?: string } = {},
): boolean {
  // The URL parser mends what it gets: blanks and tabs vanish, backslashes turn.
  if (/[\s\\]/.test(text)) return false
  const url = URL.parse(text)
  if (url === null || url.username !== '' || url.password !== '' || url.hash !== '') return false
  return protocols.includes(url.protocol) || (url.protocol === loopback && isLoopback(url.hostname))
}

function isLoopback(hostname: string): boolean {
  return /^(?:localhost|\[::1\]|127\.\d+\.\d+\.\d+)$/.test(hostname)
}
