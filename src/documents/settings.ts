import * as z from 'zod'
import { SentinelError } from '../errors.ts'
import type { SettingKey, Settings } from '../ports/settings.ts'
import {
  anchorLocation,
  endpointURL,
  policyLocation,
  proxyURL,
  region,
  shipTarget,
  storeLocation,
} from './aws-fields.ts'
import { camelKeys, choice, duration, flag, line, mapping, size } from './fields.ts'
import { toFindings } from './findings.ts'
import { positionsOf } from './position.ts'
import { toError, toProblems } from './problem.ts'
import { readYaml } from './strict-yaml.ts'
import { toValue } from './yaml-tree.ts'

/** How a setting is written. `endpoints` is a mapping, which no variable can hold. */
type SettingKind = 'text' | 'duration' | 'size' | 'flag' | 'endpoints' | 'receiver'

const lifetime = { from: '15m', to: '12h' }

/** Every setting there is, by its key in the file. */
const SCHEMAS = {
  profile: ['text', line('the name of a profile', 'The profile to serve when none is named.')],
  policy: ['text', policyLocation('Where the policy is kept.')],
  region: ['text', region("The region of Sentinel's own calls.")],
  aws_profile: [
    'text',
    line(
      'the name of a profile',
      'Whose credentials are for all calls but those to STS for a profile.',
    ),
  ],
  output: ['text', choice('text or json', 'The form of results.', ['text', 'json'])],
  server: ['flag', flag('Runs commands with a credential server.')],
  lazy: ['flag', flag('Asks for no credentials before the command does.')],
  duration: ['duration', duration('The life of credentials.', lifetime)],
  server_duration: ['duration', duration('The life of credentials in server mode.', lifetime)],
  mfa_session_duration: [
    'duration',
    duration('The life of a session with a second factor.', { from: '15m', to: '36h' }),
  ],
  log_file: ['text', line('a path', 'Where the decision log is written.')],
  log_stderr: ['flag', flag('Shows the decision log on stderr too.')],
  log_max_size: [
    'size',
    size('How large the file of the decision log gets before the next is begun.', {
      from: '64KiB',
      to: '1GiB',
    }),
  ],
  log_max_age: [
    'duration',
    duration('How old the file of the decision log gets before the next is begun.', {
      from: '1h',
      to: '366d',
    }),
  ],
  log_anchor: ['text', anchorLocation('Where heads of the decision log are anchored.')],
  log_ship: ['receiver', shipTarget('Where the decision log is shipped to.')],
  session_store: ['text', storeLocation('Where sessions are tracked.')],
  request_store: ['text', storeLocation('Where requests and approvals are kept.')],
  break_glass_store: ['text', storeLocation('Where break-glass events are kept.')],
  session_outage: [
    'text',
    choice('allow or deny', 'What happens when the session store is silent for longer.', [
      'allow',
      'deny',
    ]),
  ],
  session_grace: [
    'duration',
    duration('How long credentials are served while the session store is silent.', {
      from: '10s',
      to: '15m',
    }),
  ],
  session_outage_max: [
    'duration',
    duration('How long after the grace, under session_outage: allow.', { from: '1m', to: '12h' }),
  ],
  session_tags: ['flag', flag('Tags the sessions of roles.')],
  endpoints: [
    'endpoints',
    mapping('endpoints, as { sts: "https://sts.example" }', {
      sts: z.exactOptional(endpointURL('The endpoint of STS.')),
      ssm: z.exactOptional(endpointURL('The endpoint of SSM.')),
      dynamodb: z.exactOptional(endpointURL('The endpoint of DynamoDB.')),
      sns: z.exactOptional(endpointURL('The endpoint of SNS.')),
      kms: z.exactOptional(endpointURL('The endpoint of KMS.')),
      cloudtrail: z.exactOptional(endpointURL('The endpoint of CloudTrail.')),
      logs: z.exactOptional(endpointURL('The endpoint of CloudWatch Logs.')),
    }).meta({ description: 'Private endpoints of AWS services.' }),
  ],
  proxy: ['text', proxyURL('The proxy for all calls to AWS.')],
  keep_aws_config: ['flag', flag("Leaves the user's AWS config to the command.")],
} as const satisfies Record<string, readonly [SettingKind, z.ZodType]>

