import { HOUR, SECOND } from '../../domain/time.ts'
import type { Anchor, AnchorStore } from '../../ports/anchor-store.ts'
import { type Item, integer, openRow, text, time } from './attributes.ts'
import { IndexWalk, readAhead } from './index-walk.ts'
import { DynamoDBTable, type TableAccess } from './table.ts'

/** How long an anchor is kept after its last write. */
const KEPT = 400 * 24 * HOUR

/** Keeps anchors in a DynamoDB table, `ANCHORS_TABLE`: one row a stream, `anchor#<stream>`. */
export class DynamoDBAnchorStore implements AnchorStore {
  readonly location: string
  readonly #table: DynamoDBTable

  constructor(access: Omit<TableAccess, 'kind'>) {
    this.location = access.location
    this.#table = new DynamoDBTable({ ...access, kind: 'anchors' })
  }

  async put(anchor: Anchor, signal: AbortSignal): Promise<'written' | 'stale'> {
    const { head, host, log, at } = anchor
    const set = {
      stream: text(head.stream),
      seq: integer(head.seq),
      hash: text(head.hash),
      host: text(host),
      log: text(log),
      created_at: time(at),
      updated_at: time(at),
      ttl: integer(Math.ceil((at + KEPT) / SECOND)),
    }
    const condition = 'attribute_not_exists(#id) OR #seq < :seq'
    // What the index sorts by stays, so that an anchor that moves on costs no write of the index.
    const change = { set, once: ['created_at'], condition }
    const { isMade } = await this.#table.update(keyOf(head.stream), change, signal)
    return isMade ? 'written' : 'stale'
  }

  async *list(host: string, signal: AbortSignal): AsyncGenerator<Anchor> {
    const walk = new IndexWalk(this.#table, { sort: 'created_at', signal })
    const entries = walk.under('gsi-host', 'host', host)
    for await (const items of readAhead(this.#table, entries, { signal })) {
      yield* items.map((item) => fromItem(item, this.location))
    }
  }
}

function keyOf(stream: string): string {
  return `anchor#${stream}`
}

/** Reads a row back. Throws `STORE_INVALID` for what Sentinel has not written. */
function fromItem(item: Item, location: string): Anchor {
  const row = openRow(item, location)
  const formed = (name: string, form: RegExp): string => {
    const value = row.text(name)
    if (form.test(value)) return value
    throw row.invalid(`${name} is not of its form`)
  }
  const stream = formed('stream', /^[a-z2-7]{20}$/)
  if (row.text('id') !== keyOf(stream)) throw row.invalid('its id is not that of its stream')
  const seq = row.integer('seq')
  if (seq === 0) throw row.invalid('seq is not that of a record')
  return {
    head: { stream, seq, hash: formed('hash', /^[0-9a-f]{64}$/) },
    host: row.text('host'),
    log: formed('log', /^[0-9a-f]{16}$/),
    at: row.instant('updated_at'),
  }
}
