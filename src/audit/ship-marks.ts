import { hash } from 'node:crypto'
import { basename } from 'node:path'
import { type LogPart, openPart } from './ship-files.ts'
import { LineBatch, LineCutter } from './ship-lines.ts'

/**
 * Tells the files of a log apart by what they begin with, which outlives moving and compressing: a
 * file's mark is the SHA-256, in hex, of its first record.
 */
export class FileMarks {
  readonly #uid: number | undefined
  /** Of files that do not change any more. */
  readonly #known = new Map<string, string>()

  constructor(uid: number | undefined) {
    this.#uid = uid
  }

  /** `undefined` as long as there is nothing to go by. */
  async of(part: LogPart): Promise<string | undefined> {
    const known = part.isLive ? undefined : this.#known.get(nameOf(part))
    if (known) return known
    const text = await readBeginning(part, this.#uid)
    if (text === undefined) return undefined
    const mark = hash('sha256', text)
    if (!part.isLive) this.#known.set(nameOf(part), mark)
    return mark
  }

  /** The newest of `parts` with that mark: a copy of a file is older than what grows on. */
  async find(parts: readonly LogPart[], mark: string | undefined): Promise<number> {
    for (let at = parts.length - 1; at >= 0; at--) {
      const part = parts[at]
      if (part && (await this.of(part)) === mark) return at
    }
    return -1
  }
}

/**
 * The first record. Of a file that has none the name under which it was moved aside, and what it
 * begins with: where lines are torn, all begin alike.
 */
async function readBeginning(part: LogPart, uid: number | undefined): Promise<string | undefined> {
  await using reader = await openPart(part, 0, uid)
  if (!reader) return undefined
  const cutter = new LineCutter(0)
  const batch = new LineBatch()
  const firstRecord = () => batch.lines.find(({ text }) => /^\{.*\}$/.test(text))?.text
  while (!batch.isFull) {
    const piece = await reader.read()
    if (piece.length === 0) break
    cutter.add(piece)
    cutter.cut(batch, 'open')
    const record = firstRecord()
    if (record !== undefined) return record
  }
  if (part.isLive && !batch.isFull) return undefined
  cutter.cut(batch, 'final')
  const [first] = batch.lines
  return firstRecord() ?? (first && `${basename(nameOf(part))} ${first.text}`)
}

/** The path of a file as it was before it was compressed. */
function nameOf({ path }: LogPart): string {
  return path.replace(/\.gz$/, '')
}
