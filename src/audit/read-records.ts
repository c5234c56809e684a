import type { ArchivedRecord, ReadOptions, RecordQuery } from '../ports/log-archive.ts'
import { type LogFileSelection, openInOrder } from './archive-files.ts'
import { followLog } from './follow-log.ts'
import { parseRecord } from './parse-record.ts'
import { type Chunk, type Line, linesOf, type ReadingOptions, readChunks } from './read-lines.ts'
import { Recoveries } from './recoveries.ts'

type Containing = RecordQuery['containing']

/** The records of a log in the order of its lines: twice read, for what later lines take back. */
export async function* readRecords(
  files: LogFileSelection,
  { containing }: Pick<RecordQuery, 'containing'>,
  options: ReadingOptions,
): AsyncGenerator<ArchivedRecord> {
  const recoveries = await findRecoveries(files, options)
  let index = 0
  for await (const file of openInOrder(files)) {
    for await (const chunk of readChunks(file, options)) {
      for (const archived of recordsOf(chunk, file.path, containing)) {
        const { record, at } = archived
        const isAnnulled = recoveries.annul(record.stream, record.seq, {
          file: index,
          line: at.line,
        })
        yield isAnnulled ? { ...archived, isAnnulled } : archived
      }
    }
    index++
  }
}

/**
 * The records of the log at `path`, and those that are written later, until the signal aborts. What
 * later lines take back is not known yet.
 */
export async function* followRecords(
  path: string,
  { containing, follow }: RecordQuery,
  { signal }: ReadOptions,
): AsyncGenerator<ArchivedRecord> {
  for await (const chunk of followLog(path, { signal, onCaughtUp: follow?.onCaughtUp })) {
    yield* recordsOf(chunk, chunk.path, containing)
  }
}

async function findRecoveries(
  files: LogFileSelection,
  options: ReadingOptions,
): Promise<Recoveries> {
  const recoveries = new Recoveries()
  let index = 0
  for await (const file of openInOrder(files)) {
    for await (const chunk of readChunks(file, options)) recoveries.take(chunk, index)
    index++
  }
  return recoveries
}

function* recordsOf(chunk: Chunk, path: string, texts: Containing): Generator<ArchivedRecord> {
  for (const { bytes, number } of linesHolding(chunk, texts ?? [])) {
    const record = parseRecord(bytes, path)
    if (record) yield { record, at: { path, line: number }, isAnnulled: false }
  }
}

/** The lines that hold all of `texts`. Most chunks hold few of them, and are searched as one. */
function* linesHolding(chunk: Chunk, texts: readonly string[]): Generator<Line> {
  const wanted = texts.map((text) => Buffer.from(text, 'latin1'))
  if (!wanted.every((text) => chunk.bytes.includes(text))) return
  for (const line of linesOf(chunk)) {
    if (wanted.every((text) => line.bytes.includes(text))) yield line
  }
}
