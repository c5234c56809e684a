import { hostname } from 'node:os'
import { resolve } from 'node:path'
import type { SignerFlags, Signing, VerifierFlags } from '../audit-deps.ts'
import { Secret } from '../domain/secret.ts'
import { SentinelError } from '../errors.ts'
import type { LogSigner } from '../ports/log-signer.ts'
import { openAWS } from './aws.ts'
import { openSigner } from './signer.ts'
import { uid, type World } from './world.ts'

const KEY_BYTES_MAX = 16 * 1024

/** A proof holds a line of 8 KiB at most, with its quotes escaped, and a statement. */
const STATEMENT_BYTES_MAX = 64 * 1024

/** What signs and checks statements: from files, or by KMS, loaded when first asked for. */
export function composeSigning(world: World): Signing {
  const verifierOf: Signing['verifierOf'] = async (key) => {
    const { createVerifier } = await import('../audit/signing.ts')
    return createVerifier(key)
  }
  return {
    host: hostname(),
    verifierOf,
    async openSigner(flags) {
      const named = chooseKey(flags, 'key')
      if (named.kind === 'kms') return openKMSKey(world, named.name)
      const { createLocalSigner } = await import('../audit/signing.ts')
      const pem = new Secret(await readKey(named.name, { isSecret: true }))
      return createLocalSigner({ pem, name: named.name })
    },
    async openVerifier(flags, signal) {
      const { kind, name } = chooseKey(flags, 'public-key')
      if (kind === 'file') return verifierOf({ pem: await readKey(name, {}), name })
      const signer = await openKMSKey(world, name)
      const pem = await signer.publicKey(signal)
      return verifierOf({ pem, name })
    },
    async rootOf(path) {
      const { rootOf } = await import('../audit/inclusion.ts')
      return rootOf(path)
    },
    async read(path) {
      const { readTrustedFile } = await import('../documents/trusted-file.ts')
      const text = await readTrustedFile(path, {
        // A signature vouches for it, whoever could have written it: it may come from anywhere.
        uid: undefined,
        maxBytes: STATEMENT_BYTES_MAX,
        invalid: 'STATEMENT_INVALID',
        unavailable: 'STATEMENT_INVALID',
      })
      if (text !== undefined) return text
      throw new SentinelError('STATEMENT_INVALID', `there is no file ${path}`, {
        hint: 'name a file that holds what audit sign or audit prove printed',
      })
    },
    async writeNew(path, text) {
      const { writeNewFile } = await import('../audit/new-file.ts')
      await writeNewFile(resolve(path), text)
    },
  }
}

interface NamedKey {
  readonly kind: 'file' | 'kms'
  readonly name: string
}

/** Whichever flag is given: `--kms-key`, or the one of `flags` that names a file. */
function chooseKey(flags: SignerFlags & VerifierFlags, fileFlag: 'key' | 'public-key'): NamedKey {
  const { [fileFlag]: file, 'kms-key': key } = flags
  if (file !== undefined && key === undefined) return { kind: 'file', name: resolve(file) }
  if (key !== undefined && file === undefined) return { kind: 'kms', name: key }
  const message =
    key === undefined ? 'no key is named' : `--${fileFlag} and --kms-key are both given`
  throw new SentinelError('USAGE', message, {
    hint: `name one key: --${fileFlag} FILE, or --kms-key with an ARN or alias/NAME`,
  })
}

async function readKey(path: string, secrecy: { readonly isSecret?: true }): Promise<string> {
  const { readTrustedFile } = await import('../documents/trusted-file.ts')
  const text = await readTrustedFile(path, {
    uid,
    maxBytes: KEY_BYTES_MAX,
    invalid: 'KEY_INVALID',
    unavailable: 'KEY_INVALID',
    ...secrecy,
  })
  if (text !== undefined) return text
  throw new SentinelError('KEY_INVALID', `there is no key at ${path}`, {
    hint: secrecy.isSecret
      ? `make one with: openssl genpkey -algorithm ed25519 -out KEY && chmod 600 KEY`
      : 'name the file that holds the public key in PEM',
  })
}

async function openKMSKey(world: World, key: string): Promise<LogSigner> {
  const aws = await openAWS(world, {})
  const { profile, credentials } = await openSigner(world, aws)
  const [{ KMSSigner }, { transport }] = await Promise.all([import('../aws/kms.ts'), aws.sdk()])
  return new KMSSigner({
    transport,
    key,
    region: regionIn(key) ?? aws.regionOf(profile),
    profile: profile.name,
    credentials,
  })
}

/** A key that is named by an ARN is in the region that the ARN says. */
function regionIn(key: string): string | undefined {
  const [prefix, , service, region] = key.split(':')
  return prefix === 'arn' && service === 'kms' && region ? region : undefined
}
