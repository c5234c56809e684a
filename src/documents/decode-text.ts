import { type Position, positionsOf } from './position.ts'

export type Decoding =
  | { readonly text: string; readonly at?: never }
  /** Where the first byte stands that is no part of a character. */
  | { readonly text?: never; readonly at: Position }

/** Decodes UTF-8 strictly. A byte order mark stays. */
export function decodeText(bytes: Buffer): Decoding {
  try {
    return { text: new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes) }
  } catch {
    // The decoder says that something is wrong, not what: the lenient one marks the place.
    const lenient = bytes.toString()
    return { at: positionsOf(lenient)(firstMark(lenient, bytes)) }
  }
}

/** The offset of the first U+FFFD that `bytes` do not spell out. */
function firstMark(lenient: string, bytes: Buffer): number {
  const mark = Buffer.from('\ufffd')
  const isSpelt = (offset: number) => {
    const place = Buffer.byteLength(lenient.slice(0, offset))
    return bytes.subarray(place, place + mark.length).equals(mark)
  }
  let offset = lenient.indexOf('\ufffd')
  while (isSpelt(offset)) offset = lenient.indexOf('\ufffd', offset + 1)
  return offset
}
