/**
 * What a person sees in an AWS config file: every section header and every key, with its line,
 * however it is written. The SDK's parser reads the values; this only shows what it passed over.
 *
 * @module
 */

/** A key of a section. One nested under `s3 =` is named `s3.addressing_style`. */
interface IniKey {
  readonly name: string
  readonly line: number
}

/** A section as a lenient reader takes it: any case, any spacing, with or without quotes. */
export interface IniSection {
  /** What stands between the brackets. */
  readonly header: string
  readonly line: number
  /** `profile`, `sso-session` or `services`, in lower case; absent in a header of one word. */
  readonly word?: string
  readonly name: string
  readonly keys: readonly IniKey[]
}

/** Lists the sections of `text` in order, those that no parser would read included. */
export function scanIni(text: string): IniSection[] {
  const sections: (IniSection & { readonly keys: IniKey[] })[] = []
  let parent: string | undefined
  for (const [index, written] of text.split(/\r?\n/).entries()) {
    const line = index + 1
    const content = (written.split(/(^|\s)[;#]/)[0] ?? '').trim()
    if (content.startsWith('[')) {
      sections.push({ ...readHeader(content), line, keys: [] })
      parent = undefined
      continue
    }
    const [, name, value] = /^([^=]+)=(.*)$/.exec(content) ?? []
    if (name === undefined) continue
    const isIndented = /^\s/.test(written)
    if (value === '') parent = name.trim()
    else if (!isIndented) parent = undefined
    const isNested = parent !== undefined && value !== ''
    const key = isNested ? `${parent}.${name.trim()}` : name.trim()
    sections.at(-1)?.keys.push({ name: key, line })
  }
  return sections
}

function readHeader(content: string): Pick<IniSection, 'header' | 'word' | 'name'> {
  const end = content.lastIndexOf(']')
  const header = content.slice(1, end === -1 ? undefined : end)
  const [, word, rest] = /^\s*(profile|sso-session|services)\s+(.*)$/i.exec(header) ?? []
  if (word === undefined || rest === undefined) return { header, name: unquote(header) }
  return { header, word: word.toLowerCase(), name: unquote(rest) }
}

function unquote(name: string): string {
  return name.trim().replace(/^(["'])(.*)\1$/, '$2')
}
