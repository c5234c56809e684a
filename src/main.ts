import { endLike } from './child/end-like-child.ts'
import { restartWithoutTraces } from './clean-start.ts'
import { complain, type Sink } from './cli/output.ts'
import { run } from './cli/run.ts'
import { compose } from './compose.ts'
import { SentinelError } from './errors.ts'

declare const __VERSION__: string | undefined
declare const __COMMIT__: string | undefined

const version = typeof __VERSION__ === 'string' ? __VERSION__ : 'source'
const commit = typeof __COMMIT__ === 'string' ? __COMMIT__ : 'none'

/** Given by the binary's boot file: what runs this program again. */
declare const SELF: readonly string[] | undefined

const self =
  typeof SELF === 'undefined'
    ? [process.execPath, ...process.execArgv, process.argv[1] ?? '']
    : SELF

function main(): void {
  const args = process.argv.slice(2)
  const hasColor = !process.env.NO_COLOR && !args.includes('--no-color')
  const stdout = sink(process.stdout, hasColor)
  const stderr = sink(process.stderr, hasColor)
  try {
    restartWithoutTraces(process, self)
  } catch (error) {
    if (!(error instanceof SentinelError)) throw error
    complain(stderr, 'error', error.message)
    if (error.hint) complain(stderr, 'hint', error.hint)
    process.exitCode = error.exitCode
    return
  }
  const terminal = {
    stdout,
    stderr,
    version: `sentinel ${version} (commit ${commit}, node ${process.version})`,
  }
  void run(args, terminal, (globals) => compose(globals, { ...terminal, version, self })).then(
    endLike,
  )
}

function sink(stream: NodeJS.WriteStream, mayColor: boolean): Sink {
  // A reader that went away (`| head`) is no failure of ours.
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error
  })
  return {
    write: (text) => void stream.write(text),
    hasColor: mayColor && stream.isTTY === true,
  }
}

main()
