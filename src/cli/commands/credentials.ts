import { toSeconds } from '../../domain/time.ts'
import { defineCommand } from '../command.ts'
import { ISSUE_OPTIONS, readDuration } from '../issue-options.ts'

export default defineCommand({
  usage: 'credentials',
  summary: 'Print credentials for the credential_process of an AWS config file',
  examples: ['credentials --profile prod'],
  options: {
    profile: { type: 'string', value: 'PROFILE', summary: 'The gated profile', required: true },
    ...ISSUE_OPTIONS,
  },

  async run({ options }, deps) {
    await using run = await deps.openRun({
      profile: options.profile,
      mode: 'credential_process',
      duration: readDuration('duration', options.duration),
      flags: options,
      prompts: 'never',
    })
    const { credentials } = await run.endingWith(() => run.issueOnce())
    const { accessKeyId, secretAccessKey, sessionToken, expiration, accountId } = credentials
    // The format is the AWS CLI's: "Sourcing credentials with an external process".
    const answer = {
      Version: 1,
      AccessKeyId: accessKeyId,
      SecretAccessKey: secretAccessKey.reveal(),
      SessionToken: sessionToken.reveal(),
      Expiration: toSeconds(expiration),
      AccountId: accountId,
    }
    deps.out.printRaw(`${JSON.stringify(answer)}\n`)
    return undefined
  },
})
