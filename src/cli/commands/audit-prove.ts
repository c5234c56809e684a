import { proveRequest, type Voucher } from '../../app/prove-request.ts'
import type { Deps } from '../../deps.ts'
import { encodeProof } from '../../domain/log-proof.ts'
import { formatTree, parseStatement } from '../../domain/log-statement.ts'
import { SentinelError } from '../../errors.ts'
import { ARCHIVE_OPTIONS } from '../audit-options.ts'
import { showReading } from '../audit-progress.ts'
import { defineCommand, type Input } from '../command.ts'
import { SIGNER_OPTIONS } from '../signing-options.ts'
import { tellUnsound } from '../unsound-log.ts'

const OPTIONS = {
  ...SIGNER_OPTIONS,
  signature: {
    type: 'string',
    value: 'FILE',
    summary: 'Prove by the statement in FILE, which audit sign made earlier',
  },
  ...ARCHIVE_OPTIONS,
} as const

export default defineCommand({
  usage: 'audit prove <request-id>',
  summary: 'Prove to others that a decision is in the log, without giving them the log',
  examples: [
    'audit prove mfzwizltoq3tsnbqgaya --key ./log-key.pem',
    'audit prove mfzw --signature ./statement.json',
  ],
  statuses: {
    0: 'proven',
    1: 'the log is not sound, or not what was signed, so nothing was proven',
  },
  options: OPTIONS,

  async run({ args: [text = ''], options }, deps) {
    const { out, notices } = deps
    return await deps.interruptibly(async (signal) => {
      const voucher = await chooseVoucher(options, deps)
      const archive = await deps.openArchive({ 'log-file': options['log-file'] })
      const proven = await proveRequest(
        archive,
        { text, voucher },
        { signal, onProgress: showReading(out) },
      )
      out.progress('')
      switch (proven.outcome) {
        case 'unsound':
          tellUnsound(proven.report, notices)
          return { status: 1 }
        case 'changed': {
          const { lines, time } = proven.signed.statement
          notices.refuse(
            `the first ${lines} lines of the log are not those that were signed at ${time}`,
            'find out more: sentinel audit verify --signature FILE --public-key FILE',
          )
          return { status: 1 }
        }
        case 'proof': {
          const { proof } = proven
          if ('tree' in proof) {
            notices.warn(
              `nobody signed the proof: it proves nothing to who does not know the root already`,
              `prove it with --key, --kms-key or --signature; the root is ${formatTree(proof.tree)}`,
            )
          }
          out.printRaw(`${encodeProof(proof)}\n`)
          return undefined
        }
      }
    })
  },
})

async function chooseVoucher(
  options: Input<typeof OPTIONS>['options'],
  deps: Deps,
): Promise<Voucher> {
  const { signature, key, 'kms-key': kmsKey } = options
  const { signing } = deps
  const isKeyNamed = key !== undefined || kmsKey !== undefined
  if (signature === undefined && !isKeyNamed) return { kind: 'nobody' }
  if (signature !== undefined && isKeyNamed) {
    const other = key === undefined ? '--kms-key' : '--key'
    throw new SentinelError('USAGE', `--signature and ${other} are both given`, {
      hint: 'prove by what was signed earlier, or have it signed now',
    })
  }
  if (signature !== undefined) {
    return { kind: 'statement', signed: parseStatement(await signing.read(signature)) }
  }
  const signer = await signing.openSigner(options)
  return { kind: 'key', signing: { ...deps, ...signing, signer } }
}
