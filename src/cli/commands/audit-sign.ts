import { signLog } from '../../app/sign-log.ts'
import type { Deps } from '../../deps.ts'
import { encodeStatement, type SignedStatement, signedFields } from '../../domain/log-statement.ts'
import { ARCHIVE_OPTIONS } from '../audit-options.ts'
import { showReading } from '../audit-progress.ts'
import { defineCommand } from '../command.ts'
import { SIGNER_OPTIONS } from '../signing-options.ts'
import { tellUnsound } from '../unsound-log.ts'

export default defineCommand({
  usage: 'audit sign',
  summary: 'Sign what the decision log holds now, for whoever checks it later',
  examples: [
    'audit sign --key ./log-key.pem --out ./statement.json',
    'audit sign --kms-key alias/sentinel-log',
    'audit sign --key ./log-key.pem --print-public-key',
  ],
  statuses: {
    0: 'signed',
    1: 'the log is not sound, so nothing was signed',
  },
  options: {
    ...SIGNER_OPTIONS,
    ...ARCHIVE_OPTIONS,
    out: { type: 'string', value: 'FILE', summary: 'Write the statement to a new file' },
    'print-public-key': {
      type: 'boolean',
      summary: 'Sign nothing: print the public key, which checks what the key signs',
    },
  },

  async run({ options }, deps) {
    const { out, signing, notices } = deps
    return await deps.interruptibly(async (signal) => {
      const signer = await signing.openSigner(options)
      if (options['print-public-key']) {
        const pem = await signer.publicKey(signal)
        // What is no key for statements is told here, and not by whoever is to check them.
        await signing.verifierOf({ pem, name: 'the key' })
        out.printRaw(pem)
        return undefined
      }
      const archive = await deps.openArchive({ 'log-file': options['log-file'] })
      const { report, signed } = await signLog(
        { ...deps, ...signing, archive, signer },
        { signal, onProgress: showReading(out) },
      )
      out.progress('')
      if (!signed) {
        tellUnsound(report, notices)
        return { status: 1 }
      }
      await give(signed, options.out, deps)
      return undefined
    })
  },
})

async function give(signed: SignedStatement, path: string | undefined, { out, signing }: Deps) {
  const text = `${encodeStatement(signed)}\n`
  if (path === undefined) {
    out.printRaw(text)
    return
  }
  await signing.writeNew(path, text)
  const { lines, log } = signed.statement
  const what = `${lines === 1 ? '1 line' : `${lines} lines`} of ${log}`
  out.print(`signed ${what} with key ${signed.signature.keyId}: ${path}`, {
    file: path,
    statement: signedFields(signed),
  })
}
