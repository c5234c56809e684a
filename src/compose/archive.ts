import { resolve } from 'node:path'
import type { ArchiveSelection } from '../audit-deps.ts'
import type { LogArchive } from '../ports/log-archive.ts'
import type { World } from './world.ts'

/** Opens the files of a log to read: those that are named, or those of the configured one. */
export async function openArchive(
  { settings }: Pick<World, 'settings'>,
  { files = [], 'log-file': logFile }: ArchiveSelection,
): Promise<LogArchive> {
  const { openLogArchive } = await import('../audit/archive.ts')
  if (files.length > 0) return openLogArchive({ named: files })
  const path = settings.get('logFile', { name: 'log-file', text: logFile })
  return openLogArchive({ live: resolve(path.value) })
}
