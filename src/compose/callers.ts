import { type BaseIdentity, BaseIdentityKeeper } from '../app/base-identity.ts'
import type { Caller } from '../deps.ts'
import { partyOf } from '../domain/party.ts'
import { isIssuedBySentinel, parsePrincipal } from '../domain/principal.ts'
import { userPart } from '../domain/source-identity.ts'
import { SECOND } from '../domain/time.ts'
import { SentinelError } from '../errors.ts'
import { type AWS, openAWS } from './aws.ts'
import { lazily } from './lazily.ts'
import { sha256 } from './randomness.ts'
import type { Signer } from './signer.ts'
import type { StoreSigner } from './store-opener.ts'
import type { World } from './world.ts'

const IDENTIFY_TIMEOUT = 10 * SECOND

/**
 * Orders and decisions about others are not taken inside a run. A guard rail: who removes the
 * variable is still told by their credentials, if Sentinel issued them.
 */
export function assertOutside({ env }: Pick<World, 'env'>): void {
  if (env.SENTINEL_ACTIVE) throw fromInside('this command runs inside `sentinel exec`')
}

/** Whom STS names for `signer`. Rejects with `ISSUED_BY_SENTINEL` for credentials we issued. */
export async function identifyCaller(aws: AWS, { profile, credentials }: Signer): Promise<Caller> {
  const tokens = aws.tokens(profile.name, aws.regionOf(profile))
  const signal = AbortSignal.timeout(IDENTIFY_TIMEOUT)
  const principal = parsePrincipal(await tokens.identify(await credentials(), signal))
  if (isIssuedBySentinel(principal)) {
    throw fromInside(`the credentials (${principal.arn}) were issued by Sentinel`)
  }
  return { principal, party: partyOf(principal, userPart(principal, sha256)) }
}

/** Resolves a profile's base credentials and asks STS whose they are. */
export async function identify(world: World, name: string): Promise<BaseIdentity> {
  const aws = await openAWS(world, {})
  const profile = await aws.profiles.load(name)
  const tokens = aws.tokens(profile.name, aws.regionOf(profile))
  const deps = { profiles: aws.profiles, tokens, clock: world.clock, sha256 }
  return new BaseIdentityKeeper(deps, profile).renew(!world.globals['no-interaction'])
}

/**
 * Asks STS, once, whether `signer` is of the caller's account. What it makes rejects with
 * `CONFIG_INVALID` where it is not.
 */
export function accountGuard(
  aws: AWS,
  signer: StoreSigner,
  caller: StoreSigner,
): () => Promise<void> {
  const accountOf = async ({ profile, credentials }: StoreSigner) => {
    const tokens = aws.tokens(profile.name, aws.regionOf(profile))
    const signal = AbortSignal.timeout(IDENTIFY_TIMEOUT)
    return (await tokens.identify(await credentials(), signal)).account
  }
  return lazily(async () => {
    const [theirs, own] = await Promise.all([accountOf(signer), accountOf(caller)])
    if (theirs === own) return
    throw new SentinelError(
      'CONFIG_INVALID',
      `--aws-profile ${signer.profile.name} is of account ${theirs}, and a table that the policy ` +
        `names without an account is one of ${own}`,
      { hint: 'leave --aws-profile out, or have the policy name the table by its ARN' },
    )
  })
}

function fromInside(why: string): SentinelError {
  return new SentinelError('ISSUED_BY_SENTINEL', `no order is taken from here: ${why}`, {
    hint: 'run it in another terminal, with your own credentials',
  })
}
