import type {
  AccessInput,
  Conditions,
  Grant,
  Policy,
  Rule,
  TimeWindow,
} from '../../../src/domain/policy/types.ts'
import { EFFECTS, MODES, WEEKDAYS } from '../../../src/domain/policy/types.ts'
import { personOf } from '../../../src/domain/principal.ts'
import { HOUR, MINUTE } from '../../../src/domain/time.ts'
import {
  aBreakGlassRule,
  anApprovalRule,
  anSSOPrincipal,
  aPolicy,
  aPrincipal,
  aRule,
  NOON,
  PROD,
  users,
} from '../../fixtures/policies.ts'
import {
  aFederatedPrincipal,
  aRolePrincipal,
  aRootPrincipal,
  aWebPrincipal,
} from '../../fixtures/principals.ts'
import { pick } from '../../fixtures/random.ts'

type Next = () => number

// Few words, so that much of what is drawn meets.
const PROFILES = ['prod', 'dev', 'dev-eu', 'stage']
const PROFILE_PATTERNS = ['prod', 'dev', 'dev*', '*', '*d*', 'stage', 'p*d', 'Prod']
const ROLES = [
  PROD,
  'arn:aws:iam::444455556666:role/team/Dev',
  'arn:aws:iam::777788889999:role/Dev',
]
const ROLE_PATTERNS = [
  ...ROLES,
  'arn:aws:iam::*:role/*',
  '*/Dev',
  'arn:aws:iam::444455556666:*',
  '*',
]
const ACCOUNTS = ['444455556666', '777788889999', '4*', '*9', '111122223333']
const USERS = [
  '*',
  'alice',
  'al*',
  'bob',
  'iam:alice',
  'iam:*/bob',
  'iam:999999999999/*',
  'sso:alice',
  'sso:Admin/*',
  'role:Deploy/*',
  'role:111122223333/*/ci-42',
  'federated:*',
  'web:oidc.example%2Fid/repo:*',
  'web:oidc.example/*',
  'root',
]
const PRINCIPALS = [
  aPrincipal('alice'),
  aPrincipal('bob'),
  { ...aPrincipal('bob'), account: '999999999999' },
  anSSOPrincipal('alice', 'Admin'),
  { ...anSSOPrincipal('alice', 'Developer'), account: '999999999999' },
  aRolePrincipal(),
  aFederatedPrincipal('alice'),
  aWebPrincipal('oidc.example/id', 'repo:a/b'),
  aRootPrincipal(),
]
const STORES = ['dynamodb:eu-central-1:s', 'dynamodb:t', 'sqlite:/s', 'memory:']
const ZONES = ['UTC', 'Europe/Berlin', 'America/New_York', 'Asia/Kathmandu']
const CAPS = [900, 1800, 3600, 7200]

const maybe = <Value>(next: Next, chance: number, value: () => Value): Value | undefined =>
  next() < chance ? value() : undefined

const some = <Item>(next: Next, items: readonly Item[], most = 2): Item[] =>
  Array.from({ length: 1 + Math.floor(next() * most) }, () => pick(next, items))

/** Leaves out what is undefined, as a parsed policy does. */
const compact = <Value extends object>(value: Value) =>
  Object.fromEntries(Object.entries(value).filter(([, field]) => field !== undefined)) as {
    [Key in keyof Value]: Exclude<Value[Key], undefined>
  }

