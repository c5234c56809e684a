import { setTimeout as sleep } from 'node:timers/promises'
import type { Instant } from '../domain/time.ts'
import { answerCall, type Backend } from './answer-call.ts'
import { Directory, type SessionKey } from './directory.ts'
import { type Fault, FaultScript } from './faults.ts'
import { type Role, sessionIdentity, type World } from './iam.ts'
import type { JournalEntry } from './journal.ts'
import { serveLoopback, type WireReply } from './loopback.ts'
import { MFADevices } from './mfa.ts'
import { ParameterStore, type Place } from './parameter-store.ts'
import { ssmOperations } from './ssm.ts'
import { stsOperations } from './sts.ts'

/**
 * An AWS of one's own: STS and SSM at one address on loopback, strict where AWS is strict. It takes
 * the made-up keys of its world and those that it issues, asks nobody else, and forgets everything
 * when it is disposed.
 */
export interface StandInAWS extends AsyncDisposable {
  /** `http://127.0.0.1:PORT`: the endpoint of both services. */
  readonly url: string

  /** Every call, oldest first. Grows. */
  readonly journal: readonly JournalEntry[]

  /** Milliseconds by which AWS's clock is ahead of the one given. May be set at any time. */
  clockOffset: number

  /** Lets something go wrong. Faults strike in the order in which they were scripted. */
  script(fault: Fault): void

  /** Changes a role: its trust policy, its longest session. */
  setRole(arn: string, change: Partial<Pick<Role, 'maxSessionSeconds' | 'trust'>>): void

  /** Begins a session of a role as Identity Center does, for `lifetime` seconds. */
  signIn(roleArn: string, sessionName: string, lifetime: number): SessionKey

  /** Ends a session now. */
  expire(accessKeyId: string): void

  /**
   * Puts a parameter of type String, over an older version if there is one; returns its version.
   */
  putParameter(name: string, value: string, place?: Place): number

  deleteParameter(name: string, place?: Place): void
}

/** What the stand-in cannot have by itself. */
export interface Surroundings {
  readonly now: () => Instant
  readonly randomBytes: (size: number) => Uint8Array
}

/** Opens a stand-in AWS with what `world` has in it. Throws when a key could be a real one. */
export async function openStandInAWS(
  world: World,
  { now, randomBytes }: Surroundings,
): Promise<StandInAWS> {
  const clock = { offset: 0, now: () => now() + clock.offset }
  const directory = new Directory(world, clock.now(), randomBytes)
  const parameters = new ParameterStore()
  const home = homeOf(world)
  const journal: JournalEntry[] = []
  const faults = new FaultScript()
  const backend: Backend = {
    regions: world.regions,
    directory,
    faults,
    operations: {
      sts: stsOperations({ directory, devices: new MFADevices(world) }),
      ssm: ssmOperations(parameters),
    },
  }

  const closing = new AbortController()
  const server = await serveLoopback(async (request) => {
    const requestId = toUUID(randomBytes(16))
    const answer = answerCall(backend, request, { requestId, now: clock.now() })
    journal.push(answer.entry)
    await delay(answer.latencyMs, closing.signal)
    return withDate(answer.reply, clock.now())
  })

  return {
    url: server.url,
    journal,
    get clockOffset() {
      return clock.offset
    },
    set clockOffset(offset) {
      clock.offset = offset
    },
    script: (fault) => faults.add(fault),
    setRole: (arn, change) => directory.setRole(arn, change),
    signIn(roleArn, sessionName, lifetime) {
      const role = directory.findRole(roleArn)
      if (!role) throw new TypeError(`the world has no role ${roleArn}`)
      const identity = sessionIdentity(role, sessionName)
      return directory.issue(identity, { at: clock.now(), lifetime, hasMFA: false })
    },
    expire: (accessKeyId) => directory.endKey(accessKeyId, clock.now()),
    putParameter: (name, value, place = home) =>
      parameters.put(place, name, { value, type: 'String', mayOverwrite: true, at: clock.now() }),
    deleteParameter: (name, place = home) => parameters.delete(place, name),
    async [Symbol.asyncDispose]() {
      closing.abort()
      await server[Symbol.asyncDispose]()
    },
  }
}

function homeOf({ regions, accounts }: World): Place {
  const [region, account] = [regions[0], accounts[0]?.id]
  if (!region || !account) throw new TypeError('a world needs a region and an account')
  return { region, account }
}

/** Ends early, and quietly, when the stand-in closes: nobody hears the answer any more. */
async function delay(milliseconds: number, signal: AbortSignal): Promise<void> {
  if (milliseconds === 0) return
  await sleep(milliseconds, undefined, { signal }).catch(() => undefined)
}

function withDate(reply: WireReply, at: Instant): WireReply {
  if (reply.kind !== 'answer') return reply
  return { ...reply, headers: { ...reply.headers, date: new Date(at).toUTCString() } }
}

function toUUID(bytes: Uint8Array): string {
  const hex = Buffer.from(bytes).toString('hex')
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
}
