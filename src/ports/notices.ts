/** What a run tells its user while it goes on: one line each, on stderr. Never a secret. */
export interface Notices {
  /** That somebody was refused, and what would help: told however quiet the run is to be. */
  refuse(text: string, hint?: string): void
  /** Something the user may want to act on. */
  warn(text: string, hint?: string): void
  /** Something that is as it should be, told once. */
  info(text: string): void
}
