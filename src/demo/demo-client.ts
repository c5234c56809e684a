import { setTimeout as sleep } from 'node:timers/promises'
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts'

export interface DemoClientContext {
  /**
   * The process's own environment: the SDK reads its container credentials, region and config files
   * from there by itself, like that of any program run by `exec`.
   */
  readonly env: Readonly<Record<string, string | undefined>>
  readonly print: (line: string) => void
  /** Calls again and again, and says no more until one fails. */
  readonly isRepeated: boolean
}

/** How much of an access key id is shown. */
const SHOWN_CHARACTERS = 12

/**
 * The program that the demo runs under the gateway: an AWS SDK client with nothing passed to it but
 * where STS is. Prints who it is, in one line of JSON, or what the SDK says went wrong; returns the
 * exit status. It talks to loopback only, and with made-up keys only.
 */
export async function runDemoClient(context: DemoClientContext): Promise<number> {
  const { env, print, isRepeated } = context
  const endpoint = env.AWS_ENDPOINT_URL_STS ?? ''
  if (!isLoopback(endpoint)) {
    print(`AWS_ENDPOINT_URL_STS is not the stand-in AWS: "${endpoint}"`)
    return 1
  }
  for (let calls = 0; ; calls += 1) {
    const { status, said } = await callOnce(endpoint)
    if (status !== 0 || calls === 0) print(said)
    if (status !== 0 || !isRepeated) return status
    await sleep(500)
  }
}

/** Each call by a client of its own: the SDK keeps credentials as long as they live. */
async function callOnce(endpoint: string): Promise<{ status: number; said: string }> {
  // Given, not found: Sentinel's own process ignores configured endpoints.
  const client = new STSClient({ endpoint })
  try {
    const { accessKeyId } = await client.config.credentials()
    if (!accessKeyId.includes('DEMO')) {
      return {
        status: 1,
        said: 'these credentials are not of the stand-in AWS, and are not sent to it',
      }
    }
    const { Account: account, Arn: arn } = await client.send(new GetCallerIdentityCommand())
    const shown = `${accessKeyId.slice(0, SHOWN_CHARACTERS)}…`
    return { status: 0, said: JSON.stringify({ account, arn, accessKeyId: shown }) }
  } catch (error) {
    return {
      status: 1,
      said: error instanceof Error ? `${error.name}: ${error.message}` : String(error),
    }
  } finally {
    client.destroy()
  }
}

function isLoopback(endpoint: string): boolean {
  const url = URL.parse(endpoint)
  return url?.protocol === 'http:' && url.hostname === '127.0.0.1'
}
