import { explainRecord, type PolicyNow } from '../../app/explain-record.ts'
import { type FoundDecision, findRefusal, findRequest } from '../../app/find-refusal.ts'
import type { Deps, PolicyFlags } from '../../deps.ts'
import { hasCode, SentinelError } from '../../errors.ts'
import { ARCHIVE_OPTIONS } from '../audit-options.ts'
import { showReading } from '../audit-progress.ts'
import { defineCommand, type Input } from '../command.ts'
import { POLICY_OPTIONS } from '../issue-options.ts'
import { loggedFields, type PolicyTold, renderLogged } from '../logged-decision.ts'
import { requestFlags } from '../request-options.ts'

const OPTIONS = {
  user: {
    type: 'string',
    value: 'USER',
    summary: "Without an id: this user's last refusal, as records name them",
  },
  profile: {
    type: 'string',
    value: 'PROFILE',
    summary: 'Without an id: the last refusal for this profile',
  },
  ...POLICY_OPTIONS,
  ...ARCHIVE_OPTIONS,
} as const

type Options = Input<typeof OPTIONS>['options']

export default defineCommand({
  usage: 'why [request-id]',
  summary: 'Explain the last refusal, or the decision about a request, by the log and the policy',
  examples: [
    'why',
    'why --profile prod',
    'why mzxw6ytb',
    'why sentinel=alice=policy=mzxw6ytboi3damrqgaya',
  ],
  options: OPTIONS,

  async run({ args: [text], options }, deps) {
    const { out, clock } = deps
    assertNoContradiction(text, options)
    const found = await find(text, options, deps)
    const { record } = found
    const read = await readPolicy(found, options, deps)
    const explained = explainRecord(
      record,
      read && 'policy' in read ? read : undefined,
      clock.aws(),
    )
    const told = { found, explained, policy: read?.told }
    out.print(
      [...leadOf(found, text, options), renderLogged(told)].join('\n\n'),
      loggedFields(told),
    )
    return undefined
  },
})

async function find(
  text: string | undefined,
  options: Options,
  deps: Deps,
): Promise<FoundDecision> {
  const archive = await deps.openArchive({ 'log-file': options['log-file'] })
  try {
    return await deps.interruptibly((signal) => {
      const reading = { signal, onProgress: showReading(deps.out) }
      return text === undefined
        ? findRefusal(archive, options, reading)
        : findRequest(archive, text, reading)
    })
  } finally {
    deps.out.progress('')
  }
}

/** Who knows no id may be told of somebody else: it says whose refusal it is. */
function leadOf({ record }: FoundDecision, text: string | undefined, { user, profile }: Options) {
  if (text !== undefined) return []
  const whose = record.user ?? 'somebody whom nothing names'
  const narrowed = user === undefined ? 'the last refusal' : `the last refusal of ${user}`
  const what = profile === undefined ? '' : ` for ${profile}`
  return [`${narrowed}${what} in the log${user === undefined ? ` is that of ${whose}` : ''}:`]
}

type Read = { readonly told: PolicyTold } | (PolicyNow & { readonly told: PolicyTold })

/** The policy, where rules are to be shown. Without one, the record is shown all the same. */
async function readPolicy(
  { record }: FoundDecision,
  options: PolicyFlags,
  deps: Deps,
): Promise<Read | undefined> {
  const { decided } = explainRecord(record, undefined, 0)
  if (decided === undefined || (decided === 'allow' && record.type !== 'issued')) return undefined
  try {
    const {
      policy,
      problems,
      warnings: _,
      ...told
    } = await deps.checkPolicy(options, record.profile)
    if (policy) return { policy, sha256: told.sha256, flags: requestFlags(options), told }
    const [first] = problems
    return unread(
      `${told.reference}:${first?.line}:${first?.column}: ${first?.message}`,
      'see all that is wrong with: sentinel policy validate',
      deps,
    )
  } catch (error) {
    if (!(error instanceof SentinelError) || hasCode(error, 'USAGE', 'INTERRUPTED')) throw error
    return unread(error.message, error.hint, deps)
  }
}

function unread(error: string, hint: string | undefined, { notices }: Deps): Read {
  notices.warn(`the policy as it is now cannot be read: ${error}`, hint)
  return { told: { error } }
}

function assertNoContradiction(text: string | undefined, { user, profile }: Options): void {
  if (text === undefined || (user === undefined && profile === undefined)) return
  const flag = user === undefined ? '--profile' : '--user'
  throw new SentinelError('USAGE', `a request and ${flag} are both given`, {
    hint: `leave ${flag} out: an id is of one request alone`,
  })
}
