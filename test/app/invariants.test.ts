import assert from 'node:assert/strict'
import { afterEach, beforeEach, mock, suite, test } from 'node:test'
import type { CredentialSupply } from '../../src/app/credential-supply.ts'
import type { SessionCredentials } from '../../src/domain/credentials.ts'
import type { Policy } from '../../src/domain/policy/types.ts'
import { HOUR, MINUTE, SECOND } from '../../src/domain/time.ts'
import { SentinelError } from '../../src/errors.ts'
import { policyFault } from '../fixtures/app/policy-source.ts'
import { baseEnded, session } from '../fixtures/app/profiles.ts'
import { stsFault } from '../fixtures/app/token-service.ts'
import { settle, stopTimers, World } from '../fixtures/app/world.ts'
import {
  aGrant,
  anApprovalRule,
  aPolicy,
  aPrincipal,
  aRule,
  NOON,
  PROD,
} from '../fixtures/policies.ts'
import { pick, random, scaled } from '../fixtures/random.ts'

const STEPS = 120
const AGE_MAX = 5 * MINUTE
/** Seconds. */
const ASKED = 3600

/** A server's life under a hostile hand: each action is one step, and one more thing to hold. */
class Life {
  readonly #next: () => number
  readonly #world = new World()
  readonly #trace: string[] = []
  readonly #policies = new Map<number, Policy>()
  readonly #grantEnds = new Map<string, number>()
  #supply!: CredentialSupply
  #logins = 0
  #served = 0

  constructor(seed: number) {
    this.#next = random(seed)
  }

  /** How many credentials it handed out. */
  async live(): Promise<number> {
    this.#world.options = { ...this.#world.options, asked: { setting: ASKED } }
    this.#logIn()
    this.#put({ rules: [aRule()] })
    this.#supply = await this.#world.openSupply('lazy')
    for (let step = 0; step < STEPS; step += 1) await this.#step()
    await this.#supply.close()
    this.#holdLog()
    return this.#served
  }

  get trace(): string {
    return this.#trace.join('\n')
  }

  async #step(): Promise<void> {
    // Most of a life is asking; now and then all that is broken is mended.
    const isAsking = this.#next() < 0.5
    const actions = Object.entries(isAsking ? this.#requests : this.#events)
    const [name, action] = pick(this.#next, actions)
    const { wall } = this.#world.clock
    this.#trace.push(`${(wall - NOON) / SECOND} s: ${name}`)
    await action()
    await settle()
    this.#holdLog()
  }

  readonly #requests: Record<string, () => Promise<void>> = {
    'a request': () => this.#request(),
    'requests at once': async () => {
      await Promise.all(Array.from({ length: 5 }, () => this.#request()))
    },
    'request after a while': async () => {
      await this.#pass(pick(this.#next, [SECOND, 20 * SECOND, 40 * SECOND]))
      await this.#request()
    },
  }

  readonly #events: Record<string, () => Promise<void> | void> = {
    'all is well': () => this.#mend(),
    'all is well again': () => this.#mend(),
    'all is well once more': () => this.#mend(),
    'a minute': () => this.#pass(MINUTE),
    'ten minutes': () => this.#pass(10 * MINUTE),
    sleep: () => this.#world.clock.sleep(pick(this.#next, [6 * SECOND, MINUTE, HOUR])),
    'allow by policy': () => this.#put({ rules: [aRule({ maxDuration: this.#cap() })] }),
    'allow by approval': () => this.#put({ rules: [aRule({ effect: 'require_approval' })] }),
    deny: () => this.#put({ rules: [aRule({ effect: 'deny' })] }),
    'a policy that is none': () => this.#world.source.putText('{'),
    'an older policy': () => {
      const { source } = this.#world
      // The versions of the policies put later are still higher than all before.
      source.answerOnce({ text: 'policy 1', version: 0 })
    },
    'the policy is silent': () => {
      this.#world.source.fault = policyFault()
    },
    'the policy is back': () => {
      this.#world.source.fault = undefined
    },
    'an approval': () => this.#grant(),
    'no approvals': () => {
      this.#world.grants.grants = []
    },
    'grants are silent': () => {
      this.#world.grants.fault = new Error('ECONNREFUSED')
    },
    'grants are back': () => {
      this.#world.grants.fault = undefined
    },
    'STS fails': () => {
      this.#world.tokens.fault = stsFault()
    },
    'STS is slow': () => {
      this.#world.tokens.latency = pick(this.#next, [300, 2500, 15_000])
    },
    'STS is well': () => {
      this.#world.tokens.fault = undefined
      this.#world.tokens.latency = 0
    },
    'the disk is full': () => {
      this.#world.log.isFull = true
    },
    'the disk has room': () => {
      this.#world.log.isFull = false
    },
    'the login ends': () => {
      this.#world.profiles.fault = baseEnded()
    },
    'a login': () => this.#logIn(),
  }

  #cap(): number {
    return pick(this.#next, [900, 1800, 3600])
  }

  #mend(): void {
    const { source, tokens, log, grants } = this.#world
    source.fault = undefined
    tokens.fault = undefined
    tokens.latency = 0
    log.isFull = false
    grants.fault = undefined
    this.#logIn()
    this.#grant()
    const effect = pick(this.#next, ['allow', 'require_approval'] as const)
    this.#put({ rules: [aRule({ effect, maxDuration: this.#cap() })] })
  }

  #put(policy: Partial<Policy>): void {
    const { source } = this.#world
    const whole = aPolicy({ ...policy, approvals: [anApprovalRule()] })
    source.put(whole)
    this.#policies.set(source.version ?? 0, whole)
  }

