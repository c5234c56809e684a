/** The last line of a stream of the decision log, or of its part that is spoken of. */
export interface Head {
  /** 1, 2, 3, … within the stream. */
  readonly seq: number
  /** SHA-256 of the line in hex, without its newline. */
  readonly hash: string
}

/** A head, and of which stream it is. */
export interface StreamHead extends Head {
  /** 20 characters of base32. */
  readonly stream: string
}

/** How much of a head's hash a session's record keeps: 16 bytes, in hex. */
export const SHORT_HASH_LENGTH = 32

/** `12:9f86d0…`: the form in which one stream names another's head. */
export function formatHead({ seq, hash }: Head): string {
  return `${seq}:${hash}`
}

/** Reads what {@link formatHead} wrote; `undefined` for anything else. */
export function parseHead(text: string): Head | undefined {
  const [, seq, hash = ''] = /^([1-9]\d{0,15}):([0-9a-f]{64})$/.exec(text) ?? []
  return seq === undefined ? undefined : { seq: Number(seq), hash }
}
