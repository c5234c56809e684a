/**
 * What is wrong with a policy as a whole, though each of its parts is right.
 *
 * @module
 */
import { matchesGlob } from '../domain/policy/glob.ts'
import type { Policy, Rule } from '../domain/policy/types.ts'
import type { PositionOf } from './position.ts'
import type { Finding } from './problem.ts'
import { quote } from './quote.ts'
import { keyOffsetAt, offsetAt, type YamlNode, type YamlPath } from './yaml-tree.ts'

type Users = NonNullable<Rule['conditions']['users']>

/** What makes `policy`, read from `root`, an invalid one. */
export function findErrors(policy: Policy, root: YamlNode, position: PositionOf): Finding[] {
  return [
    ...duplicateNames('rules', policy.rules, root, position),
    ...duplicateNames('approvals', policy.approvals, root, position),
    ...duplicateNames('break_glass', policy.breakGlass, root, position),
    ...duplicateNames('tests', policy.tests, root, position),
    ...unreachableApprovals(policy, root),
    ...(policy.strictProfiles ? looseRules(policy, root) : []),
  ]
}

/** What is allowed in `policy`, and still is probably not what its author means. */
export function findWarnings(policy: Policy, root: YamlNode): Finding[] {
  return [
    ...namesOfAnyAccount(policy, root),
    ...(policy.strictProfiles ? [] : looseRules(policy, root)),
    ...unboundProfiles(policy, root),
    ...anybodyDecides(policy, root),
    ...storesOfAnyChoice(policy, root),
    ...rulesNeverReached(policy, root),
  ]
}

function duplicateNames(
  section: string,
  named: readonly { readonly name: string }[],
  root: YamlNode,
  position: PositionOf,
): Finding[] {
  const first = new Map<string, number>()
  return named.flatMap(({ name }, index) => {
    const earlier = first.get(name)
    if (earlier === undefined) {
      first.set(name, index)
      return []
    }
    return [
      {
        at: offsetAt(root, [section, index, 'name']),
        message: `the name ${quote(name)} stands twice in ${section}`,
        suggest() {
          const { line } = position(offsetAt(root, [section, earlier, 'name']))
          return `choose another: records tell rules by name, and line ${line} has this one`
        },
      },
    ]
  })
}

/** Rules that ask for more approvals than there are people to give them. */
function unreachableApprovals({ approvals }: Policy, root: YamlNode): Finding[] {
  return approvals.flatMap(({ approvers, required }, index) => {
    const isOpen = approvers.some(({ text }) => text.includes('*'))
    if (isOpen || new Set(approvers.map(({ text }) => text)).size >= required) return []
    return [
      {
        at: offsetAt(root, ['approvals', index, 'required']),
        message: `${required} approvals are required of fewer approvers`,
        hint: 'require fewer, or name more approvers',
      },
    ]
  })
}

/**
 * Rules that trust a profile's name, which is whatever the user's own AWS config makes of it. A
 * deny trusts it too, but giving it another name leads to the next rule, not around the policy.
 */
function looseRules({ profiles: bindings, rules }: Policy, root: YamlNode): Finding[] {
  if (bindings !== undefined) return []
  return rules.flatMap(({ name, effect, conditions: { profiles, roles, accounts } }, index) => {
    const isLoose = profiles !== undefined && roles === undefined && accounts === undefined
    if (effect === 'deny' || !isLoose) return []
    return [
      {
        at: keyOffsetAt(root, ['rules', index, 'conditions', 'profiles']),
        message: `rule ${quote(name)} goes by the names of profiles, which users choose themselves`,
        hint: 'bind the names in "profiles", or add roles or accounts to the conditions',
      },
    ]
  })
}

/** Profiles by exact name that a rule can never match, because nothing binds them. */
function unboundProfiles({ profiles: bindings, rules }: Policy, root: YamlNode): Finding[] {
  if (bindings === undefined) return []
  return rules.flatMap(({ name, conditions: { profiles = [] } }, index) =>
    profiles.flatMap((profile, place) => {
      const isBound = bindings.some((binding) => matchesGlob(binding.profile, profile))
      if (isBound || profile.includes('*')) return []
      return [
        {
          at: offsetAt(root, ['rules', index, 'conditions', 'profiles', place]),
          message: `${quote(profile)} is bound to no role: rule ${quote(name)} never matches it`,
          hint: `add ${quote(profile)} with its role to "profiles"`,
        },
      ]
    }),
  )
}

