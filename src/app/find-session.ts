import { isSessionId, parseSessionPrefix, type Session, type SessionId } from '../domain/session.ts'
import { SentinelError } from '../errors.ts'
import type { SessionDirectory } from '../ports/session-store.ts'
import { patience } from './patience.ts'

/** What {@link SessionDirectory.find} finds at most. */
const MOST_FOUND = 10

/**
 * The session that `text` is the id of, or the beginning of. Rejects with `USAGE` when it is
 * neither, with `SESSION_AMBIGUOUS` or `SESSION_NOT_FOUND` when that is not one session.
 */
export async function findSession(
  directory: Pick<SessionDirectory, 'find' | 'get'>,
  text: string,
): Promise<Session> {
  const id = await findSessionId(directory, text)
  const session = await directory.get(id, patience())
  if (session === undefined) throw sessionNotFound(text)
  return session
}

/** As {@link findSession}; a whole id is taken at its word, without asking the store. */
export async function findSessionId(
  directory: Pick<SessionDirectory, 'find'>,
  text: string,
): Promise<SessionId> {
  const prefix = parseSessionPrefix(text)
  if (isSessionId(prefix)) return prefix
  const [id, ...others] = await directory.find(prefix, patience())
  if (id === undefined) throw sessionNotFound(text)
  if (others.length === 0) return id
  const found = [id, ...others]
  const more = found.length >= MOST_FOUND ? ', and perhaps more' : ''
  throw new SentinelError(
    'SESSION_AMBIGUOUS',
    `several sessions begin with ${text}: ${found.join(', ')}${more}`,
    { hint: 'give more digits of the one you mean' },
  )
}

/** The refusal of an id, or the beginning of one, that no session has. */
export function sessionNotFound(text: string): SentinelError {
  const what = isSessionId(text)
    ? `no session has the id ${text}`
    : `no session begins with ${text}`
  return new SentinelError('SESSION_NOT_FOUND', what, {
    hint: 'list those there are: sentinel session list',
  })
}
