import { readFile } from 'node:fs/promises'
import { Agent } from 'node:https'
import { loadConfig } from '@smithy/core/config'
import type { HttpHandler } from '@smithy/core/protocols'
import { NodeHttpHandler } from '@smithy/node-http-handler'
import { SECOND } from '../domain/time.ts'
import { SentinelError } from '../errors.ts'
import type { Clock } from '../ports/clock.ts'

/** The SDK waits for ever unless told otherwise, and with less than all of these it only warns. */
const CONNECTION_TIMEOUT = 3 * SECOND
const REQUEST_TIMEOUT = 5 * SECOND

const MAX_ATTEMPTS = 3

type Service = 'sts' | 'ssm' | 'dynamodb' | 'sns' | 'kms' | 'cloudtrail' | 'logs'

export interface TransportSettings {
  /** Sentinel's version, for the user agent that CloudTrail shows. */
  readonly version: string
  /** The setting `endpoints`: private endpoints, https. */
  readonly endpoints?: { readonly [service in Service]?: string | undefined } | undefined
  /** The setting `proxy`: an http or https URL, with name and password if it wants them. */
  readonly proxy?: string | undefined
  /**
   * What the clients do with `AWS_ENDPOINT_URL*` and `endpoint_url`. A second lock: whoever
   * composes also sets `AWS_IGNORE_CONFIGURED_ENDPOINT_URLS`, for clients that are not made here.
   */
  readonly configuredEndpoints: 'ignore' | 'honour'
  /** Milliseconds without an answer. */
  readonly requestTimeoutMs?: number
}

/** One HTTP request of an SDK client, as it ended. */
export interface Exchange {
  /** Absent: there was no answer. */
  readonly status?: number
}

/**
 * How AWS is reached: connections, endpoints, proxy, certificates and time limits, for Sentinel's
 * own clients and for those inside the SDK's credential providers. Each answer teaches the clock.
 */
export class AWSTransport implements Disposable {
  readonly #settings: TransportSettings
  readonly #clock: Clock
  /** By CA bundle: as many as the user's profiles name. */
  readonly #handlers = new Map<string, Promise<NodeHttpHandler>>()

  /** Throws `CONFIG_INVALID` for an endpoint or a proxy that cannot be used. */
  constructor(settings: TransportSettings, clock: Clock) {
    for (const [service, url] of Object.entries(settings.endpoints ?? {})) {
      if (url !== undefined) requireURL(`endpoints.${service}`, url, ['https:'])
    }
    if (settings.proxy !== undefined) requireURL('proxy', settings.proxy, ['http:', 'https:'])
    this.#settings = settings
    this.#clock = clock
  }

  /** Options of a client of `service`. FIPS and dual-stack come from `profile`, through the SDK. */
  async clientOptions(service: Service, { region, profile }: { region: string; profile: string }) {
    const endpoint =
      this.#settings.endpoints?.[service] ?? (await this.#configuredEndpoint(service, profile))
    return {
      ...(await this.providerOptions(profile)),
      region,
      // A private endpoint is taken as it is: the SDK refuses to derive a variant from it.
      ...(endpoint !== undefined && {
        endpoint,
        useFipsEndpoint: false,
        useDualstackEndpoint: false,
      }),
    }
  }

  /**
   * Options that hold for every client, those inside the SDK's providers included: they choose
   * their own region. `observe` hears how each request ended.
   */
  async providerOptions(profile: string, observe?: (exchange: Exchange) => void) {
    const { version, configuredEndpoints } = this.#settings
    return {
      profile,
      maxAttempts: MAX_ATTEMPTS,
      retryMode: 'standard',
      defaultsMode: 'standard' as const,
      customUserAgent: [['sentinel', version]] as [string, string][],
      ignoreConfiguredEndpointUrls: configuredEndpoints === 'ignore',
      requestHandler: this.#observed(await this.#handler(profile), observe),
    }
  }