/**
 * Deciders that are not told from whoever asked: a session of a role stands for no person, so a
 * requester who may assume that role would come back as somebody else. `*` is people alone here.
 */
function anybodyDecides({ approvals, breakGlass }: Policy, root: YamlNode): Finding[] {
  const lists = [
    ...approvals.map(({ approvers }, index) => ({
      path: ['approvals', index, 'approvers'],
      users: approvers,
      deed: 'approve their own requests',
    })),
    ...breakGlass.map(({ reviewers = [] }, index) => ({
      path: ['break_glass', index, 'reviewers'],
      users: reviewers,
      deed: 'review their own events',
    })),
  ]
  return lists.flatMap(({ path, users, deed }) =>
    users.flatMap(({ text, pattern }, index) =>
      pattern.kind === 'role' || pattern.kind === 'federated'
        ? [
            {
              at: offsetAt(root, [...path, index]),
              message: `${quote(text)} stands for no person: whoever may come as one can ${deed}`,
              hint: 'name people, as bob, "iam:*" or "sso:*@corp.example"',
            },
          ]
        : [],
    ),
  )
}

/**
 * Grants that are looked for wherever the caller's settings say: whoever can write a database of
 * their own could grant themselves what they like.
 */
function storesOfAnyChoice({ approvals, breakGlass, stores }: Policy, root: YamlNode): Finding[] {
  const sections = [
    { key: 'approvals', rules: approvals, store: 'requests', place: stores.requests },
    { key: 'break_glass', rules: breakGlass, store: 'break_glass', place: stores.breakGlass },
  ]
  return sections
    .filter(({ rules, place }) => rules.length > 0 && place === undefined)
    .map(({ key, store }) => ({
      at: keyOffsetAt(root, [key]),
      message: `${key} without stores.${store}: callers' own settings say where grants are kept`,
      hint: `add a place that only Sentinel writes: stores: { ${store}: "dynamodb:TABLE" }`,
    }))
}

function rulesNeverReached({ rules }: Policy, root: YamlNode): Finding[] {
  const catchAll = rules.findIndex(({ conditions }) => matchesEverything(conditions))
  const after = rules.slice(catchAll + 1)
  if (catchAll < 0 || after.length === 0) return []
  const which =
    after.length === 1
      ? 'this rule never decides'
      : `this rule and ${after.length - 1} more never decide`
  return [
    {
      at: offsetAt(root, ['rules', catchAll + 1]),
      message: `${which}: rule ${quote(rules[catchAll]!.name)} matches everything`,
      hint: 'move the rule that matches everything to the end',
    },
  ]
}

function matchesEverything({ users, ...others }: Rule['conditions']): boolean {
  const isForAll = users === undefined || users.some(({ pattern }) => pattern.kind === 'any')
  return isForAll && Object.keys(others).length === 0
}

/** Names without a kind, where `principal_accounts` does not say whose they are: told once. */
function namesOfAnyAccount(policy: Policy, root: YamlNode): Finding[] {
  if (policy.principalAccounts !== undefined) return []
  const named = userLists(policy).flatMap(({ path, users = [] }) =>
    users.flatMap(({ text, pattern }, index) =>
      pattern.kind === 'person' ? [{ text, at: offsetAt(root, [...path, index]) }] : [],
    ),
  )
  const [first] = named.sort((a, b) => a.at - b.at)
  if (first === undefined) return []
  return [
    {
      at: first.at,
      message: `${quote(first.text)} means users of that name in every AWS account`,
      hint: 'add principal_accounts with the accounts of your users',
    },
  ]
}

function userLists({ rules, approvals, breakGlass }: Policy): { path: YamlPath; users?: Users }[] {
  return [
    ...rules.map(({ conditions: { users } }, index) => ({
      path: ['rules', index, 'conditions', 'users'],
      ...(users !== undefined && { users }),
    })),
    ...approvals.flatMap(({ users, approvers, autoApprove }, index) => [
      { path: ['approvals', index, 'users'], users },
      { path: ['approvals', index, 'approvers'], users: approvers },
      { path: ['approvals', index, 'auto_approve', 'users'], users: autoApprove?.users ?? [] },
    ]),
    ...breakGlass.flatMap(({ users, reviewers = [] }, index) => [
      { path: ['break_glass', index, 'users'], users },
      { path: ['break_glass', index, 'reviewers'], users: reviewers },
    ]),
  ]
}
