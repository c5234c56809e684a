import type { Deps } from '../deps.ts'

interface OptionSpec {
  readonly type: 'string' | 'boolean'
  readonly summary: string
  /** One letter. */
  readonly short?: string
  /** What stands for the value in help: `DURATION`. */
  readonly value?: string
  readonly required?: true
}

export type OptionSpecs = Readonly<Record<string, OptionSpec>>

/** What a command receives for an option: exactly what the option's spec promises. */
type OptionValue<Spec extends OptionSpec> = Spec extends { type: 'string'; required: true }
  ? string
  : (Spec extends { type: 'string' } ? string : boolean) | undefined

export interface Input<Specs extends OptionSpecs> {
  readonly args: readonly (string | undefined)[]
  readonly options: { readonly [Name in keyof Specs]: OptionValue<Specs[Name]> }
  /** Everything after `--`. */
  readonly rest: readonly string[]
}

/** How a command ended: with a status, or as its child did, by a signal. */
export type End = { readonly status: number } | { readonly signal: NodeJS.Signals }

export interface Command<Specs extends OptionSpecs = OptionSpecs> {
  /**
   * As the user types it: words, then `<required>` and `[optional]` arguments; `[...files]`, as the
   * last, stands for any number.
   */
  readonly usage: string
  readonly summary: string
  /** Command lines without `sentinel`, each run by a test. */
  readonly examples: readonly string[]
  readonly options: Specs
  /** What the statuses say that it exits with as an answer, beside those that all commands have. */
  readonly statuses?: Readonly<Record<number, string>>
  /** Whether `-- COMMAND…` may follow. */
  readonly takesRest?: true
  /** Not listed in help. */
  readonly isHidden?: true
  /** Resolves to how the process is to end; to nothing for success. */
  run(input: Input<Specs>, deps: Deps): Promise<End | undefined>
}

/** Gives `run` the types of its own `options`. Does nothing at run time. */
export function defineCommand<const Specs extends OptionSpecs>(
  command: Command<Specs>,
): Command<Specs> {
  return command
}

/** The words of a command's usage, without its arguments: `policy explain`. */
export function nameOf({ usage }: Pick<Command, 'usage'>): string {
  return usage.replace(/ [<[].*/, '')
}
