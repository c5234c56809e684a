import { SECOND } from '../domain/time.ts'
import { SentinelError } from '../errors.ts'
import type { ChildAccess, ChildEnd, ChildRequest, ChildRunner } from '../ports/child-runner.ts'
import type { OpenCredentialEndpoint } from '../ports/credential-endpoint.ts'
import type { CredentialSupply } from './credential-supply.ts'
import type { Run } from './run.ts'

export interface ExecOptions {
  readonly command?: string | undefined
  readonly args: readonly string[]
  readonly keepsAwsConfig: boolean
}

export interface ServerOptions {
  /** 0: a free one. */
  readonly port: number
  readonly isLazy: boolean
  /** What a revocation does to the command: it gets no more credentials, or is ended as well. */
  readonly onRevoke: 'refuse' | 'terminate'
}

/** How often a server looks after what must happen though nobody asks. */
const TICK = 4 * SECOND

/** Runs a command with one credential in its environment. */
export async function execWithEnvironment(
  run: Run,
  children: ChildRunner,
  options: ExecOptions,
): Promise<ChildEnd> {
  const { credentials } = await run.issueOnce()
  return children.run(requestFor(run, options, { kind: 'env', credentials }))
}

/**
 * Runs a command beside a credential server that it may ask as long as it lives. The server closes
 * when the child has ended, whichever way; then its session ends, in the store too.
 */
export async function execWithServer(
  run: Run,
  children: ChildRunner,
  openEndpoint: OpenCredentialEndpoint,
  options: ExecOptions & ServerOptions,
): Promise<ChildEnd> {
  // From here on no signal ends this process before its session is closed.
  const interrupted = children.hold()
  const server: Server = { run, children, openEndpoint, interrupted }
  let reason = 'internal error'
  try {
    const end = await serve(server, options)
    reason = 'status' in end ? `command ended with status ${end.status}` : end.signal
    return end
  } catch (error) {
    if (error instanceof SentinelError) reason = `did not start: ${error.code}`
    throw error
  } finally {
    await Promise.all([server.supply?.close(), run.closeSession(reason)])
  }
}

interface Server {
  readonly run: Run
  readonly children: ChildRunner
  readonly openEndpoint: OpenCredentialEndpoint
  /** By a signal that came before there was a child to have it, or by a crash. */
  readonly interrupted: AbortSignal
  supply?: CredentialSupply
}

async function serve(
  server: Server,
  { port, isLazy, onRevoke, ...options }: ExecOptions & ServerOptions,
): Promise<ChildEnd> {
  const { run, children, openEndpoint, interrupted } = server
  const supply = await unless(interrupted, run.openSupply(isLazy ? 'lazy' : 'warm-up'))
  if (!supply) return endOf(interrupted)
  server.supply = supply
  const timer = setInterval(() => supply.tick(), TICK)
  timer.unref()
  try {
    const { session } = run
    await using endpoint = await openEndpoint(supply, { port, session: session?.route })
    const { url, token } = endpoint
    if (interrupted.aborted) return endOf(interrupted)
    const request = requestFor(run, options, { kind: 'server', url, token })
    const stop = onRevoke === 'terminate' ? session?.revoked : undefined
    return await children.run(stop ? { ...request, stop } : request)
  } finally {
    clearInterval(timer)
  }
}

/** The end by the signal that came; or throws what this process has crashed with. */
function endOf({ reason }: AbortSignal): ChildEnd {
  if (typeof reason !== 'string') throw reason
  return { signal: reason as NodeJS.Signals }
}

/** Waits for `work`, but no longer than until `signal` aborts: then nothing is made of it. */
async function unless<Result>(
  signal: AbortSignal,
  work: Promise<Result>,
): Promise<Result | undefined> {
  const { promise, resolve } = Promise.withResolvers<undefined>()
  const giveUp = () => resolve(undefined)
  signal.addEventListener('abort', giveUp, { once: true })
  if (signal.aborted) giveUp()
  try {
    return await Promise.race([work, promise])
  } finally {
    signal.removeEventListener('abort', giveUp)
  }
}

function requestFor(run: Run, options: ExecOptions, access: ChildAccess): ChildRequest {
  const { name, region, childConfig } = run.profile
  return {
    command: options.command,
    args: options.args,
    access,
    profile: name,
    region,
    awsConfig: options.keepsAwsConfig ? 'inherited' : childConfig,
    activeId: run.id,
  }
}
