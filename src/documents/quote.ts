const SHOWN_MAX = 60

/** `text` in quotes, for a message: on one line, cut when it is long, and without a password. */
export function quote(text: string): string {
  const safe = text.replace(/\/\/[^\s/@]*@/g, '//…@')
  return JSON.stringify(safe.length > SHOWN_MAX ? `${safe.slice(0, SHOWN_MAX)}…` : safe)
}
