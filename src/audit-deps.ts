import type { LogArchive } from './ports/log-archive.ts'

/** Which files of the decision log are read. */
export interface ArchiveSelection {
  /** Files of one log, oldest first; none: the log that `log-file` or a setting names, whole. */
  readonly files?: readonly string[]
  readonly 'log-file'?: string | undefined
}

/** The part of `Deps` that reads the decision log, and vouches for it. */
export interface AuditDeps {
  /** Rejects with `LOG_NOT_FOUND`, naming where it looked, or `LOG_UNREADABLE`. */
  openArchive(selection: ArchiveSelection): Promise<LogArchive>
}
