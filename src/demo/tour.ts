import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { cloudTrailEvents } from './cloudtrail.ts'
import { openStandInAWS, type Surroundings } from './stand-in-aws.ts'
import { type TourCommands, tourCommands } from './tour-commands.ts'
import { makeTourHome, TOUR_POLICY, type TourHome } from './tour-home.ts'
import { STORY } from './world.ts'

export interface TourOptions extends Surroundings {
  readonly print: (text: string) => void
  /** Called between the steps. */
  readonly pause: (interrupted: AbortSignal) => Promise<void>
  /** The command line that runs this program again. */
  readonly self: readonly string[]
  readonly temporaryDirectory: string
  /** Ends the tour early, in order: what was made for it is taken away. */
  readonly interrupted: AbortSignal
}

interface Step {
  readonly title: string
  readonly story: string
  readonly show: (tour: Tour) => unknown
}

interface Tour extends TourCommands {
  readonly home: TourHome
  readonly print: (text: string) => void
  readonly trail: () => readonly Record<string, unknown>[]
}

/** Accounts whose trail is shown: who asks, and what dev and prod stand for. */
const DEV_ACCOUNT = '777788889999'

const STEPS: readonly Step[] = [
  {
    title: 'Who am I?',
    story: 'Sentinel asks STS, never the operating system. The same name is stamped on sessions.',
    show: ({ run }) => run('sentinel whoami dev', 0),
  },
  {
    title: 'The policy',
    story: 'Rules are tried in order, the first match decides; a profile is bound to its role.',
    async show({ run, print }) {
      print(indent(TOUR_POLICY))
      await run('sentinel policy validate', 0)
    },
  },
  {
    title: 'A profile that the policy allows',
    story:
      'The child is a real AWS SDK client. It holds no key: it asks the credential server,\n' +
      'which decides, asks STS, writes the decision down, and only then answers.',
    show: ({ run }) => run('sentinel exec --server dev -- sentinel demo-client', 0),
  },
  {
    title: 'A profile that the policy refuses',
    story: 'No credential is made, and the user is told which rule, why, and what to do about it.',
    async show({ run }) {
      await run('sentinel exec --server prod -- sentinel demo-client', 3)
      await run('sentinel why', 0)
    },
  },
  {
    title: 'An approval lifts it',
    story: 'Alice asks, Bob decides. His review is a record of its own; nobody approves their own.',
    show: showApproval,
  },
  {
    title: 'In an emergency',
    story: 'Access at once, announced at once, one event at a time, reviewed by somebody else.',
    show: showBreakGlass,
  },
  {
    title: 'A session that is taken back',
    story:
      'Every server is tracked, here in SQLite. Anybody who reaches the store can list and revoke\n' +
      'it: within 5 seconds its child gets nothing more, and is told why.',
    show: showRevocation,
  },
  {
    title: 'What stands in the decision log',
    story: 'One line a decision, each chained to the one before by its hash. No secret in it.',
    show: showLog,
  },
  {
    title: 'A log that proves itself',
    story: 'Mallory takes one refusal out of a copy. What is left does not fit together any more.',
    show: showVerification,
  },
  {
    title: 'What CloudTrail shows',
    story: 'The same request id, in the sourceIdentity of every call the child made.',
    show: showTrail,
  },
]

/**
 * Plays the product's story with its real commands, against a stand-in AWS and in a home that are
 * both made for it and gone afterwards. Throws when a command does not end as the story says.
 */
export async function playTour(options: TourOptions): Promise<void> {
  const { print, pause } = options
  await using aws = await openStandInAWS(STORY, options)
  using home = makeTourHome(options.temporaryDirectory, options.self, aws.url)
  const tour: Tour = {
    home,
    print,
    ...tourCommands({ ...options, home }),
    trail: () => cloudTrailEvents(aws.journal, DEV_ACCOUNT),
  }
  print(`Sentinel, in ${STEPS.length} steps. AWS is a stand-in on ${aws.url}: hence the flag`)
  print('--allow-endpoint-override on each command, without which no such address is obeyed.')
  for (const [index, { title, story, show }] of STEPS.entries()) {
    print(`\n── ${index + 1}. ${title} ${'─'.repeat(Math.max(2, 70 - title.length))}\n${story}\n`)
    await show(tour)
    options.interrupted.throwIfAborted()
    if (index < STEPS.length - 1) await pause(options.interrupted)
  }
  print('\nThat was all of it. Next: the README, and a policy of your own.')
}

