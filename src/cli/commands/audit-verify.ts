import { type LogVerdict, verifyLog } from '../../app/verify-log.ts'
import type { ArchiveSelection } from '../../audit-deps.ts'
import type { Deps } from '../../deps.ts'
import { SentinelError } from '../../errors.ts'
import { ARCHIVE_OPTIONS, readArchive } from '../audit-options.ts'
import { defineCommand, type End, type Input } from '../command.ts'
import { VERIFIER_OPTIONS } from '../signing-options.ts'
import { openVerifyProgress } from '../verify-progress.ts'
import { verifyProof } from '../verify-proof.ts'
import { describeVerdict, type Verified, verdictFields } from '../verify-report.ts'
import { readSignedStatement } from '../verify-statement.ts'

const OPTIONS = {
  ...ARCHIVE_OPTIONS,
  partial: {
    type: 'boolean',
    summary: 'The files are a part of a log: what stands before them is not missed',
  },
  'no-anchors': {
    type: 'boolean',
    summary: 'Ask no table and no session store what they know of the log',
  },
  'with-root': {
    type: 'boolean',
    summary: 'Print the root over all lines too, as --root takes it (slower)',
  },
  signature: {
    type: 'string',
    value: 'FILE',
    summary: 'Hold the log to the statement in FILE, which audit sign made earlier',
  },
  ...VERIFIER_OPTIONS,
  proof: {
    type: 'string',
    value: 'FILE',
    summary: 'Read no log: check the proof in FILE, which audit prove made',
  },
  root: {
    type: 'string',
    value: 'LINES:HEX',
    summary: 'With --proof: the root that it has to lead to',
  },
} as const

type Options = Input<typeof OPTIONS>['options']

/** How the process ends, by what came out. */
const STATUS = { sound: 0, unsound: 1, unknown: 6 } as const satisfies Record<
  LogVerdict['outcome'],
  number
>

export default defineCommand({
  usage: 'audit verify [...files]',
  summary: 'Check that nobody has changed, removed, added or moved a line of the decision log',
  examples: [
    'audit verify',
    'audit verify --log-file ./decisions.jsonl --no-anchors',
    'audit verify decisions.jsonl.20260114T090000123Z.gz --partial',
    'audit verify --signature ./statement.json --public-key ./log-key.pub.pem',
    'audit verify --proof ./proof.json --public-key ./log-key.pub.pem',
  ],
  statuses: {
    0: 'the log is sound, or the proof holds',
    1: 'it is not, or not what was signed',
    6: 'an anchor, or a file, could not be read',
  },
  options: OPTIONS,

  async run({ args, options }, deps) {
    const selection = readArchive(args, options)
    assertNoContradiction(selection, options)
    const { proof } = options
    return await deps
      .interruptibly((signal) =>
        proof === undefined
          ? verify(selection, options, deps, signal)
          : verifyProof({ ...options, proof }, deps, signal),
      )
      .finally(() => deps.out.progress(''))
  },
})

async function verify(
  selection: ArchiveSelection,
  options: Options,
  deps: Deps,
  signal: AbortSignal,
): Promise<End> {
  const { signature } = options
  // Before the log is read, which may take long.
  const statement =
    signature === undefined
      ? undefined
      : await readSignedStatement({ ...options, signature }, deps, signal)
  if (signature !== undefined && !statement) return { status: 1 }

  const extent = options.partial ? 'part' : 'whole'
  const archive = await deps.openArchive(selection)
  const { onProgress, anchors } = openVerifyProgress(deps)
  const sources = options['no-anchors'] ? [] : await deps.openAnchorSources(selection, anchors)
  const withRoot = options['with-root']
  const verdict = await verifyLog(
    archive,
    { extent, sources, statement, withRoot },
    { signal, onProgress },
  )
  deps.out.progress('')

  const verified: Verified = { verdict, files: archive.files, extent, statement }
  deps.out.print(describeVerdict(verified), verdictFields(verified))
  for (const { error } of verdict.unread) deps.notices.warn(error.message, error.hint)
  return { status: STATUS[verdict.outcome] }
}

/** Throws `USAGE` for options that have nothing to say to each other. */
function assertNoContradiction({ files = [] }: ArchiveSelection, options: Options): void {
  const { proof, signature, root, partial } = options
  const isKeyNamed = options['public-key'] !== undefined || options['kms-key'] !== undefined
  if (proof === undefined) {
    if (root !== undefined) throw contradiction('--root is for --proof', 'give --proof too')
    if (isKeyNamed && signature === undefined) {
      throw contradiction('a key is given, and nothing signed', 'give --signature or --proof too')
    }
    if (signature !== undefined && !isKeyNamed) {
      throw contradiction(
        '--signature is given without whose signature counts',
        'give --public-key or --kms-key too',
      )
    }
    return
  }
  const others = [
    signature,
    options['log-file'],
    partial,
    options['no-anchors'],
    options['with-root'],
  ]
  if (files.length > 0 || others.some((other) => other !== undefined)) {
    throw contradiction('--proof is checked without a log', 'leave out what is about one')
  }
}

function contradiction(message: string, hint: string): SentinelError {
  return new SentinelError('USAGE', message, { hint })
}
