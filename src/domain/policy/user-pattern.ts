/**
 * Patterns over principals (design § 4 "Users").
 *
 *     *                              every principal
 *     NAME                           IAM users and Identity Center sessions of `principal_accounts`
 *     iam:NAME  iam:ACCOUNT/NAME     IAM users
 *     sso:NAME  sso:SET/NAME         Identity Center sessions, by permission set
 *     role:ROLE/SESSION  role:ACCOUNT/ROLE/SESSION
 *     federated:NAME                 GetFederationToken sessions
 *     web:PROVIDER/SUBJECT           web identities
 *     root                           the root user of an account
 *
 * Each part is a glob of its own: a `*` never reaches over the `/` between two parts. No name in
 * IAM or STS has a `/`, and an IAM user's path is no part of its name. Only web identities know
 * `/` inside a part: the first one ends PROVIDER, all others belong to SUBJECT, and a provider with
 * a path (`oidc.eks.eu-central-1.amazonaws.com/id/0A1B`) is written with `%2F` (and `%25` for `%`).
 *
 * Kinds do not overlap: an Identity Center session is not matched by `role:`, though a role is what
 * it is underneath. `principal_accounts` narrows patterns without a kind only. Holding `iam:` and
 * `sso:` to it would loosen every deny written with them, as `sso:*@contractor.example`.
 *
 * @module
 */
import { SentinelError } from '../../errors.ts'
import type { Principal } from '../principal.ts'
import { unescapeProvider } from '../web-identity.ts'
import { matchesGlob } from './glob.ts'
import type { UserPattern } from './types.ts'

const KINDS = ['iam', 'sso', 'role', 'federated', 'web', 'root'] as const

/** What people write who know another tool's words. */
const NEAR_KINDS: Readonly<Record<string, readonly (typeof KINDS)[number][]>> = {
  user: ['iam', 'sso'],
  person: ['iam', 'sso'],
  assumed: ['role'],
  session: ['role', 'sso'],
  identity: ['sso', 'web'],
  oidc: ['web'],
  saml: ['role', 'sso'],
  account: ['root'],
}

const FORMS = {
  iam: 'iam:NAME or iam:ACCOUNT/NAME',
  sso: 'sso:NAME or sso:SET/NAME',
  role: 'role:ROLE/SESSION or role:ACCOUNT/ROLE/SESSION',
  federated: 'federated:NAME',
  web: 'web:PROVIDER/SUBJECT',
  root: 'root',
} as const satisfies Record<(typeof KINDS)[number], string>

/** What IAM and STS allow in names. Anything else, a `?` say, would silently never match. */
const NAME = /^[\w+=,.@*-]+$/
const ACCOUNT = /^(?:\d{12}|(?=.*\*)[\d*]+)$/

/** Throws `POLICY_INVALID` when `text` is no pattern, or one that could never match. */
export function parseUserPattern(text: string): UserPattern {
  if (text === '*') return { kind: 'any' }
  if (text === 'root') return { kind: 'root' }

  const colon = text.indexOf(':')
  if (colon < 0) return { kind: 'person', name: requireName(text, text) }

  const kind = KINDS.find((kind) => kind === text.slice(0, colon))
  const rest = text.slice(colon + 1)
  switch (kind) {
    case 'iam':
      return parseIAM(text, rest.split('/'))
    case 'sso':
      return parseSSO(text, rest.split('/'))
    case 'role':
      return parseRole(text, rest.split('/'))
    case 'federated':
      return { kind, name: requireName(text, rest, kind) }
    case 'web':
      return parseWeb(text, rest)
    case 'root':
      throw invalid(text, 'root has no name', 'write root alone: it matches the root user')
    case undefined:
      throw unknownKind(text, text.slice(0, colon))
  }
}

/** Whether `principal` is one that `pattern` names. */
export function matchesUser(
  pattern: UserPattern,
  principal: Principal,
  principalAccounts: readonly string[] | undefined,
): boolean {
  switch (pattern.kind) {
    case 'any':
      return true
    case 'person':
      return (
        (principal.kind === 'iam' || principal.kind === 'sso') &&
        matchesGlob(pattern.name, principal.name) &&
        (principalAccounts === undefined || principalAccounts.includes(principal.account))
      )
    case 'iam':
      return (
        principal.kind === 'iam' &&
        matchesGlob(pattern.name, principal.name) &&
        matchesGlob(pattern.account ?? '*', principal.account)
      )
    case 'sso':
      return (
        principal.kind === 'sso' &&
        matchesGlob(pattern.name, principal.name) &&
        matchesGlob(pattern.permissionSet ?? '*', principal.permissionSet)
      )
    case 'role':
      return (
        principal.kind === 'role' &&
        matchesGlob(pattern.role, principal.role) &&
        matchesGlob(pattern.session, principal.name) &&
        matchesGlob(pattern.account ?? '*', principal.account)
      )
    case 'federated':
      return principal.kind === 'federated' && matchesGlob(pattern.name, principal.name)
    case 'web':
      return (
        principal.kind === 'web' &&
        matchesGlob(pattern.provider, principal.provider) &&
        matchesGlob(pattern.subject, principal.name)
      )
    case 'root':
      return principal.kind === 'root'
    default:
      pattern satisfies never
      return false
  }
}

