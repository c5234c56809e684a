import {
  type AccessRequestId,
  type FiledRequest,
  isAccessRequestId,
} from '../domain/access-request.ts'
import { SentinelError } from '../errors.ts'
import type { RequestStore } from '../ports/request-store.ts'
import { patience } from './patience.ts'

/** What {@link RequestStore.find} finds at most. */
const MOST_FOUND = 10

/**
 * The request that `text` is the id of, or the beginning of. Rejects with `USAGE` when it is
 * neither, with `REQUEST_AMBIGUOUS` or `REQUEST_NOT_FOUND` when that is not one request.
 */
export async function findRequest(
  store: Pick<RequestStore, 'find' | 'get'>,
  text: string,
): Promise<FiledRequest> {
  const id = await findRequestId(store, parseRequestPrefix(text))
  const filed = await store.get(id, patience())
  if (filed === undefined) throw requestNotFound(text)
  return filed
}

/** Reads an id, or the beginning of one: at least 4 characters. Throws `USAGE`. */
function parseRequestPrefix(text: string): string {
  if (/^[a-z2-7]{4,20}$/.test(text)) return text
  throw new SentinelError('USAGE', `not the id of a request: "${text}"`, {
    hint: 'ids are 20 characters of a-z and 2-7, or their first 4 or more: sentinel requests',
  })
}

/** The refusal of an id, or the beginning of one, that no request has. */
export function requestNotFound(text: string): SentinelError {
  const what = isAccessRequestId(text)
    ? `no access request has the id ${text}`
    : `no access request begins with ${text}`
  return new SentinelError('REQUEST_NOT_FOUND', what, {
    hint: 'list those that wait for a decision with: sentinel requests',
  })
}

async function findRequestId(
  store: Pick<RequestStore, 'find'>,
  prefix: string,
): Promise<AccessRequestId> {
  if (isAccessRequestId(prefix)) return prefix
  const [id, ...others] = await store.find(prefix, patience())
  if (id === undefined) throw requestNotFound(prefix)
  if (others.length === 0) return id
  const found = [id, ...others]
  const more = found.length >= MOST_FOUND ? ', and perhaps more' : ''
  throw new SentinelError(
    'REQUEST_AMBIGUOUS',
    `several access requests begin with ${prefix}: ${found.join(', ')}${more}`,
    { hint: 'give more characters of the one you mean' },
  )
}
