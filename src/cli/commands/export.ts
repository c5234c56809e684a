import type { SessionCredentials } from '../../domain/credentials.ts'
import { toSeconds } from '../../domain/time.ts'
import { SentinelError } from '../../errors.ts'
import { nearest } from '../../near-miss.ts'
import { defineCommand } from '../command.ts'
import { ISSUE_OPTIONS, readDuration } from '../issue-options.ts'
import { chooseProfile } from '../profile-argument.ts'

type Variables = readonly (readonly [name: string, value: string])[]

/** How each format writes variables down; values are credentials: letters, digits, `+/=-:`. */
const FORMATS = {
  env: (variables) => lines(variables, (name, value) => `${name}=${value}`),
  'export-env': (variables) => lines(variables, (name, value) => `export ${name}='${value}'`),
  fish: (variables) => lines(variables, (name, value) => `set -gx ${name} '${value}'`),
  powershell: (variables) => lines(variables, (name, value) => `$Env:${name} = '${value}'`),
  json: (variables) => `${JSON.stringify(Object.fromEntries(variables), null, 2)}\n`,
  ini: (variables, profile) =>
    `[${profile}]\n${lines(
      variables.filter(([name]) => INI_KEYS.has(name)),
      (name, value) => `${name.toLowerCase()} = ${value}`,
    )}`,
} as const satisfies Record<string, (variables: Variables, profile: string) => string>

const INI_KEYS = new Set([
  'AWS_ACCESS_KEY_ID',
  'AWS_SECRET_ACCESS_KEY',
  'AWS_SESSION_TOKEN',
  'AWS_REGION',
])

export default defineCommand({
  usage: 'export [profile]',
  summary: 'Print credentials that the policy allows, for a shell or a file',
  examples: ['export dev --format export-env', 'export dev --format json'],
  options: {
    profile: {
      type: 'string',
      value: 'PROFILE',
      summary: 'The profile, instead of as an argument',
    },
    format: {
      type: 'string',
      value: Object.keys(FORMATS).join('|'),
      summary: 'How they are printed (default: env)',
    },
    ...ISSUE_OPTIONS,
  },

  async run({ args: [given], options }, deps) {
    const format = readFormat(options.format ?? 'env')
    await using run = await deps.openRun({
      profile: chooseProfile(given, options.profile, deps),
      mode: 'cli',
      duration: readDuration('duration', options.duration),
      flags: options,
      prompts: 'allowed',
    })
    const { credentials } = await run.endingWith(() => run.issueOnce())
    const variables = variablesOf(credentials, run.profile.region)
    deps.out.printRaw(FORMATS[format](variables, run.profile.name))
    return undefined
  },
})

function readFormat(text: string): keyof typeof FORMATS {
  if (Object.hasOwn(FORMATS, text)) return text as keyof typeof FORMATS
  const near = nearest(text, Object.keys(FORMATS))
  throw new SentinelError('USAGE', `unknown format "${text}"`, {
    hint: near ? `did you mean ${near}?` : `formats are ${Object.keys(FORMATS).join(', ')}`,
  })
}

function variablesOf(credentials: SessionCredentials, region: string | undefined): Variables {
  return [
    ['AWS_ACCESS_KEY_ID', credentials.accessKeyId],
    ['AWS_SECRET_ACCESS_KEY', credentials.secretAccessKey.reveal()],
    ['AWS_SESSION_TOKEN', credentials.sessionToken.reveal()],
    ['AWS_CREDENTIAL_EXPIRATION', toSeconds(credentials.expiration)],
    ...(region ? ([['AWS_REGION', region]] as const) : []),
  ]
}

function lines(variables: Variables, line: (name: string, value: string) => string): string {
  return variables.map(([name, value]) => `${line(name, value)}\n`).join('')
}
