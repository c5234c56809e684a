import type { BreakGlassEvent, BreakGlassId } from '../../domain/break-glass.ts'
import { SentinelError } from '../../errors.ts'
import { text } from './attributes.ts'
import { eventIdIn, eventKey } from './break-glass-item.ts'
import type { DynamoDBTable } from './table.ts'

const MOST_FOUND = 10

/** More than any command comes by; what is forgotten is looked up again. */
const MOST_REMEMBERED = 10_000

/**
 * The keys of events by their ids. A key has the invoker's UserId before the id, so it is looked
 * up in an index, and remembered: it never changes.
 */
export class EventKeys {
  readonly #table: DynamoDBTable
  readonly #known = new Map<BreakGlassId, string>()

  constructor(table: DynamoDBTable) {
    this.#table = table
  }

  remember(event: BreakGlassEvent): void {
    if (this.#known.size >= MOST_REMEMBERED) this.#known.clear()
    this.#known.set(event.id, eventKey(event))
  }

  /**
   * Rejects with `STORE_INVALID` when several people have an event of this id: one of them has
   * made it up, and nothing tells which.
   */
  async find(id: BreakGlassId, signal: AbortSignal): Promise<string | undefined> {
    const known = this.#known.get(id)
    if (known !== undefined) return known
    const keys: string[] = []
    for await (const key of this.#search(id, signal)) keys.push(key)
    const [key, other] = keys
    if (key === undefined) return undefined
    if (other !== undefined) throw this.#ambiguous(id, keys)
    this.#known.set(id, key)
    return key
  }

  /** The ids that begin with `prefix`, at most 10. */
  async begin(prefix: string, signal: AbortSignal): Promise<readonly BreakGlassId[]> {
    const found = new Set<BreakGlassId>()
    for await (const key of this.#search(prefix, signal)) {
      const id = eventIdIn(key)
      if (id) found.add(id)
      if (found.size === MOST_FOUND) break
    }
    return [...found]
  }

  /** The keys of all events whose ids begin so. */
  async *#search(prefix: string, signal: AbortSignal): AsyncGenerator<string> {
    const values = { part: text(`#${prefix}`) }
    const filter = 'contains(#id, :part)'
    for await (const page of this.#table.scan({ index: 'gsi-day', filter, values }, signal)) {
      const keys = page.flatMap(({ id }) => id?.S ?? [])
      yield* keys.filter((key) => eventIdIn(key)?.startsWith(prefix))
    }
  }

  #ambiguous(id: BreakGlassId, keys: readonly string[]): SentinelError {
    const rows = keys.toSorted().join(' and ')
    const message = `${this.#table.location} has the break-glass event ${id} twice: ${rows}`
    return new SentinelError('STORE_INVALID', message, {
      hint: 'find out from CloudTrail who wrote them, and delete the one that was made up',
    })
  }
}
