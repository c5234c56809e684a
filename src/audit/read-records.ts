import { type Instant, toTimestamp } from '../domain/time.ts'
import type { ArchivedRecord, ReadOptions, RecordQuery } from '../ports/log-archive.ts'
import { type LogFileSelection, openInOrder, unreadable } from './archive-files.ts'
import { followLog } from './follow-log.ts'
import { hasPlace, mayBeTorn, parseObject, parseRecord } from './parse-record.ts'
import { type Chunk, type Line, linesOf, type ReadingOptions, readChunks } from './read-lines.ts'
import { Recoveries } from './recoveries.ts'

/** Which lines are worth parsing. */
type LineQuery = Pick<RecordQuery, 'containing' | 'since' | 'until'>

/** The records of a log in the order of its lines: twice read, for what later lines take back. */
export async function* readRecords(
  files: LogFileSelection,
  query: LineQuery,
  options: ReadingOptions,
): AsyncGenerator<ArchivedRecord> {
  const recoveries = await findRecoveries(files, options)
  let index = 0
  for await (const file of openInOrder(files)) {
    for await (const chunk of readChunks(file, options)) {
      recoveries.link(chunk, index)
      for (const archived of recordsOf(chunk, file.path, query)) {
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
  { follow, ...query }: RecordQuery,
  { signal }: ReadOptions,
): AsyncGenerator<ArchivedRecord> {
  for await (const chunk of followLog(path, { signal, onCaughtUp: follow?.onCaughtUp })) {
    yield* recordsOf(chunk, chunk.path, query)
  }
}

async function findRecoveries(
  files: LogFileSelection,
  options: ReadingOptions,
): Promise<Recoveries> {
  const recoveries = new Recoveries()
  let index = 0
  for await (const file of openInOrder(files)) {
    let content: Content = 'nothing'
    for await (const chunk of readChunks(file, options)) {
      recoveries.take(chunk, index)
      if (content !== 'log') content = contentOf(chunk, content)
    }
    if (content === 'something else') throw unreadable(file.path, 'it is no decision log')
    index++
  }
  return recoveries
}

/** What is in a file, as far as it was read: of `nothing`, nobody can tell. */
type Content = 'nothing' | 'log' | 'something else'

function contentOf(chunk: Chunk, before: Content): Content {
  let content = before
  for (const { bytes } of linesOf(chunk)) {
    const object = parseObject(bytes)
    if (mayBeTorn(bytes) || (object && hasPlace(object))) return 'log'
    content = 'something else'
  }
  return content
}

function* recordsOf(chunk: Chunk, path: string, query: LineQuery): Generator<ArchivedRecord> {
  for (const { bytes, number } of wantedLines(chunk, query)) {
    const record = parseRecord(bytes, path)
    if (record) yield { record, at: { path, line: number }, isAnnulled: false }
  }
}

/** The lines that may be wanted. Most chunks hold few of a text, and are searched as one. */
function* wantedLines(chunk: Chunk, { containing = [], since, until }: LineQuery): Generator<Line> {
  const texts = containing.map((text) => Buffer.from(text, 'latin1'))
  if (!texts.every((text) => chunk.bytes.includes(text))) return
  const isInPeriod = periodTest(since, until)
  for (const line of linesOf(chunk)) {
    if (isInPeriod(line.bytes) && texts.every((text) => line.bytes.includes(text))) yield line
  }
}

/** In JSON a quote within a text is escaped: this begins the record's own time, and comes early. */
const TIME = Buffer.from('"time":"')

/** Times of one form sort as text. A line that does not say when it was made may be of any time. */
function periodTest(since?: Instant, until?: Instant): (line: Buffer) => boolean {
  if (since === undefined && until === undefined) return () => true
  const from = since === undefined ? '' : toTimestamp(since)
  const to = until === undefined ? '\x7f' : toTimestamp(until)
  return (line) => {
    const start = line.indexOf(TIME) + TIME.length
    if (start < TIME.length) return true
    const time = line.toString('latin1', start, start + TIMESTAMP_LENGTH)
    return time >= from && time < to
  }
}

const TIMESTAMP_LENGTH = 24