  /** Closes the connections that are kept. */
  [Symbol.dispose](): void {
    for (const handler of this.#handlers.values()) void handler.then((made) => made.destroy())
    this.#handlers.clear()
  }

  /**
   * What `--allow-endpoint-override` lets the user's environment and `profile` say. The SDK would
   * look at the profile that AWS_PROFILE names instead of the one that is served.
   */
  async #configuredEndpoint(service: Service, profile: string): Promise<string | undefined> {
    if (this.#settings.configuredEndpoints === 'ignore') return undefined
    const endpoint = await loadConfig<string>(
      {
        environmentVariableSelector: (env) =>
          env[`AWS_ENDPOINT_URL_${nameOf(service).toUpperCase()}`] ||
          env.AWS_ENDPOINT_URL ||
          undefined,
        configFileSelector: (section, file) =>
          file?.[`services.${section.services}`]?.[`${nameOf(service)}.endpoint_url`] ??
          section.endpoint_url,
        default: '',
      },
      { profile },
    )()
    return endpoint || undefined
  }

  /** `AWS_CA_BUNDLE`, then the profile's `ca_bundle`, as in the AWS CLI: they replace the roots. */
  async #handler(profile: string): Promise<NodeHttpHandler> {
    const bundle = await loadConfig(
      {
        environmentVariableSelector: (env) => env.AWS_CA_BUNDLE || undefined,
        configFileSelector: (section) => section.ca_bundle,
        default: '',
      },
      { profile },
    )()
    const made = this.#handlers.getOrInsertComputed(bundle, () => this.#open(bundle))
    // What failed to open is opened anew next time: the file may be there then.
    made.catch(() => this.#handlers.delete(bundle))
    return made
  }

  async #open(bundle: string): Promise<NodeHttpHandler> {
    const { proxy, requestTimeoutMs = REQUEST_TIMEOUT } = this.#settings
    const ca = bundle === '' ? undefined : await readBundle(bundle)
    return new NodeHttpHandler({
      connectionTimeout: Math.min(CONNECTION_TIMEOUT, requestTimeoutMs),
      requestTimeout: requestTimeoutMs,
      socketTimeout: requestTimeoutMs,
      throwOnRequestTimeout: true,
      httpsAgent: new Agent({
        keepAlive: true,
        maxSockets: 50,
        ...(ca !== undefined && { ca }),
        ...(proxy !== undefined && { proxyEnv: { HTTPS_PROXY: proxy } }),
      }),
    })
  }

  #observed(
    handler: NodeHttpHandler,
    observe: (exchange: Exchange) => void = () => {},
  ): HttpHandler {
    const clock = this.#clock
    return {
      metadata: handler.metadata,
      async handle(request, options) {
        try {
          const answer = await handler.handle(request, options)
          const { statusCode, headers } = answer.response
          clock.learn(Date.parse(headers.date ?? ''), clock.now())
          observe({ status: statusCode })
          return answer
        } catch (error) {
          observe({})
          throw error
        }
      },
      // The handler is shared: no single client configures or closes it.
      updateHttpClientConfig: () => {},
      httpHandlerConfigs: () => ({}),
      destroy: () => {},
    }
  }
}

/** A service as AWS's variables and config files call it. */
function nameOf(service: Service): string {
  return service === 'logs' ? 'cloudwatch_logs' : service
}

async function readBundle(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (cause) {
    throw new SentinelError('CONFIG_INVALID', `the CA bundle ${path} cannot be read`, {
      hint: 'correct AWS_CA_BUNDLE or ca_bundle',
      cause,
    })
  }
}

/** The value is not repeated in the message: a proxy's may hold a password. */
function requireURL(what: string, value: string, protocols: readonly string[]): void {
  const url = URL.parse(value)
  if (url !== null && protocols.includes(url.protocol)) return
  const forms = protocols.map((protocol) => `${protocol}//…`).join(' or ')
  throw new SentinelError('CONFIG_INVALID', `the setting ${what} is not a URL that can be used`, {
    hint: `write it as ${forms}`,
  })
}
