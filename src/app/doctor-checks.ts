import { formatDuration } from '../domain/duration.ts'
import { roughSize } from '../domain/size.ts'
import { type Instant, MINUTE, SECOND } from '../domain/time.ts'
import { hasCode } from '../errors.ts'
import type { LogHealth, ShippingHealth } from '../ports/log-health.ts'
import type { Check, Finding } from './doctor.ts'

/** What doctor looks at. Whatever is `undefined` is not set up; `offline`: only AWS could tell. */
export interface Patient {
  readonly now: () => Instant
  settings(): Promise<{ readonly path: string; readonly isThere: boolean }>
  policy(): Promise<PolicyHealth | 'offline'>
  log(): Promise<LogHealth>
  shipping(): Promise<ShippingHealth | undefined>
  /** Reads an anchor, or finds that there is none. */
  anchors(signal: AbortSignal): Promise<{ readonly location: string } | 'offline' | undefined>
  /**
   * Reads a row, or finds that there is none. `unknown`: the policy, which may name a store, could
   * not be read.
   */
  store(
    kind: StoreKind,
    signal: AbortSignal,
  ): Promise<StoreFound | 'offline' | 'unknown' | undefined>
  /** Of the profile that is named or configured. */
  identity(): Promise<
    | { readonly profile: string; readonly principal: string; readonly account: string }
    | 'offline'
    | undefined
  >
}

export type StoreKind = 'sessions' | 'requests' | 'break_glass'

interface StoreFound {
  readonly location: string
  readonly isMade: boolean
}

interface PolicyHealth {
  readonly reference: string
  readonly version?: number | undefined
  readonly sha256: string
  readonly rules: number
  readonly problems: readonly { readonly line: number; readonly message: string }[]
  readonly warnings: number
}

/** Lines that wait for longer wait for somebody. */
const LAG_MAX = 15 * MINUTE

/** All there is to look at, in the order in which it depends on each other. */
export function checksOf(patient: Patient): readonly Check[] {
  const kinds = ['sessions', 'requests', 'break_glass'] as const
  return [
    { name: 'settings', look: async () => settings(await patient.settings()) },
    { name: 'policy', look: async () => policy(await patient.policy()) },
    { name: 'identity', look: async () => identity(patient) },
    { name: 'log', look: async () => log(await patient.log()) },
    { name: 'shipping', look: async () => shipping(await patient.shipping(), patient.now()) },
    { name: 'anchors', look: async (signal) => anchors(await patient.anchors(signal)) },
    ...kinds.map((kind) => ({
      name: kind.replace('_', '-'),
      look: async (signal: AbortSignal) => store(await patient.store(kind, signal)),
    })),
  ]
}

const OFFLINE: Finding = { verdict: 'skipped', detail: 'only AWS could tell (--offline)' }

function settings({ path, isThere }: { path: string; isThere: boolean }): Finding {
  const detail = isThere ? path : `defaults, as there is no ${path}`
  return { verdict: 'ok', detail, facts: { path, exists: isThere } }
}

function policy(found: PolicyHealth | 'offline'): Finding {
  if (found === 'offline') return OFFLINE
  const { reference, version, sha256, rules, problems, warnings } = found
  const facts = { reference, version, sha256, rules, warnings, problems: problems.length }
  const hint = 'see all of it with: sentinel policy validate'
  const [problem] = problems
  if (problem) {
    const detail = `${reference}:${problem.line}: ${problem.message}`
    return { verdict: 'failed', detail, hint, facts }
  }
  const about = [
    ...(version === undefined ? [] : [`version ${version}`]),
    `sha256 ${sha256.slice(0, 12)}`,
    count(rules, 'rule'),
    ...(warnings > 0 ? [count(warnings, 'warning')] : []),
  ]
  const detail = `${reference} (${about.join(', ')})`
  return warnings > 0
    ? { verdict: 'warning', detail, hint, facts }
    : { verdict: 'ok', detail, facts }
}

