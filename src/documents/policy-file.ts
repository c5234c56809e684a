import { resolve } from 'node:path'
import { SentinelError } from '../errors.ts'
import type { PolicySource } from '../ports/policy-source.ts'
import { DOCUMENT_BYTES_MAX } from './strict-yaml.ts'
import { readTrustedFile } from './trusted-file.ts'

/** A policy in a file, which must be as `readTrustedFile` demands. Read at each fetch. */
export function openPolicyFile(
  path: string,
  { uid }: { readonly uid: number | undefined },
): PolicySource {
  const absolute = resolve(path)
  return {
    reference: `file:${absolute}`,
    isLocal: true,

    async fetch(signal) {
      const reading = readTrustedFile(absolute, {
        uid,
        maxBytes: DOCUMENT_BYTES_MAX,
        invalid: 'POLICY_INVALID',
        unavailable: 'POLICY_UNAVAILABLE',
      })
      const text = await orAborted(reading, signal, absolute)
      if (text !== undefined) return { text }
      throw new SentinelError('POLICY_NOT_FOUND', `there is no policy at ${absolute}`, {
        hint: 'write it, or name another with --policy PATH',
      })
    },
  }
}

/** A file system over a network may stay silent, and its calls cannot be called off. */
async function orAborted<Value>(
  reading: Promise<Value>,
  signal: AbortSignal,
  path: string,
): Promise<Value> {
  const { promise: aborted, reject } = Promise.withResolvers<never>()
  const onAbort = () => {
    const message = `${path} could not be read in time`
    reject(new SentinelError('POLICY_UNAVAILABLE', message, { cause: signal.reason }))
  }
  if (signal.aborted) onAbort()
  signal.addEventListener('abort', onAbort, { once: true })
  try {
    return await Promise.race([reading, aborted])
  } finally {
    signal.removeEventListener('abort', onAbort)
  }
}
