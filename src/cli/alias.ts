import { type Command, nameOf, type OptionSpecs } from './command.ts'

/** `command` under another name: the same options, the same deed. */
export function aliasOf<Specs extends OptionSpecs>(
  command: Command<Specs>,
  alias: string,
): Command<Specs> {
  const name = nameOf(command)
  const renamed = (line: string) => alias + line.slice(name.length)
  return {
    ...command,
    usage: renamed(command.usage),
    summary: `The same as ${name}`,
    examples: command.examples.map(renamed),
  }
}
