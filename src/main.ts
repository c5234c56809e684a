import { once } from 'node:events'
import { CRASHED, watchForCrash } from './child/crash.ts'
import { endLike } from './child/end-like-child.ts'
import { restartWithoutTraces } from './clean-start.ts'
import { complain, type Sink } from './cli/output.ts'
import { reportBug, run } from './cli/run.ts'
import { SentinelError } from './errors.ts'
import { VERSION, versionLine } from './version.ts'

/** Given by the binary's boot file: what runs this program again. */
declare const SELF: readonly string[] | undefined

const self =
  typeof SELF === 'undefined'
    ? [process.execPath, ...process.execArgv, process.argv[1] ?? '']
    : SELF

function main(): void {
  const args = process.argv.slice(2)
  // What stands behind -- is the command's own.
  const end = args.indexOf('--')
  const own = end < 0 ? args : args.slice(0, end)
  const hasColor = !process.env.NO_COLOR && !own.includes('--no-color')
  const stdout = sink(process.stdout, hasColor)
  const stderr = sink(process.stderr, hasColor)
  const crash = watchForCrash((error) => reportBug(error, stderr))
  try {
    restartWithoutTraces(process, self)
  } catch (error) {
    if (!(error instanceof SentinelError)) throw error
    complain(stderr, 'error', error.message)
    if (error.hint) complain(stderr, 'hint', error.hint)
    process.exitCode = error.exitCode
    return
  }
  const version = versionLine(process.version)
  const terminal = { stdout, stderr, version, crash: crash.signal }
  void run(args, terminal, async (globals) => {
    // Not for help and mistakes: most of the program is behind it.
    const { compose } = await import('./compose.ts')
    return compose(globals, { stdout, stderr, version: VERSION, self, crash })
  }).then((end) => endLike(crash.signal.aborted ? { status: CRASHED } : end))
}

function sink(stream: NodeJS.WriteStream, mayColor: boolean): Sink {
  let isRead = true
  // A reader that went away (`| head`), or a terminal that was closed, is no failure of ours.
  stream.on('error', (error: NodeJS.ErrnoException) => {
    const isGone = error.code === 'EPIPE' || (error.code === 'EIO' && stream.isTTY)
    if (!isGone) throw error
    isRead = false
  })
  return {
    write: (text) => void stream.write(text),
    hasColor: mayColor && stream.isTTY === true,
    ...(stream.isTTY && { window: () => windowOf(stream) }),
    async ready() {
      // Failing ends the wait as well: the listener above has heard of it first.
      if (isRead && stream.writableNeedDrain) await once(stream, 'drain').catch(() => {})
      return isRead
    },
  }
}

/** A terminal that does not know its size has the one terminals used to have. */
function windowOf({ columns, rows }: NodeJS.WriteStream) {
  return { columns: columns || 80, rows: rows || 24 }
}

main()