async function identity(patient: Patient): Promise<Finding> {
  try {
    const found = await patient.identity()
    if (found === 'offline') return OFFLINE
    if (found) {
      const { profile, principal } = found
      return { verdict: 'ok', detail: `${profile} is asked for by ${principal}`, facts: found }
    }
    return {
      verdict: 'warning',
      detail: 'no profile is configured, so nobody was asked who you are',
      hint: 'name one: sentinel doctor PROFILE',
    }
  } catch (error) {
    if (!hasCode(error, 'INTERACTION_REQUIRED')) throw error
    const { message } = error
    return { verdict: 'warning', detail: message, hint: 'ask with: sentinel whoami' }
  }
}

function log({ path, bytes, rotated, rotatedBytes, isTorn }: LogHealth): Finding {
  const size = bytes === undefined ? 'not begun yet' : roughSize(bytes)
  const older =
    rotated === 0 ? '' : `, and ${count(rotated, 'older file')} of ${roughSize(rotatedBytes)}`
  const detail = `${path} (${size}${older})`
  const facts = { path, bytes, rotated, rotated_bytes: rotatedBytes, torn: isTorn }
  if (!isTorn) return { verdict: 'ok', detail, facts }
  return {
    verdict: 'warning',
    detail: `${detail} ends in the middle of a line`,
    hint: 'nothing to do: the next run closes the line, and says so in the log',
    facts,
  }
}

function shipping(found: ShippingHealth | undefined, now: Instant): Finding {
  if (!found) return { verdict: 'ok', detail: 'no log_ship is set: the log stays here' }
  const { receiver, behind, oldest, shipper, lastSuccess, lastFailure, before, lines } = found
  const age = oldest === undefined ? 0 : Math.max(now - oldest, 0)
  const waiting = `${roughSize(behind)} wait, the first for ${formatAge(age)}`
  const parts = [
    before === undefined ? receiver : `${receiver} (it went to ${before} before)`,
    behind === 0 ? 'all is there' : waiting,
    ...(shipper ? [`process ${shipper.pid} on ${shipper.host} ships`] : []),
    ...(found.dropped > 0 ? [`${count(found.dropped, 'line')} not kept there`] : []),
    ...(lastFailure ? [`failed at ${lastFailure.at}: ${lastFailure.message}`] : []),
    ...(lastSuccess === undefined ? ['never shipped yet'] : [`last shipped at ${lastSuccess}`]),
  ]
  const facts = {
    receiver,
    lines,
    dropped: found.dropped,
    lag_bytes: behind,
    lag_seconds: Math.floor(age / SECOND),
    shipper,
    last_success: lastSuccess,
    last_failure: lastFailure,
  }
  const detail = parts.join('; ')
  const isLate = behind > 0 && age > LAG_MAX
  if (!isLate && !lastFailure) return { verdict: 'ok', detail, facts }
  return { verdict: 'warning', detail, hint: 'ship what waits with: sentinel audit ship', facts }
}

function anchors(found: { location: string } | 'offline' | undefined): Finding {
  if (found === 'offline') return OFFLINE
  if (!found) return { verdict: 'ok', detail: 'no log_anchor is set' }
  return { verdict: 'ok', detail: found.location, facts: found }
}

function store(found: StoreFound | 'offline' | 'unknown' | undefined): Finding {
  if (found === 'offline') return OFFLINE
  if (found === 'unknown') {
    return { verdict: 'skipped', detail: 'the policy, which may name a store, could not be read' }
  }
  if (!found) return { verdict: 'ok', detail: 'no store is named' }
  const { location, isMade } = found
  const detail = isMade ? location : `${location} (made when it is first needed)`
  return { verdict: 'ok', detail, facts: { location } }
}

function formatAge(ms: number): string {
  const seconds = Math.floor(ms / SECOND)
  return seconds < 1 ? 'under a second' : formatDuration(seconds)
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`
}