function parseIAM(text: string, parts: readonly string[]): UserPattern {
  const [first = '', second] = parts
  if (parts.length === 1) return { kind: 'iam', name: requireName(text, first, 'iam') }
  if (parts.length > 2 || !ACCOUNT.test(first)) {
    throw invalid(
      text,
      `"${first}" is not an account`,
      `write ${FORMS.iam}, without the user's path`,
    )
  }
  return { kind: 'iam', account: first, name: requireName(text, second, 'iam') }
}

function parseSSO(text: string, parts: readonly string[]): UserPattern {
  const [first, second] = parts
  if (parts.length === 1) return { kind: 'sso', name: requireName(text, first, 'sso') }
  if (parts.length > 2) throw invalid(text, 'too many parts', `write ${FORMS.sso}`)
  return {
    kind: 'sso',
    permissionSet: requireName(text, first, 'sso'),
    name: requireName(text, second, 'sso'),
  }
}

function parseRole(text: string, parts: readonly string[]): UserPattern {
  const [session, role, account] = parts.toReversed()
  const isAccountAlone = parts.length === 2 && /^\d{12}$/.test(role ?? '')
  if (parts.length < 2 || parts.length > 3 || isAccountAlone) {
    const problem = parts.length > 3 ? 'too many parts' : 'the session is missing'
    throw invalid(text, problem, `write ${FORMS.role}, with * as SESSION for every session`)
  }
  if (account !== undefined && !ACCOUNT.test(account)) {
    throw invalid(text, `"${account}" is not an account`, `write ${FORMS.role}`)
  }
  return {
    kind: 'role',
    ...(account !== undefined && { account }),
    role: requireName(text, role, 'role'),
    session: requireName(text, session, 'role'),
  }
}

function parseWeb(text: string, rest: string): UserPattern {
  if (/^https?:/.test(rest)) {
    throw invalid(text, 'the provider has a scheme', 'leave https:// out, as IAM does')
  }
  const slash = rest.indexOf('/')
  const provider = slash < 0 ? rest : rest.slice(0, slash)
  const subject = slash < 0 ? '' : rest.slice(slash + 1)
  if (provider === '' || subject === '') {
    throw invalid(text, 'the provider or the subject is missing', `write ${FORMS.web}`)
  }
  return { kind: 'web', provider: unescapeProvider(provider), subject }
}

function requireName(text: string, name: string | undefined, kind?: keyof typeof FORMS): string {
  const form = kind === undefined ? 'a name, or one of the kinds' : FORMS[kind]
  if (name === undefined || name === '') {
    throw invalid(text, 'a part is empty', `write ${form}`)
  }
  if (NAME.test(name)) return name
  const problem = `"${name}" holds characters that no name has`
  if (kind === undefined && name.includes('/')) {
    throw invalid(text, problem, `write the kind too: ${FORMS.iam}, ${FORMS.sso}`)
  }
  throw invalid(text, problem, 'use letters, digits, _+=,.@- and the wildcard * only')
}

function unknownKind(text: string, kind: string): SentinelError {
  const hint =
    kind === 'arn' ? `write ${Object.values(FORMS).join(', ')}` : `write ${nearForms(kind)}`
  return invalid(text, `there is no kind "${kind}"`, hint)
}

function nearForms(kind: string): string {
  const lower = kind.toLowerCase()
  const named = Object.entries(NEAR_KINDS).find(([word]) => lower.startsWith(word))?.[1]
  const near = named ?? KINDS.filter((known) => lower.slice(0, 2) === known.slice(0, 2))
  return (near.length > 0 ? near : KINDS).map((known) => FORMS[known]).join(', ')
}

function invalid(text: string, problem: string, hint: string): SentinelError {
  return new SentinelError('POLICY_INVALID', `not a user pattern: "${text}": ${problem}`, { hint })
}