// The same schemas, each of which may be left out: what `Object.fromEntries` cannot say.
const shape = Object.fromEntries(
  Object.entries(SCHEMAS).map(([name, [, schema]]) => [name, z.exactOptional(schema)]),
) as { [Name in keyof typeof SCHEMAS]: z.ZodExactOptional<(typeof SCHEMAS)[Name][1]> }

const settingsDocument = mapping('settings, as profile: prod', shape).transform(camelKeys)

export interface Setting {
  readonly key: SettingKey
  /** Its key in the file. */
  readonly name: string
  readonly kind: SettingKind
  /** One sentence. */
  readonly summary: string
  /**
   * The variable of the environment for it. None for endpoints: whoever sets a variable could send
   * tokens anywhere.
   */
  readonly variable?: string
}

/** Every setting there is, for the reader of the environment and for `config show`. */
export const SETTINGS: readonly Setting[] = Object.entries(SCHEMAS).map(
  ([name, [kind, schema]]) => ({
    key: Object.keys(camelKeys({ [name]: kind }))[0] as SettingKey,
    name,
    kind,
    summary: schema.description ?? '',
    ...(kind !== 'endpoints' && { variable: `SENTINEL_${name.toUpperCase()}` }),
  }),
)

/** Reads a file of settings. Throws `CONFIG_INVALID` for the first thing that is wrong in it. */
export function parseSettings(text: string, reference: string): Settings {
  const { root, position, problem } = readYaml(text)
  if (problem !== undefined) throw toError('CONFIG_INVALID', reference, [problem])
  // Nothing but comments, as a file that was put there to be filled in.
  if (root.kind === 'scalar' && root.value === null) return {}

  const parsed = settingsDocument.safeParse(toValue(root))
  if (parsed.success) return parsed.data
  const problems = toProblems(toFindings(parsed.error.issues, root, settingsDocument), position)
  throw toError('CONFIG_INVALID', reference, problems)
}

/**
 * Reads a setting that is written as text, in its variable or as a flag. Throws `CONFIG_INVALID`,
 * which names `origin`: by default the variable.
 */
export function parseSetting<Key extends SettingKey>(
  key: Key,
  text: string,
  origin?: string,
): NonNullable<Settings[Key]> {
  const { name, kind, variable } = SETTINGS.find((setting) => setting.key === key)!
  const where = origin ?? variable ?? name
  if (variable === undefined) {
    const hint = `write it into the file of settings, as ${name}`
    throw new SentinelError('CONFIG_INVALID', `${where} cannot be set here`, { hint })
  }

  const value = kind === 'flag' ? (FLAG_WORDS.get(text) ?? text) : text
  const parsed = settingsDocument.safeParse({ [name]: value })
  const found = parsed.data?.[key]
  if (found !== undefined) return found

  const scalar = { kind: 'scalar', at: 0, value: text, source: text } as const
  const entries = new Map([[name, { at: 0, value: scalar }]])
  const root = { kind: 'mapping', at: 0, entries } as const
  const findings = toFindings(parsed.error?.issues ?? [], root, settingsDocument)
  const [problem] = toProblems(findings, positionsOf(text))
  throw new SentinelError('CONFIG_INVALID', `${where}: ${problem?.message ?? 'not valid'}`, {
    hint: problem?.hint,
  })
}

/** The environment has no booleans: what people write there. */
const FLAG_WORDS: ReadonlyMap<string, boolean> = new Map([
  ['true', true],
  ['1', true],
  ['false', false],
  ['0', false],
])
