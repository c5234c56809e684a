import { SECOND } from '../domain/time.ts'
import type { ChildAccess, ChildEnd, ChildRequest, ChildRunner } from '../ports/child-runner.ts'
import type { OpenCredentialEndpoint } from '../ports/credential-endpoint.ts'
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
 * when the child has ended, whichever way.
 */
export async function execWithServer(
  run: Run,
  children: ChildRunner,
  openEndpoint: OpenCredentialEndpoint,
  { port, isLazy, ...options }: ExecOptions & ServerOptions,
): Promise<ChildEnd> {
  const supply = await run.openSupply(isLazy ? 'lazy' : 'warm-up')
  const timer = setInterval(() => supply.tick(), TICK)
  timer.unref()
  try {
    await using endpoint = await openEndpoint(supply, { port })
    const { url, token } = endpoint
    return await children.run(requestFor(run, options, { kind: 'server', url, token }))
  } finally {
    clearInterval(timer)
    await supply.close()
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
