/** Ends a reading at `offset`. Stays within the reader, which turns it into a problem. */
export class Refusal extends Error {
  readonly offset: number
  readonly hint: string | undefined

  constructor(offset: number, message: string, hint?: string) {
    super(message)
    this.offset = offset
    this.hint = hint
  }
}
