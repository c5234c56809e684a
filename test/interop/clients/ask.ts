/**
 * Calls GetCallerIdentity through the AWS SDK for JavaScript v3, told nothing but what its
 * environment says. Prints one line of JSON: who AWS says it is, or what the SDK says went wrong
 * (then it exits with 1).
 */
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts'

try {
  const { Arn: arn } = await new STSClient().send(new GetCallerIdentityCommand())
  console.log(JSON.stringify({ arn }))
} catch (error) {
  console.log(JSON.stringify({ error: String(error) }))
  process.exitCode = 1
}
