import { type BreakGlassId, type FiledEvent, isBreakGlassId } from '../domain/break-glass.ts'
import { SentinelError } from '../errors.ts'
import type { BreakGlassStore } from '../ports/break-glass-store.ts'
import { patience } from './patience.ts'

/** What {@link BreakGlassStore.find} finds at most. */
const MOST_FOUND = 10

/**
 * The break-glass event that `text` is the id of, or the beginning of. Rejects with `USAGE` when it
 * is neither, with `BREAK_GLASS_AMBIGUOUS` or `BREAK_GLASS_NOT_FOUND` when that is not one event.
 */
export async function findEvent(
  store: Pick<BreakGlassStore, 'find' | 'get'>,
  text: string,
): Promise<FiledEvent> {
  const id = isBreakGlassId(text) ? text : await findByPrefix(store, text)
  const filed = await store.get(id, patience())
  if (filed === undefined) throw eventNotFound(text)
  return filed
}

/** The refusal of an id, or the beginning of one, that no event has. */
export function eventNotFound(text: string): SentinelError {
  const what = isBreakGlassId(text) ? `has the id ${text}` : `begins with ${text}`
  return new SentinelError('BREAK_GLASS_NOT_FOUND', `no break-glass event ${what}`, {
    hint: 'list those there are: sentinel breakglass list',
  })
}

async function findByPrefix(
  store: Pick<BreakGlassStore, 'find'>,
  text: string,
): Promise<BreakGlassId> {
  if (!/^[a-z2-7]{4,19}$/.test(text)) throw notAnId(text)
  const [id, ...others] = await store.find(text, patience())
  if (id === undefined) throw eventNotFound(text)
  if (others.length === 0) return id
  const found = [id, ...others]
  const more = found.length >= MOST_FOUND ? ', and perhaps more' : ''
  throw new SentinelError(
    'BREAK_GLASS_AMBIGUOUS',
    `several break-glass events begin with ${text}: ${found.join(', ')}${more}`,
    { hint: 'give more characters of the one you mean' },
  )
}

function notAnId(text: string): SentinelError {
  return new SentinelError('USAGE', `not the id of a break-glass event: "${text}"`, {
    hint: 'ids are 20 of a–z and 2–7, or their first 4 or more: sentinel breakglass list',
  })
}
