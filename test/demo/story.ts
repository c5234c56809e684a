import { randomBytes } from 'node:crypto'
import { SSMClient } from '@aws-sdk/client-ssm'
import { type Credentials, STSClient } from '@aws-sdk/client-sts'
import { NodeHttpHandler } from '@smithy/node-http-handler'
import type { World } from '../../src/demo/iam.ts'
import { openStandInAWS, type StandInAWS } from '../../src/demo/stand-in-aws.ts'
import { STORY } from '../../src/demo/world.ts'

/** The story's AWS, on the real clock. */
export function openStory(world: World = STORY, now = Date.now): Promise<StandInAWS> {
  return openStandInAWS(world, { now, randomBytes })
}

interface Key {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken?: string
}

type Handle = NodeHttpHandler['handle']
type SDKRequest = Parameters<Handle>[0]

/** Changes a request after the SDK signed it. */
export type Tamper = (request: SDKRequest) => void

interface ClientOptions {
  readonly region?: string
  readonly attempts?: number
  readonly tamper?: Tamper
}

export function stsAs(aws: StandInAWS, key: Key, options: ClientOptions = {}): STSClient {
  return new STSClient(configFor(aws, key, options))
}

export function ssmAs(aws: StandInAWS, key: Key, options: ClientOptions = {}): SSMClient {
  return new SSMClient(configFor(aws, key, options))
}

/** The credentials of a response, as the next client takes them. */
export function keyOf(credentials: Credentials | undefined): Required<Key> {
  return {
    accessKeyId: credentials!.AccessKeyId!,
    secretAccessKey: credentials!.SecretAccessKey!,
    sessionToken: credentials!.SessionToken!,
  }
}

function configFor(
  aws: StandInAWS,
  { accessKeyId, secretAccessKey, sessionToken }: Key,
  { region = 'eu-central-1', attempts = 1, tamper = () => undefined }: ClientOptions,
) {
  const credentials = { accessKeyId, secretAccessKey, ...(sessionToken && { sessionToken }) }
  const wire = new NodeHttpHandler()
  const requestHandler = {
    handle(request: SDKRequest, options?: Parameters<Handle>[1]) {
      tamper(request)
      return wire.handle(request, options)
    },
    destroy: () => wire.destroy(),
  }
  return { endpoint: aws.url, region, credentials, maxAttempts: attempts, requestHandler }
}