/** A policy of a handful of rules, any part of which may be missing. */
export function randomPolicy(next: Next): Policy {
  const list = <Item>(most: number, item: () => Item) =>
    Array.from({ length: Math.floor(next() * (most + 1)) }, item)
  return aPolicy(
    compact({
      principalAccounts: maybe(next, 0.5, () => ['111122223333']),
      profiles: maybe(next, 0.3, () =>
        list(3, () => ({ profile: pick(next, PROFILE_PATTERNS), role: pick(next, ROLE_PATTERNS) })),
      ),
      stores: compact({ sessions: maybe(next, 0.4, () => pick(next, STORES)) }),
      rules: list(5, () => randomRule(next)),
      approvals: list(2, () =>
        anApprovalRule(
          compact({ ...grantRule(next), maxDuration: maybe(next, 0.5, () => pick(next, CAPS)) }),
        ),
      ),
      breakGlass: list(2, () =>
        aBreakGlassRule(
          compact({
            ...grantRule(next),
            overridesDeny: next() < 0.5,
            maxDuration: maybe(next, 0.5, () => pick(next, CAPS)),
          }),
        ),
      ),
    }) as Partial<Policy>,
  )
}

/** A rule of any effect with any conditions. */
export function randomRule(next: Next): Rule {
  return aRule(
    compact({
      name: `rule-${Math.floor(next() * 1e6)}`,
      effect: pick(next, EFFECTS),
      conditions: randomConditions(next),
      maxDuration: maybe(next, 0.3, () => pick(next, CAPS)),
      maxServerDuration: maybe(next, 0.3, () => pick(next, CAPS)),
      unstamped: next() < 0.3,
    }) as Partial<Rule>,
  )
}

/** What somebody asks for, with grants that nearly fit. */
export function randomInput(next: Next): AccessInput {
  const principal = pick(next, PRINCIPALS)
  const profile = pick(next, PROFILES)
  const roleArn = maybe(next, 0.9, () => pick(next, ROLES))
  const at = NOON + Math.floor(next() * 14 * 24 * 60) * MINUTE
  const input = {
    principal,
    profile,
    target: compact({
      roleArn,
      account: roleArn?.split(':')[4] ?? principal.account,
      stamped: roleArn !== undefined && next() < 0.85,
    }),
    mode: pick(next, MODES),
    at,
    sessionStore: maybe(next, 0.5, () => pick(next, STORES)),
    grants: Array.from({ length: Math.floor(next() * 4) }, (_, index): Grant => {
      const startsAt = at - Math.floor(next() * 4) * HOUR + (next() < 0.1 ? HOUR : 0)
      return {
        id: `grant-${index}`,
        basis: pick(next, ['approval', 'break_glass']),
        person: personOf(next() < 0.8 ? principal : pick(next, PRINCIPALS)),
        profile: next() < 0.8 ? profile : pick(next, PROFILES),
        roleArn: next() < 0.8 && roleArn ? roleArn : pick(next, ROLES),
        startsAt,
        endsAt: startsAt + Math.floor(next() * 8) * HOUR + index,
      }
    }),
  }
  return compact(input) as AccessInput
}

function grantRule(next: Next) {
  return {
    profiles: some(next, PROFILE_PATTERNS),
    users: users(...some(next, USERS)),
    approvers: users(...some(next, USERS)),
  }
}

function randomConditions(next: Next): Conditions {
  return compact({
    profiles: maybe(next, 0.5, () => some(next, PROFILE_PATTERNS)),
    users: maybe(next, 0.5, () => users(...some(next, USERS, 3))),
    roles: maybe(next, 0.2, () => some(next, ROLE_PATTERNS)),
    accounts: maybe(next, 0.2, () => some(next, ACCOUNTS)),
    mode: maybe(next, 0.25, () => some(next, MODES)),
    time: maybe(next, 0.25, () => randomWindow(next)),
  }) as Conditions
}

function randomWindow(next: Next): TimeWindow {
  const [a = 0, b = 0] = [next(), next()]
    .map((part) => Math.floor(part * 24) * 60)
    .sort((x, y) => x - y)
  const overnight = next() < 0.3
  const hours = overnight ? { start: b, end: a } : { start: a, end: b + 60 }
  return compact({
    days: maybe(next, 0.6, () => some(next, WEEKDAYS, 5)),
    hours: overnight ? hours : maybe(next, 0.8, () => hours),
    overnight,
    timezone: pick(next, ZONES),
  }) as TimeWindow
}
