import { randomUUID } from 'node:crypto'
import { fromIni } from '@aws-sdk/credential-provider-ini'
import type { Credentials } from '../domain/credentials.ts'
import { Secret } from '../domain/secret.ts'
import { HOUR, SECOND } from '../domain/time.ts'
import { SentinelError } from '../errors.ts'
import type { Clock } from '../ports/clock.ts'
import type { ResolvedProfile, ResolveOptions } from '../ports/profiles.ts'
import type { AWSTransport, Exchange } from './client-options.ts'
import type { ConfigPaths } from './config-files.ts'
import { abandonOn, interrupted } from './deadline.ts'
import { findDevice, type MFA } from './mfa.ts'
import type { Chain } from './profile-chain.ts'
import { loginCommand, providerError, sourceExpired, sourceUnavailable } from './provider-errors.ts'
import { chooseRegion } from './region.ts'
import type { RoleHop, STSHops, WebIdentitySession } from './sts-hops.ts'

/**
 * Bounds the SDK's providers, a `credential_process` that wants a touch of a key included. What is
 * given up goes on by itself: the SDK has no handle on the processes it starts.
 */
const PROVIDER_TIMEOUT = 30 * SECOND

interface BaseCredentialsOptions {
  readonly transport: AWSTransport
  readonly hops: STSHops
  readonly mfa: MFA
  readonly clock: Clock
  /** The region when the profile has none: `--region`. */
  readonly region?: string | undefined
  /** `pass-through`: serial and code go along with the one AssumeRole (`--no-session`). */
  readonly mfaSession: 'session' | 'pass-through'
  /** Milliseconds for the SDK's providers. */
  readonly providerTimeoutMs?: number | undefined
}

/** Seconds a chained session lasts at most, and any session unless a profile says otherwise. */
const CHAINED_DURATION = HOUR / SECOND

type SDKCredentials = Awaited<ReturnType<ReturnType<typeof fromIni>>>

/** What the providers came to: the source's own credentials, and the roles still to be assumed. */
interface Found {
  readonly source: Credentials
  /** In the order in which they are assumed: the profile's own role is the last. */
  readonly hops: readonly RoleHop[]
  readonly webIdentity?: WebIdentitySession
}

/** An AssumeRole that the SDK asked for and did not get: see {@link BaseCredentials}. */
interface PostponedHop {
  readonly source: SDKCredentials
  readonly hop: RoleHop
}

/**
 * Resolves a chain to what signs its last AssumeRole. The SDK's `fromIni` walks the config; given a
 * role to assume it gets a marker instead of credentials, so that what comes back, read from the
 * outside in, is the list of AssumeRole calls that the profile asks for. The inner ones are made
 * here, plain; the last is the caller's, who stamps it.
 */
export class BaseCredentials {
  readonly #options: BaseCredentialsOptions

  constructor(options: BaseCredentialsOptions) {
    this.#options = options
  }

  /** Rejects as {@link Profiles.resolve} does. */
  async resolve(
    chain: Chain,
    paths: ConfigPaths,
    options: ResolveOptions,
  ): Promise<ResolvedProfile> {
    const { name, section } = chain.roles[0] ?? chain.source
    const target = {
      profile: name,
      region: chooseRegion({
        profile: section.region,
        fallback: this.#options.region,
        roleArn: section.role_arn,
      }),
    }
    const context = { target, signal: options.signal }
    const found = await this.#runProviders(chain, paths, context)
    const { base: signer, hops } = await this.#authenticate(chain, found, context, options)

    let base = signer
    for (const [index, hop] of hops.slice(0, -1).entries()) {
      // STS refuses a longer session to a role's session. Whether a source's session is a role's
      // cannot be seen; shorter than it could be is no harm to a hop.
      const isChained = index > 0 || found.source.sessionToken !== undefined
      const duration = Math.min(
        hop.duration ?? CHAINED_DURATION,
        isChained ? CHAINED_DURATION : Infinity,
      )
      base = await this.#options.hops.assumeRole(base, { ...hop, duration }, context)
    }
    const command = loginCommand(chain.source)
    return {
      base,
      ...withRole(hops.at(-1)),
      ...(hops.length < 2 && withWebIdentity(found.webIdentity)),
      ...(command !== undefined && { loginCommand: command }),
    }
  }

