/**
 * `value` as JSON in 0x20–0x7e: `JSON.stringify` leaves U+009B, U+202E and U+2028 as they are, and
 * whoever prints that lets a stranger write to a terminal.
 */
export function asciiJSON(value: unknown): string {
  return JSON.stringify(value).replace(
    /[\u007f-\uffff]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}
