import { createHash } from 'node:crypto'
import { pipeline } from 'node:stream/promises'
import { createGunzip, createGzip } from 'node:zlib'
import type { LogFile } from './log-file.ts'

/** What is in a file, as far as another one can be told from it. */
export interface Content {
  readonly size: number
  /** In hex. */
  readonly sha256: string
}

const CHUNK = 64 * 1024

/** Appends `source`, compressed, to `copy`, and resolves with what was in it. */
export async function compressInto(
  copy: LogFile,
  source: LogFile,
  signal: AbortSignal | undefined,
): Promise<Content> {
  const content = new Digest()
  await pipeline(
    content.of(chunksOf(source)),
    createGzip(),
    async (chunks: AsyncIterable<Buffer>) => {
      for await (const chunk of chunks) await writeWhole(copy, chunk)
    },
    { signal },
  )
  return content.end()
}

/** Resolves with what `copy` holds once it is expanded. Rejects when it is damaged. */
export async function readCompressed(
  copy: LogFile,
  signal: AbortSignal | undefined,
): Promise<Content> {
  const content = new Digest()
  await pipeline(
    chunksOf(copy),
    createGunzip(),
    async (chunks: AsyncIterable<Buffer>) => {
      for await (const _ of content.of(chunks));
    },
    { signal },
  )
  return content.end()
}

/** Resolves with what the first `most` bytes of `file` are. */
export async function readBeginning(
  file: LogFile,
  most: number,
  signal: AbortSignal | undefined,
): Promise<Content> {
  const content = new Digest()
  for await (const _ of content.of(chunksOf(file, most))) signal?.throwIfAborted()
  return content.end()
}

async function* chunksOf(file: LogFile, most = Number.POSITIVE_INFINITY): AsyncGenerator<Buffer> {
  for (let position = 0; ; ) {
    const chunk = await file.read(position, Math.min(CHUNK, most - position))
    if (chunk.length === 0) return
    yield chunk
    position += chunk.length
  }
}

async function writeWhole(file: LogFile, bytes: Buffer): Promise<void> {
  for (let rest = bytes; rest.length > 0; ) {
    const taken = await file.write(rest)
    // A disk that takes nothing and says nothing would keep us here for ever.
    if (taken === 0) throw Object.assign(new Error('EIO: nothing was written'), { code: 'EIO' })
    rest = rest.subarray(taken)
  }
}

/** The size and hash of chunks that pass. */
class Digest {
  readonly #hash = createHash('sha256')
  #size = 0

  async *of(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    for await (const chunk of chunks) {
      this.#hash.update(chunk)
      this.#size += chunk.length
      yield chunk
    }
  }

  end(): Content {
    return { size: this.#size, sha256: this.#hash.digest('hex') }
  }
}
