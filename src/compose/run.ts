import { hostname } from 'node:os'
import { resolve } from 'node:path'
import { type BaseIdentity, BaseIdentityKeeper } from '../app/base-identity.ts'
import { Run } from '../app/run.ts'
import { describeRecord } from '../cli/describe-record.ts'
import type { RunFlags, RunSelection } from '../deps.ts'
import type { DecisionLog } from '../ports/decision-log.ts'
import { openAWS } from './aws.ts'
import { policyLocation, policySourceOpener } from './policy.ts'
import { newId, sha256 } from './randomness.ts'
import { uid, type World } from './world.ts'

/** Opens a run of an issuing command. */
export async function openRun(world: World, selection: RunSelection): Promise<Run> {
  const { settings, notices, clock, globals, host } = world
  const { flags, mode } = selection
  const location = policyLocation(settings, flags)
  const prompts = globals['no-interaction'] ? 'never' : selection.prompts
  const aws = await openAWS(world, { 'no-session': flags['no-session'] })
  const profile = await aws.profiles.load(selection.profile)
  const { parsePolicy } = await import('../documents/policy.ts')
  const log = await openLog(world, flags)
  const durationKey = mode === 'server' ? 'serverDuration' : 'duration'
  return new Run(
    {
      profiles: aws.profiles,
      tokens: aws.tokens(profile.name, aws.regionOf(profile)),
      log,
      clock,
      notices,
      openPolicySource: await policySourceOpener(world, aws, { location, profile, prompts }),
      parsePolicy,
      sha256,
      newRequestId: newId,
      random: Math.random,
    },
    {
      profile: profile.name,
      mode,
      asked: {
        flag: selection.duration,
        setting: settings.get(durationKey).value,
      },
      mayPrompt: prompts === 'allowed',
      acceptsPolicyReset: flags['accept-policy-reset'] ?? false,
      hasSessionTags: settings.get('sessionTags').value,
      endpointOverride: globals['allow-endpoint-override'] ?? false,
      version: host.version,
    },
    profile,
  )
}

async function openLog(
  { settings, clock, host, globals, notices }: World,
  flags: RunFlags,
): Promise<DecisionLog> {
  const { openDecisionLog } = await import('../audit/file-decision-log.ts')
  const path = settings.get('logFile', { name: 'log-file', text: flags['log-file'] })
  const isMirrored = flags['log-stderr'] ?? settings.get('logStderr').value
  return openDecisionLog({
    path: resolve(path.value),
    directory: path.origin === 'default' ? 'private' : 'chosen',
    stream: newId(),
    clock,
    host: hostname(),
    pid: process.pid,
    uid,
    mirror(line) {
      if (isMirrored) host.stderr.write(`${line}\n`)
      if (globals.verbose) notices.info(describeRecord(JSON.parse(line)))
    },
  })
}

/** Resolves a profile's base credentials and asks STS whose they are. */
export async function identify(world: World, name: string): Promise<BaseIdentity> {
  const aws = await openAWS(world, {})
  const profile = await aws.profiles.load(name)
  const tokens = aws.tokens(profile.name, aws.regionOf(profile))
  const deps = { profiles: aws.profiles, tokens, clock: world.clock, sha256 }
  return new BaseIdentityKeeper(deps, profile).renew(!world.globals['no-interaction'])
}
