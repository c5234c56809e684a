const SHOWN_MAX = 60

/** `text` in quotes, for a message: on one line, not too long, and without a password. */
export function quote(text: string): string {
  return JSON.stringify(shorten(text.replace(/\/\/[^\s/@]*@/g, '//…@')))
}

/** `text`, cut where a hostile one would go on. */
export function shorten(text: string): string {
  return text.length > SHOWN_MAX ? `${text.slice(0, SHOWN_MAX)}…` : text
}
