import { randomBytes } from 'node:crypto'
import { tmpdir } from 'node:os'
import { AWSClock } from './aws/aws-clock.ts'
import { createChildRunner } from './child/child-runner.ts'
import { restoreTraces } from './clean-start.ts'
import { confirm, typeName, unanswerable } from './cli/confirm.ts'
import type { GlobalOptions } from './cli/global-options.ts'
import { complain, createOutput, type Sink } from './cli/output.ts'
import { pressEnter } from './cli/press-enter.ts'
import { openAnchorSources } from './compose/anchor-sources.ts'
import { openArchive } from './compose/archive.ts'
import { openAWS } from './compose/aws.ts'
import { identify } from './compose/callers.ts'
import { doctorChecks } from './compose/doctor.ts'
import { openBreakGlass, openRequests } from './compose/grants.ts'
import { openOutboxes } from './compose/outboxes.ts'
import { checkPolicy } from './compose/policy.ts'
import { digest, newId, newToken } from './compose/randomness.ts'
import { openRun } from './compose/run.ts'
import { openSessions } from './compose/sessions.ts'
import { readSettings } from './compose/settings.ts'
import { shipLogBeside, shipWholeLog } from './compose/shipping.ts'
import { composeSigning } from './compose/signing.ts'
import { openTables, planTables } from './compose/tables.ts'
import { openTrail } from './compose/trail.ts'
import { type Host, uid } from './compose/world.ts'
import type { Deps } from './deps.ts'
import { SentinelError } from './errors.ts'
import type { Notices } from './ports/notices.ts'

