import { execWithEnvironment, execWithServer } from '../../app/exec.ts'
import type { Deps } from '../../deps.ts'
import { SentinelError } from '../../errors.ts'
import { defineCommand, type Input } from '../command.ts'
import {
  GRANT_STORE_OPTIONS,
  ISSUE_OPTIONS,
  readDuration,
  SESSION_STORE_OPTIONS,
} from '../issue-options.ts'
import { chooseProfile } from '../profile-argument.ts'

const OPTIONS = {
  profile: { type: 'string', value: 'PROFILE', summary: 'The profile, instead of as an argument' },
  server: { type: 'boolean', short: 's', summary: 'Serve credentials as long as the command runs' },
  'server-duration': {
    type: 'string',
    value: 'DURATION',
    summary: 'With --server: how long each credential lives (default: 15m)',
  },
  'server-port': {
    type: 'string',
    value: 'PORT',
    summary: 'With --server: a fixed port instead of a free one',
  },
  lazy: {
    type: 'boolean',
    summary: 'With --server: ask for the first credential when it is needed',
  },
  ...SESSION_STORE_OPTIONS,
  ...GRANT_STORE_OPTIONS,
  'on-revoke': {
    type: 'string',
    value: 'refuse|terminate',
    summary: 'With --server: whether a revocation ends the command too (default: refuse)',
  },
  'keep-aws-config': {
    type: 'boolean',
    summary: "Leave the user's own AWS config files to the command",
  },
  nested: { type: 'boolean', summary: 'Allow running inside another sentinel exec' },
  ...ISSUE_OPTIONS,
} as const

type Options = Input<typeof OPTIONS>['options']

export default defineCommand({
  usage: 'exec [profile] [-- command...]',
  summary: 'Run a command, or a shell, with credentials that the policy allows',
  examples: [
    'exec dev -- aws sts get-caller-identity',
    'exec --server prod -- terraform apply',
    'exec prod --server --server-duration 30m',
    'exec prod --server --session-table sentinel-sessions -- terraform apply',
  ],
  options: OPTIONS,
  takesRest: true,

  async run({ args: [given], options, rest: [command, ...args] }, deps) {
    const isServer = options.server ?? deps.settings.get('server').value
    assertNoContradiction(options, isServer)
    const onRevoke = readOnRevoke(options['on-revoke'])
    const port = readPort(options['server-port'], deps)
    const profile = chooseProfile(given, options.profile, deps)
    deps.children.assertRunnable(command, { nested: options.nested ?? false })

    // Ends after the run: what that records last is shipped as well.
    await using _ = deps.shipBeside(options, profile)
    await using run = await deps.openRun({
      profile,
      mode: isServer ? 'server' : 'cli',
      duration: isServer
        ? readDuration('server-duration', options['server-duration'])
        : readDuration('duration', options.duration),
      flags: options,
      prompts: 'allowed',
    })
    const keepsAwsConfig = options['keep-aws-config'] ?? deps.settings.get('keepAwsConfig').value
    const what = { command, args, keepsAwsConfig }
    const isLazy = options.lazy ?? deps.settings.get('lazy').value
    return await run.endingWith(
      () =>
        isServer
          ? execWithServer(run, deps.children, deps.openEndpoint, {
              ...what,
              port,
              isLazy,
              onRevoke,
            })
          : execWithEnvironment(run, deps.children, what),
      deps.children.exitStatus,
    )
  },
})

/** Every impossible combination, by name, before anything is done. */
function assertNoContradiction(options: Options, isServer: boolean): void {
  const serverOnly = [
    'server-duration',
    'server-port',
    'lazy',
    'session-table',
    'session-store',
    'on-revoke',
  ] as const
  const stray = serverOnly.find((name) => options[name] !== undefined)
  if (stray && !isServer) {
    throw new SentinelError('USAGE', `--${stray} needs --server`, {
      hint: 'add --server, or leave it out',
    })
  }
  if (isServer && options['no-session']) {
    throw new SentinelError('USAGE', '--server and --no-session contradict each other', {
      hint: 'an MFA code is good for one call: leave --no-session out',
    })
  }
  if (isServer && options.duration !== undefined) {
    throw new SentinelError('USAGE', '--duration is for one credential, --server issues many', {
      hint: 'did you mean --server-duration?',
    })
  }
}

function readOnRevoke(text: string | undefined): 'refuse' | 'terminate' {
  if (text === undefined || text === 'refuse' || text === 'terminate') return text ?? 'refuse'
  throw new SentinelError('USAGE', `--on-revoke does not know "${text}"`, {
    hint: 'write refuse, or terminate to end the command as well',
  })
}

function readPort(text: string | undefined, { notices }: Deps): number {
  if (text === undefined) return 0
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0
  if (port < 1 || port > 65_535) {
    throw new SentinelError('USAGE', `--server-port is not a port: "${text}"`, {
      hint: 'write a number from 1 to 65535, or leave it out for a free port',
    })
  }
  notices.warn(
    `port ${port} is fixed: once this run has ended, another program can listen there`,
    'leave --server-port out unless something needs it',
  )
  return port
}
