/**
 * The requests of STS that the stand-in knows, with the patterns, minimums and maximums of the API
 * model 2011-06-15.
 *
 * @module
 */

const arn = {
  kind: 'text',
  min: 20,
  max: 2048,
  pattern:
    '[\\u0009\\u000A\\u000D\\u0020-\\u007E\\u0085\\u00A0-\\uD7FF\\uE000-\\uFFFD\\u10000-\\u10FFFF]+',
  // The model's last range is Java's way to say "beyond the basic plane".
  regExp: /^[\t\n\r\u0020-\u007E\u0085\u00A0-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]+$/u,
} as const
const roleSessionName = { kind: 'text', min: 2, max: 64, pattern: '[\\w+=,.@-]*' } as const
const policy = {
  kind: 'text',
  min: 1,
  pattern: '[\\u0009\\u000A\\u000D\\u0020-\\u00FF]+',
} as const
const policyArns = {
  kind: 'list',
  max: 10,
  of: { kind: 'structure', required: [], members: { arn } },
} as const
const tagKey = {
  kind: 'text',
  min: 1,
  max: 128,
  pattern: '[\\p{L}\\p{Z}\\p{N}_.:/=+\\-@]+',
} as const
const tag = {
  kind: 'structure',
  required: ['Key', 'Value'],
  members: {
    Key: tagKey,
    Value: { kind: 'text', min: 0, max: 256, pattern: '[\\p{L}\\p{Z}\\p{N}_.:/=+\\-@]*' },
  },
} as const
const serialNumber = { kind: 'text', min: 9, max: 256, pattern: '[\\w+=/:,.@-]*' } as const
const tokenCode = { kind: 'text', min: 6, max: 6, pattern: '[\\d]*', isSensitive: true } as const
const roleDuration = { kind: 'integer', min: 900, max: 43_200 } as const

/** `GetCallerIdentity` takes nothing. */
export const GET_CALLER_IDENTITY = { kind: 'structure', required: [], members: {} } as const

export const ASSUME_ROLE = {
  kind: 'structure',
  required: ['RoleArn', 'RoleSessionName'],
  members: {
    RoleArn: arn,
    RoleSessionName: roleSessionName,
    PolicyArns: policyArns,
    Policy: policy,
    DurationSeconds: roleDuration,
    Tags: { kind: 'list', max: 50, of: tag },
    TransitiveTagKeys: { kind: 'list', max: 50, of: tagKey },
    ExternalId: { kind: 'text', min: 2, max: 1224, pattern: '[\\w+=,.@:\\/-]*' },
    SerialNumber: serialNumber,
    TokenCode: tokenCode,
    // No colon: so nothing can begin with the reserved `aws:` either.
    SourceIdentity: { kind: 'text', min: 2, max: 64, pattern: '[\\w+=,.@-]*' },
  },
} as const

export const GET_SESSION_TOKEN = {
  kind: 'structure',
  required: [],
  members: {
    DurationSeconds: { kind: 'integer', min: 900, max: 129_600 },
    SerialNumber: serialNumber,
    TokenCode: tokenCode,
  },
} as const

export const ASSUME_ROLE_WITH_WEB_IDENTITY = {
  kind: 'structure',
  required: ['RoleArn', 'RoleSessionName', 'WebIdentityToken'],
  members: {
    RoleArn: arn,
    RoleSessionName: roleSessionName,
    WebIdentityToken: { kind: 'text', min: 4, max: 20_000, isSensitive: true },
    ProviderId: { kind: 'text', min: 4, max: 2048 },
    PolicyArns: policyArns,
    Policy: { ...policy, max: 2048 },
    DurationSeconds: roleDuration,
  },
} as const