const WHY = 'release 4711 of the shop'
const EMERGENCY = 'the database is down, nobody can pay'

async function showApproval({ run }: Tour): Promise<void> {
  const made = await run(`sentinel request prod --duration 30m --justification "${WHY}"`, 0)
  const id = idIn(made)
  await run(`sentinel --aws-profile alice approve ${id} --comment "my own is as good"`, 3)
  await run(`sentinel --aws-profile bob approve ${id} --comment "seen the change"`, 0)
  await run('sentinel exec --server prod -- sentinel demo-client', 0)
}

async function showBreakGlass({ run }: Tour): Promise<void> {
  await run('sentinel exec vault -- sentinel demo-client', 3)
  const line = `sentinel breakglass vault --reason-code incident --justification "${EMERGENCY}" --yes`
  const id = idIn(await run(line, 0))
  await run('sentinel exec vault -- sentinel demo-client', 0)
  await run(`sentinel --aws-profile alice breakglass close ${id}`, 0)
  await run('sentinel exec vault -- sentinel demo-client', 3)
  const review = `sentinel --aws-profile bob breakglass review ${id} --outcome justified`
  await run(`${review} --comment "seen the incident report"`, 0)
}

/** The id that a command printed, as short as it may be given back. */
function idIn(text: string): string {
  const [, id = ''] = /\b(?:request|event) +([a-z2-7]{20})\b/.exec(text) ?? []
  return id.slice(0, 8)
}

/** One process runs a server, another takes its access back. */
async function showRevocation({ run, start }: Tour): Promise<void> {
  using server = start('sentinel exec --server dev -- sentinel demo-client --until-refused')
  await server.saw(/"arn"/)
  const listed = await run('sentinel session list', 0)
  const [id = ''] = /\b[0-9a-f]{16}\b/.exec(listed) ?? []
  await run(`sentinel session revoke ${id.slice(0, 8)} --reason "laptop stolen"`, 0)
  await server.ended(1)
}

async function showLog({ home, print, run }: Tour): Promise<void> {
  await run('sentinel audit show', 0)
  const records = readFileSync(home.log, 'utf8').split('\n')
  const issued = records.find((line) => line.includes('"type":"issued"')) ?? ''
  print(`  One of them as it stands in the file:\n${indent(wrap(issued))}`)
}

async function showVerification({ home, run }: Tour): Promise<void> {
  await run('sentinel audit verify', 0)
  const lines = readFileSync(home.log, 'utf8').split('\n')
  const refused = lines.findIndex((line) => line.includes('"type":"refused"'))
  writeFileSync(join(home.path, 'copy.jsonl'), lines.toSpliced(refused, 1).join('\n'))
  await run('sentinel audit verify copy.jsonl', 1)
}

function showTrail({ trail, print }: Tour): void {
  for (const event of trail()) {
    const parameters = event.requestParameters as { sourceIdentity?: string } | null
    const identity = event.userIdentity as {
      arn?: string
      accountId?: string
      sessionContext?: { sourceIdentity?: string }
    }
    const stamp = identity.sessionContext?.sourceIdentity ?? parameters?.sourceIdentity ?? '-'
    print(`  ${String(event.eventName).padEnd(18)} sourceIdentity ${stamp}`)
    print(`  ${''.padEnd(18)} by ${identity.arn ?? `account ${identity.accountId}`}`)
  }
}

function indent(text: string): string {
  return text.replaceAll(/^(?=.)/gm, '  ')
}

function wrap(line: string): string {
  return (line.match(/.{1,76}/g) ?? []).join('\n')
}
