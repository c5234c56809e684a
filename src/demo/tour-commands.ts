import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import type { TourHome } from './tour-home.ts'

/** Runs the commands of a tour, and prints each with all that it says. */
export interface TourCommands {
  /** Runs one to its end, which must be with `status`. Resolves to what it said. */
  run(command: string, status: number): Promise<string>
  /** Starts one that goes on beside others. */
  start(command: string): RunningCommand
}

interface RunningCommand extends Disposable {
  /** Resolves once it has said something with `pattern` in it; rejects when it ends without. */
  saw(pattern: RegExp): Promise<void>
  /** Waits for its end, which must be with `status`. */
  ended(status: number): Promise<void>
}

interface TourCommandsOptions {
  readonly home: TourHome
  readonly print: (text: string) => void
  readonly interrupted: AbortSignal
}

/** Commands in the home of a tour, with the flag that the stand-in AWS needs. */
export function tourCommands(options: TourCommandsOptions): TourCommands {
  const { interrupted } = options
  return {
    async run(command, status) {
      using running = new Running(command, options)
      await running.ended(status)
      interrupted.throwIfAborted()
      return running.said
    },
    start: (command) => new Running(command, options),
  }
}

class Running implements RunningCommand {
  said = ''
  readonly #child: ChildProcess
  readonly #command: string
  readonly #options: TourCommandsOptions
  readonly #closed: Promise<unknown[]>
  #isClosed = false
  #heard = Promise.withResolvers<void>()

  constructor(command: string, options: TourCommandsOptions) {
    this.#command = command
    this.#options = options
    const line = command.replace(/^sentinel/, 'sentinel --allow-endpoint-override')
    options.print(`$ ${line}`)
    const child = spawn(...split(line), {
      cwd: options.home.path,
      env: { ...options.home.env },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => this.#hear(text))
    }
    this.#child = child
    this.#closed = once(child, 'close').finally(() => {
      this.#isClosed = true
      this.#heard.resolve()
    })
    // Whoever does not wait for its end hears of its failure by what it says.
    this.#closed.catch(() => {})
  }

  async saw(pattern: RegExp): Promise<void> {
    while (!pattern.test(this.said)) {
      this.#options.interrupted.throwIfAborted()
      if (this.#isClosed) throw new Error(`"${this.#command}" never said ${pattern}`)
      await this.#heard.promise
    }
  }

  async ended(status: number): Promise<void> {
    const [code] = await this.#closed
    this.#options.interrupted.throwIfAborted()
    if (code !== 0) this.#options.print(`  (exit status ${code})`)
    if (code !== status)
      throw new Error(`"${this.#command}" ended with ${code}, not with ${status}`)
  }

  /** Nothing of a tour outlives it. */
  [Symbol.dispose](): void {
    if (!this.#isClosed) this.#child.kill()
  }

  #hear(text: string): void {
    this.said += text
    this.#options.print(text.trimEnd().replaceAll(/^(?=.)/gm, '  '))
    this.#heard.resolve()
    this.#heard = Promise.withResolvers()
  }
}

function split(line: string): [program: string, args: string[]] {
  const [program = '', ...args] = [...line.matchAll(/"([^"]*)"|(\S+)/g)].map(
    ([, quoted, plain]) => quoted ?? plain ?? '',
  )
  return [program, args]
}