  async #runProviders(
    chain: Chain,
    paths: ConfigPaths,
    { target, signal }: { target: { region: string; profile: string }; signal: AbortSignal },
  ): Promise<Found> {
    const failed = { profile: target.profile, source: chain.source }
    if (chain.source.kind === 'none') throw providerError(undefined, failed)
    const { transport, hops, providerTimeoutMs = PROVIDER_TIMEOUT } = this.#options
    const timeout = AbortSignal.timeout(providerTimeoutMs)
    const bounded = AbortSignal.any([signal, timeout])
    const postponed = new Map<string, PostponedHop>()
    let exchange: Exchange | undefined
    let webIdentity: WebIdentitySession | undefined

    const provide = fromIni({
      profile: target.profile,
      configFilepath: paths.config,
      filepath: paths.credentials,
      // Not `ignoreCache`: what was checked a moment ago is in the SDK's cache, and is what counts.
      clientConfig: await transport.providerOptions(target.profile, (ended) => {
        exchange = ended
      }),
      // The code is got later, once it is known who signs; the SDK only insists on having one.
      mfaCodeProvider: async () => '',
      async roleAssumer(source, params) {
        const accessKeyId = randomUUID()
        postponed.set(accessKeyId, { source, hop: toHop(params) })
        return { accessKeyId, secretAccessKey: '' }
      },
      async roleAssumerWithWebIdentity(params) {
        const context = { target, signal: bounded }
        webIdentity = await hops.assumeRoleWithWebIdentity(toWebIdentityHop(params), context)
        return { accessKeyId: webIdentity.credentials.accessKeyId, secretAccessKey: '' }
      },
    })
    try {
      const outcome = unwind(await abandonOn(bounded, provide()), postponed)
      assertAsked(chain, outcome.hops)
      const source = webIdentity?.credentials ?? this.#toCredentials(chain, outcome.source)
      return { source, hops: outcome.hops, ...(webIdentity !== undefined && { webIdentity }) }
    } catch (error) {
      if (signal.aborted) throw interrupted('looking for base credentials')
      if (timeout.aborted) throw sourceUnavailable(failed)
      throw providerError(error, { ...failed, exchange })
    }
  }

  /** Puts an MFA session before the hops, or a code into the first of them. */
  async #authenticate(
    chain: Chain,
    { source, hops }: Found,
    context: { target: { region: string; profile: string }; signal: AbortSignal },
    { mayPrompt }: ResolveOptions,
  ): Promise<{ base: Credentials; hops: readonly RoleHop[] }> {
    const device = findDevice(chain)
    // Only an IAM user's own keys can be joined with a code; a session has its MFA or has it not.
    if (device === undefined || source.sessionToken !== undefined) return { base: source, hops }
    const { mfa, mfaSession, providerTimeoutMs = PROVIDER_TIMEOUT } = this.#options
    const options = { mayPrompt, processTimeoutMs: providerTimeoutMs, ...context }
    if (mfaSession === 'session') return { base: await mfa.session(source, device, options), hops }
    const [first, ...rest] = hops
    if (first === undefined) return { base: source, hops }
    const code = { serialNumber: device.serial, tokenCode: await mfa.code(device, options) }
    return { base: source, hops: [{ ...first, mfa: code }, ...rest] }
  }

  #toCredentials({ source }: Chain, found: SDKCredentials): Credentials {
    const { accessKeyId, secretAccessKey, sessionToken, expiration } = found
    const ends = expiration?.getTime()
    // A process may print anything, and the environment hold anything.
    const isWhole =
      isWord(accessKeyId) &&
      isText(secretAccessKey) &&
      (sessionToken === undefined || isText(sessionToken)) &&
      !Number.isNaN(ends)
    if (!isWhole) throw providerError(undefined, { profile: source.name, source })
    if (ends !== undefined && ends <= this.#options.clock.aws()) throw sourceExpired({ source })
    return {
      accessKeyId,
      secretAccessKey: new Secret(secretAccessKey),
      ...(sessionToken !== undefined && { sessionToken: new Secret(sessionToken) }),
      ...(ends !== undefined && { expiration: ends }),
    }
  }
}

function unwind(outermost: SDKCredentials, postponed: ReadonlyMap<string, PostponedHop>) {
  const hops: RoleHop[] = []
  let source = outermost
  for (;;) {
    const marked = postponed.get(source.accessKeyId)
    if (marked === undefined) return { source, hops: hops.toReversed() }
    hops.push(marked.hop)
    source = marked.source
  }
}

/** The files may have been written between the look that was checked and the SDK's. */
function assertAsked({ roles }: Chain, hops: readonly RoleHop[]): void {
  const asked = roles.map(({ section }) => section.role_arn).toReversed()
  const found = hops.map(({ roleArn }) => roleArn)
  if (asked.length === found.length && asked.every((arn, index) => arn === found[index])) return
  throw new SentinelError('PROFILE_CHANGED', 'the AWS config files changed while they were read', {
    hint: 'try again',
  })
}

interface SDKRole {
  readonly RoleArn?: string | undefined
  readonly RoleSessionName?: string | undefined
  readonly ExternalId?: string | undefined
  readonly DurationSeconds?: number | undefined
}

function toHop({ RoleArn = '', RoleSessionName = '', ...role }: SDKRole): RoleHop {
  return {
    roleArn: RoleArn,
    roleSessionName: RoleSessionName,
    externalId: role.ExternalId,
    duration: role.DurationSeconds,
  }
}

function toWebIdentityHop({
  RoleArn = '',
  RoleSessionName = '',
  WebIdentityToken = '',
}: SDKRole & { readonly WebIdentityToken?: string | undefined }) {
  return { roleArn: RoleArn, roleSessionName: RoleSessionName, token: WebIdentityToken.trim() }
}

function withRole(hop: RoleHop | undefined): Pick<ResolvedProfile, 'role'> {
  if (hop === undefined) return {}
  const { roleArn: arn, externalId, mfa } = hop
  return {
    role: {
      arn,
      ...(externalId !== undefined && { externalId }),
      ...(mfa !== undefined && { mfa }),
    },
  }
}

function withWebIdentity(
  session: WebIdentitySession | undefined,
): Pick<ResolvedProfile, 'webIdentity'> {
  if (session === undefined) return {}
  return { webIdentity: { provider: session.provider, subject: session.subject } }
}

function isWord(value: unknown): boolean {
  return typeof value === 'string' && /^\w{1,128}$/.test(value)
}

function isText(value: unknown): boolean {
  return typeof value === 'string' && value !== ''
}