  #grant(): void {
    const startsAt = this.#world.clock.aws()
    const endsAt = startsAt + pick(this.#next, [10, 18, 45]) * MINUTE
    const id = `r-${this.#grantEnds.size}`
    this.#grantEnds.set(id, endsAt)
    this.#world.grants.grants = [aGrant({ id, startsAt, endsAt })]
  }

  #logIn(): void {
    const { profiles, tokens, clock } = this.#world
    this.#logins += 1
    const key = `ASIABASE${this.#logins}`
    tokens.know(key, aPrincipal())
    profiles.fault = undefined
    profiles.resolved = { base: session(key, clock.aws() + HOUR), role: { arn: PROD } }
  }

  async #pass(ms: number): Promise<void> {
    for (let left = ms; left > 0; left -= 4 * SECOND) {
      await this.#world.advance(Math.min(left, 4 * SECOND), 2 * SECOND)
      this.#supply.tick()
      await settle()
    }
  }

  /** One request, which lets time pass while it waits; I10: for less than a second. */
  async #request(): Promise<void> {
    const { clock } = this.#world
    const asked = clock.now()
    let end: { value?: SessionCredentials; error?: unknown } | undefined
    this.#supply
      .serve('same')
      .then(
        (value) => {
          end = { value }
          this.#holdServed(value)
        },
        (error: unknown) => {
          end = { error }
        },
      )
      .catch((failure: unknown) => {
        end = { error: failure }
      })
    await settle()
    while (!end) {
      const waited = clock.now().monotonic - asked.monotonic
      assert.ok(waited < SECOND * 5, `no answer after ${waited} ms`)
      await this.#world.advance(100)
    }
    if (!end.error) return
    if (!(end.error instanceof SentinelError)) throw end.error
    this.#trace.push(`    ${end.error.code}`)
  }

  /** What must hold at the moment a credential leaves. */
  #holdServed({ accessKeyId, expiration }: SessionCredentials): void {
    const { clock, log, tokens, source } = this.#world
    this.#trace.push(`    ${accessKeyId}`)
    this.#served += 1
    assert.ok(expiration > clock.aws() + MINUTE, 'a credential in its last minute')

    const made = tokens.sessions.find((known) => known.accessKeyId === accessKeyId)
    const record = log.of('issued').find(({ access_key_id }) => access_key_id === accessKeyId)
    assert.ok(made && record, 'I2: no record')
    const { request } = made
    assert.equal(record.source_identity, request.sourceIdentity, 'I2: another stamp')
    assert.equal(request.roleSessionName, `alice-${record.request_id}`, 'I2: another name')

    // What the source said last is the policy in force.
    const last = source.answers.at(-1)
    assert.ok(last, 'I5: no policy')
    const age = Math.max(clock.wall - last.askedAt.wall, clock.monotonic - last.askedAt.monotonic)
    assert.ok(age <= AGE_MAX, `I5: a policy of ${age} ms`)
    const versions = source.answers.map(({ found }) => found.version ?? 0)
    assert.equal(last.found.version, Math.max(...versions), 'I5: an older policy')
    const [rule] = this.#policies.get(last.found.version ?? 0)?.rules ?? []
    assert.ok(rule && rule.effect !== 'deny', 'I1: under a deny')
    const isLifted = rule.effect === 'require_approval'
    assert.equal(record.basis, isLifted ? 'approval' : 'policy', 'I1: another basis')
    if (!isLifted) return
    assert.ok(clock.aws() < (this.#grantEnds.get(record.grant_id ?? '') ?? 0), 'I1: no live grant')
  }

  /** What must hold of everything that was ever issued. */
  #holdLog(): void {
    const { log, tokens } = this.#world
    for (const record of log.of('issued')) {
      const made = tokens.sessions.find(({ accessKeyId }) => accessKeyId === record.access_key_id)
      assert.ok(made, 'a record of nothing')
      const [rule] = this.#policies.get(record.policy?.version ?? 0)?.rules ?? []
      const grantEnd = this.#grantEnds.get(record.grant_id ?? '') ?? Infinity
      const life = Math.min(ASKED, rule?.maxDuration ?? Infinity) * SECOND
      assert.ok(rule && rule.effect !== 'deny', 'I1: issued under a deny')
      assert.equal(record.basis, rule.effect === 'allow' ? 'policy' : 'approval', 'I1: no basis')
      assert.equal(record.basis === 'approval', grantEnd < Infinity, 'I1: no grant')
      const expiration = Date.parse(record.expires_at ?? '')
      assert.equal(expiration, made.expiration)
      assert.ok(expiration <= made.at + life, 'I3: longer than asked or allowed')
      assert.ok(expiration <= grantEnd, 'I3: longer than the grant')
    }
  }
}

suite('Invariants', () => {
  beforeEach(stopTimers)
  afterEach(() => mock.timers.reset())

  test('I1, I2, I3 and I5 hold through every life of a server', async () => {
    let served = 0
    for (let seed = 1; seed <= scaled(40); seed += 1) {
      const life = new Life(seed)
      try {
        served += await life.live()
      } catch (error) {
        throw new Error(`seed ${seed}:\n${life.trace}`, { cause: error })
      }
      mock.timers.reset()
      stopTimers()
    }
    // A world in which nothing is ever served would hold all of them.
    assert.ok(served > scaled(40) * 5, `${served} served`)
  })
})
