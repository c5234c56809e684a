import { Refusal } from './yaml-refusal.ts'

/**
 * Control characters, and what does not show or moves what is beside it, so that the text people
 * review is the text that decides. Joiners and variation selectors belong to scripts and emoji.
 */
const HIDDEN = new RegExp(
  [
    '(?![\\t\\n\\r])\\p{Cc}',
    '\\r(?!\\n)',
    '[\\p{Cs}\\p{Zl}\\p{Zp}\\p{Noncharacter_Code_Point}]',
    '(?![\\u200c\\u200d\\p{Variation_Selector}])\\p{Default_Ignorable_Code_Point}',
  ].join('|'),
  'u',
)

/**
 * Throws a `Refusal` for the first character of `text` that is not allowed: at its own place, or
 * at `offset` when `text` is the value of a scalar with escapes, which starts there.
 */
export function refuseHidden(text: string, offset?: number): void {
  const found = HIDDEN.exec(text)
  if (found === null) return
  const code = found[0].codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0')
  throw new Refusal(
    offset ?? found.index,
    `the character U+${code} is not allowed`,
    'remove it: it does not show, or changes how the text around it shows',
  )
}
