import { DynamoDBClient, type DynamoDBClientConfig } from '@aws-sdk/client-dynamodb'

/** Whoever calls tries again by a plan of its own; the SDK only rides out a single hiccup. */
const MAX_ATTEMPTS = 2

/** Makes a client. Whoever opens it destroys it. */
export function openClient(config: DynamoDBClientConfig): DynamoDBClient {
  return new DynamoDBClient({ ...config, maxAttempts: MAX_ATTEMPTS })
}
