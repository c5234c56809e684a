import { existsSync } from 'node:fs'
import { hostname } from 'node:os'
import { resolve } from 'node:path'
import type { Check } from '../app/doctor.ts'
import { checksOf, type Patient } from '../app/doctor-checks.ts'
import type { DoctorFlags } from '../audit-deps.ts'
import { SentinelError } from '../errors.ts'
import { openAnchors } from './anchors.ts'
import { openAWS } from './aws.ts'
import { identify } from './callers.ts'
import { lazily } from './lazily.ts'
import { lookAtStore } from './look-at-store.ts'
import { checkPolicy, policyLocation } from './policy.ts'
import { settingsPath } from './settings.ts'
import { findShipment } from './shipping.ts'
import { openSigner } from './signer.ts'
import { uid, type World } from './world.ts'

/** What there is to look at for whoever runs Sentinel on this machine. */
export function doctorChecks(world: World, flags: DoctorFlags): readonly Check[] {
  // Checks run side by side, each within seconds: nobody is asked for anything meanwhile.
  const quiet = { ...world, globals: { ...world.globals, 'no-interaction': true } }
  return checksOf(patientOf(quiet, flags))
}

function patientOf(world: World, flags: DoctorFlags): Patient {
  const { settings, globals, env } = world
  const { offline: isOffline = false } = flags
  const profile = flags.profile ?? settings.find('profile')?.value
  const logFile = settings.get('logFile', { name: 'log-file', text: flags['log-file'] })
  const aws = lazily(() => openAWS(world, {}))
  const signer = lazily(async () => openSigner(world, await aws(), flags.profile))
  const readPolicy = lazily(() => checkPolicy(world, flags, profile))
  const isPolicyOutOfReach = () => isOffline && policyLocation(settings, flags).kind === 'ssm'
  /** What the policy check tells of is not told again. */
  const policy = async () => {
    try {
      return isPolicyOutOfReach() ? undefined : (await readPolicy()).policy
    } catch (error) {
      if (!(error instanceof SentinelError)) throw error
      return undefined
    }
  }

  return {
    now: Date.now,
    async settings() {
      const path = resolve(settingsPath(globals, env))
      return { path, isThere: existsSync(path) }
    },
    async policy() {
      if (isPolicyOutOfReach()) return 'offline'
      const { warnings, policy: valid, ...checked } = await readPolicy()
      return { ...checked, rules: valid?.rules.length ?? 0, warnings: warnings.length }
    },
    async log() {
      const { inspectLog } = await import('../audit/log-health.ts')
      const directory = logFile.origin === 'default' ? 'private' : 'chosen'
      return inspectLog({ path: resolve(logFile.value), uid, directory })
    },
    async shipping() {
      const shipment = findShipment(world, flags)
      if (!shipment) return undefined
      const { inspectShipping } = await import('../audit/ship-health.ts')
      return inspectShipping({ ...shipment, target: shipment.text, uid, now: Date.now })
    },
    async anchors(signal) {
      const location = settings.find('logAnchor')?.value
      if (location === undefined) return undefined
      if (isOffline) return 'offline'
      const store = await openAnchors(world, await aws(), location, await signer())
      for await (const _ of store.list(hostname(), signal)) break
      return { location: store.location }
    },
    async store(kind, signal) {
      const calls = isOffline ? 'none' : 'allowed'
      const valid = await policy()
      const look = { kind, named: valid?.stores, signer, calls, signal } as const
      return (await lookAtStore(world, await aws(), look)) ?? (valid ? undefined : 'unknown')
    },
    async identity() {
      if (isOffline) return 'offline'
      if (profile === undefined) return undefined
      const { principal } = await identify(world, profile)
      return { profile, principal: principal.arn, account: principal.account }
    },
  }
}
