const REDACTED = '[secret]'

/**
 * A string that must not be printed. Whatever turns it into text (a template, JSON, a debugger's
 * inspection) gets a placeholder; only `reveal` gives the value, so every use can be searched for.
 */
export class Secret {
  readonly #value: string

  constructor(value: string) {
    this.#value = value
  }

  reveal(): string {
    return this.#value
  }

  toString(): string {
    return REDACTED
  }

  toJSON(): string {
    return REDACTED
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return REDACTED
  }
}