/** Builds the real dependencies: the one place where a port meets its implementation. */
export async function compose(globals: GlobalOptions, host: Host): Promise<Deps> {
  // What the child gets is what the user gave us; what the SDK reads in this process is ours.
  const env = restoreTraces(process.env)
  secureOwnEnvironment(globals)
  const documents = await import('./documents/settings.ts')
  const settings = await readSettings(documents, globals, env)
  const notices = createNotices(host.stderr, globals)
  const form = settings.get('output', { name: 'output', text: globals.output })
  const clock = new AWSClock({ wall: Date.now, monotonic: () => performance.now() })
  const cleanUp = new DisposableStack()
  const world = { globals, host, env, settings, notices, clock, cleanUp }
  if (globals['allow-endpoint-override']) warnOfOverride(host)

  return {
    version: host.version,
    out: createOutput({
      stdout: host.stdout,
      form,
      ...(!globals.quiet && { stderr: host.stderr }),
    }),
    notices,
    clock,
    settings,
    children: createChildRunner({
      env,
      platform: process.platform,
      runtimeDirectory: env.XDG_RUNTIME_DIR,
      temporaryDirectory: tmpdir(),
      cleanUp,
      crash: host.crash,
    }),
    openRun: (selection) => openRun(world, selection),
    checkPolicy: (flags, profile) => checkPolicy(world, flags, profile),
    policySchema: async () => (await import('./documents/policy-schema.ts')).policyJsonSchema(),
    loadProfile: async (name) => (await openAWS(world, {})).profiles.load(name),
    identify: (profile) => identify(world, profile),
    planTables: (flags) => planTables(world, flags),
    openTables: () => openTables(world),
    openSessions: (flags) => openSessions(world, flags),
    openRequests: (flags, profile) => openRequests(world, { flags, profile }),
    openBreakGlass: (flags, profile) => openBreakGlass(world, { flags, profile }),
    openOutboxes: (flags) => openOutboxes(world, flags),
    openTrail: (selection) => openTrail(world, selection),
    signing: composeSigning(world),
    shipBeside: (flags, profile) => shipLogBeside(world, flags, profile),
    doctorChecks: (flags) => doctorChecks(world, flags),
    shipLog: (flags, options) => shipWholeLog(world, flags, options),
    openArchive: (selection) => openArchive(world, selection),
    openAnchorSources: (selection, reading) => openAnchorSources(world, selection, reading),
    digest,
    newId,
    openEndpoint: async (supply, { port, session }) => {
      const [{ openCredentialServer }, { trackSession }] = await Promise.all([
        import('./server/credential-server.ts'),
        import('./server/middleware/track-session.ts'),
      ])
      // A server that is not tracked has no such layer at all.
      const layers = session ? [trackSession(session)] : []
      const token = newToken()
      const onBug = (error: unknown) => complain(host.stderr, 'bug', String(error))
      const { platform } = process
      const options = { supply, token, clock, port, platform, uid, onBug, layers }
      const server = await openCredentialServer(options)
      return {
        url: server.url,
        token,
        [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
      }
    },
    confirm: async (question, flag) => {
      if (globals['no-interaction']) throw unanswerable(flag)
      return confirm(question, flag)
    },
    typeName: async (question, name, flag) => {
      if (globals['no-interaction']) throw unanswerable(flag)
      return typeName(question, name, flag)
    },
    interruptibly,
    listSettings: () =>
      documents.SETTINGS.map(({ key, name, kind, summary }) => ({
        name,
        kind,
        summary,
        found: settings.find(key, flagOf(globals, name)),
      })),
    runDemo: (options) => runDemo(host, options),
    runDemoClient: async (options) => {
      const { runDemoClient } = await import('./demo/demo-client.ts')
      return runDemoClient({
        ...options,
        env: process.env,
        print: (line) => host.stdout.write(`${line}\n`),
      })
    },
    async [Symbol.asyncDispose]() {
      cleanUp.dispose()
    },
  }
}

/** The global option that stands above a setting, if there is one. */
function flagOf(globals: GlobalOptions, setting: string) {
  const name = setting.replaceAll('_', '-')
  const text = Object.entries(globals).find(([option]) => option === name)?.[1]
  return { name, text: typeof text === 'string' ? text : undefined }
}

async function interruptibly<Result>(
  work: (interrupted: AbortSignal) => Promise<Result>,
): Promise<Result> {
  const interruption = new AbortController()
  const abort = () => interruption.abort()
  process.once('SIGINT', abort)
  try {
    return await work(interruption.signal)
  } finally {
    process.off('SIGINT', abort)
  }
}

async function runDemo({ stdout, self }: Host, { pause }: { pause: boolean }): Promise<void> {
  const { playTour } = await import('./demo/tour.ts')
  const interruption = new AbortController()
  process.once('SIGINT', () => interruption.abort())
  try {
    await playTour({
      print: (text) => stdout.write(`${text}\n`),
      pause: pause ? pressEnter : async () => {},
      self,
      temporaryDirectory: tmpdir(),
      interrupted: interruption.signal,
      now: Date.now,
      randomBytes,
    })
  } catch (error) {
    if (!interruption.signal.aborted) throw error
    throw new SentinelError('INTERRUPTED', 'the demo was interrupted', { cause: error })
  }
}

/**
 * Takes out of our own environment what would redirect or weaken our calls. The SDK's own
 * providers honour AWS_ENDPOINT_URL* and endpoint_url, and would send SSO and OIDC tokens there
 * (measured); the variable stops all of them.
 */
function secureOwnEnvironment(globals: GlobalOptions): void {
  delete process.env.NODE_TLS_REJECT_UNAUTHORIZED
  delete process.env.NODE_USE_ENV_PROXY
  if (globals['allow-endpoint-override']) delete process.env.AWS_IGNORE_CONFIGURED_ENDPOINT_URLS
  else process.env.AWS_IGNORE_CONFIGURED_ENDPOINT_URLS = 'true'
}

/** Said however quiet the run is to be: it changes who answers for AWS. */
function warnOfOverride({ stderr }: Host): void {
  complain(
    stderr,
    'warning',
    '--allow-endpoint-override: AWS_ENDPOINT_URL* and endpoint_url are obeyed',
  )
}

function createNotices(stderr: Sink, { quiet }: GlobalOptions): Notices {
  const tell = (kind: 'refused' | 'warning', text: string, hint: string | undefined) => {
    complain(stderr, kind, text)
    if (hint) complain(stderr, 'hint', hint)
  }
  return {
    refuse: (text, hint) => tell('refused', text, hint),
    warn(text, hint) {
      if (!quiet) tell('warning', text, hint)
    },
    info(text) {
      if (!quiet) complain(stderr, 'note', text)
    },
  }
}
