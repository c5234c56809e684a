import { spawn } from 'node:child_process'
import { text } from 'node:stream/consumers'
import type { Credentials } from '../domain/credentials.ts'
import { HOUR, MINUTE, SECOND } from '../domain/time.ts'
import { SentinelError } from '../errors.ts'
import type { Clock } from '../ports/clock.ts'
import { invalid } from './aws-config.ts'
import { abandonOn, interrupted } from './deadline.ts'
import type { Chain } from './profile-chain.ts'
import type { SessionKeys } from './sts-answer.ts'
import type { HopContext, STSHops } from './sts-hops.ts'

/** A session that ends sooner is opened anew, while somebody is there to give a code. */
const LEAST_LIFE = MINUTE

const SESSION_DURATION = (12 * HOUR) / SECOND

interface MFAOptions {
  readonly clock: Clock
  readonly hops: Pick<STSHops, 'openMFASession'>
  /** What `mfa_process` is run with. */
  readonly env: NodeJS.ProcessEnv
  /** Asks a person for the code of a device. Absent: nobody can be asked. */
  readonly promptMFACode?: ((serial: string) => Promise<string>) | undefined
  /** Seconds: the setting `mfa_session_duration`. */
  readonly sessionDuration?: number | undefined
}

/** A device, the profile that names it, and where its codes come from. */
export interface MFADevice {
  readonly serial: string
  readonly profile: string
  /** A command that prints the code. */
  readonly process?: string | undefined
}

interface CodeOptions {
  readonly mayPrompt: boolean
  readonly signal: AbortSignal
  /** Bounds `mfa_process`; a person may take longer. */
  readonly processTimeoutMs: number
}

/** Finds the device that a chain asks for: the one nearest to the profile that was named. */
export function findDevice({ roles, source }: Chain): MFADevice | undefined {
  const links = [...roles, source]
  const link = links.find(({ section }) => section.mfa_serial !== undefined)
  if (link?.section.mfa_serial === undefined) return undefined
  const process = link.section.mfa_process ?? source.section.mfa_process
  return { serial: link.section.mfa_serial, profile: link.name, process }
}

/** Gets codes, and keeps the sessions that were opened with them for the length of the run. */
export class MFA {
  readonly #options: MFAOptions
  readonly #sessions = new Map<string, SessionKeys>()

  constructor(options: MFAOptions) {
    this.#options = options
  }

  /**
   * The session of `keys` (an IAM user's) with `device`: the one that is open, or a new one.
   * Rejects with `INTERACTION_REQUIRED`, or `BASE_CREDENTIALS_EXPIRED` if one was open and has
   * ended, when nobody can give a code.
   */
  async session(
    keys: Credentials,
    device: MFADevice,
    { target, ...options }: CodeOptions & HopContext,
  ): Promise<SessionKeys> {
    const { clock, hops, sessionDuration: duration = SESSION_DURATION } = this.#options
    const id = `${keys.accessKeyId} ${device.serial}`
    const open = this.#sessions.get(id)
    if (open !== undefined && open.expiration - clock.aws() > LEAST_LIFE) return open
    const tokenCode = await this.code(device, options, open === undefined ? 'first' : 'renewal')
    const mfa = { serialNumber: device.serial, tokenCode, duration }
    const session = await hops.openMFASession(keys, mfa, { target, signal: options.signal })
    this.#sessions.set(id, session)
    return session
  }

  /** A code of `device`, from its `mfa_process` or from a person. */
  async code(
    device: MFADevice,
    { mayPrompt, signal, processTimeoutMs }: CodeOptions,
    need: 'first' | 'renewal' = 'first',
  ): Promise<string> {
    if (device.process !== undefined) {
      const bounded = AbortSignal.any([signal, AbortSignal.timeout(processTimeoutMs)])
      const code = await run(device.process, this.#options.env, bounded).catch(() => '')
      if (signal.aborted) throw interrupted('mfa_process')
      return requireCode(code, () =>
        invalid(
          device.profile,
          'has an mfa_process that printed no code of six digits',
          'run mfa_process by hand to see why',
        ),
      )
    }
    const { promptMFACode } = this.#options
    if (!mayPrompt || promptMFACode === undefined) throw nobodyToAsk(device, need)
    const asked = await abandonOn(signal, promptMFACode(device.serial)).catch((error: unknown) => {
      throw signal.aborted ? interrupted('the MFA prompt') : error
    })
    return requireCode(asked, () => new SentinelError('USAGE', 'that is no code of six digits'))
  }
}

/** The command is the user's own, from the config file, as `credential_process` is. */
async function run(command: string, env: NodeJS.ProcessEnv, signal: AbortSignal): Promise<string> {
  // Its stderr is for the person: "touch your key".
  const child = spawn(command, { shell: true, env, signal, stdio: ['ignore', 'pipe', 'inherit'] })
  const { promise: ended, resolve, reject } = Promise.withResolvers<number | null>()
  child.once('error', reject)
  child.once('close', resolve)
  const [printed, status] = await Promise.all([text(child.stdout), ended])
  return status === 0 ? printed : ''
}

function requireCode(text: string, failure: () => SentinelError): string {
  const code = text.trim()
  if (/^\d{6}$/.test(code)) return code
  throw failure()
}

function nobodyToAsk({ serial, profile }: MFADevice, need: 'first' | 'renewal'): SentinelError {
  if (need === 'renewal') {
    return new SentinelError('BASE_CREDENTIALS_EXPIRED', `the MFA session of ${serial} has ended`, {
      hint: 'start again in a terminal, and type a new code',
    })
  }
  return new SentinelError('INTERACTION_REQUIRED', `a code of ${serial} is needed`, {
    hint: `run in a terminal, or set mfa_process in profile ${JSON.stringify(profile)}`,
  })
}
