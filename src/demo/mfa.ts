import type { Instant } from '../domain/time.ts'
import { AWSError } from './aws-error.ts'
import type { AccessKey } from './directory.ts'
import { mfaSerial, type World } from './iam.ts'
import { findStep } from './totp.ts'

/** What a call may bring of an MFA device. */
interface MFAParameters {
  readonly SerialNumber?: string
  readonly TokenCode?: string
}

/** The users' virtual MFA devices. A code is good once. */
export class MFADevices {
  readonly #seeds = new Map<string, string>()
  readonly #lastSteps = new Map<string, number>()

  constructor({ accounts }: World) {
    for (const { id, users = [] } of accounts) {
      for (const { name, mfaSeed } of users) {
        if (mfaSeed !== undefined) this.#seeds.set(mfaSerial(id, name), mfaSeed)
      }
    }
  }

  /**
   * Whether the call brings a code of the caller's own device, which is used up by this. Throws
   * AccessDenied when it brings one that is not good. Roles have no device.
   */
  check(caller: AccessKey, { SerialNumber: serial, TokenCode: code }: MFAParameters, at: Instant) {
    if (serial === undefined && code === undefined) return false
    if (serial === undefined || code === undefined) {
      throw denied(', must provide both MFA serial number and one time pass code.')
    }
    const seed = serial === serialOf(caller) ? this.#seeds.get(serial) : undefined
    if (seed === undefined) {
      throw denied(
        ', unable to validate MFA code.  ' +
          'Please verify your MFA serial number is valid and associated with this user.',
      )
    }
    const step = findStep(seed, code, at)
    // The space at the end is AWS's.
    if (step === undefined || step <= (this.#lastSteps.get(serial) ?? -1)) {
      throw denied(' with invalid MFA one time pass code. ')
    }
    this.#lastSteps.set(serial, step)
    return true
  }
}

function serialOf({ identity }: AccessKey): string | undefined {
  return identity.kind === 'user' ? mfaSerial(identity.account, identity.name) : undefined
}

function denied(why: string): AWSError {
  return new AWSError('AccessDenied', `MultiFactorAuthentication failed${why}`, 403)
}
