/**
 * Whose the other end of a loopback connection is, from the kernel's tables of TCP sockets:
 *
 *     sl  local_address rem_address   st tx_queue:rx_queue tr:tm->when retrnsmt   uid timeout inode
 *      0: 0100007F:9C40 0100007F:1F90 01 00000000:00000000 00:00000000 00000000  1000       0 74565
 *
 * The client's socket is the row whose local end is our remote end. A client that came through an
 * IPv6 socket (Java and Go do) stands in the second table only, with both addresses v4-mapped.
 *
 * @module
 */

/**
 * `same`: our own user, or root, which could read the token anyway. `unknown`: the platform has no
 * such tables or the row was not in them, so the token alone decided. `other`: to be refused.
 */
export type Peer = 'same' | 'unknown' | 'other'

/** A connection as the server sees it. Its own end is always on 127.0.0.1. */
export interface Connection {
  /** Undefined once the client is gone. */
  readonly remoteAddress?: string | undefined
  readonly remotePort?: number | undefined
  readonly localPort?: number | undefined
}

/** Finds out whose the other end of `connection` is. Never rejects. */
export type IdentifyPeer = (connection: Connection) => Promise<Peer>

/** An {@link IdentifyPeer} for where there are no tables to look in: the token alone decides. */
export const identifyNobody: IdentifyPeer = async () => 'unknown'

/**
 * Makes an {@link IdentifyPeer} that admits `uid` and root. `readTables` gives the text of both
 * tables; one read answers every connection that waits for it.
 */
export function identifyPeers({
  uid,
  readTables,
}: {
  uid: number
  readTables: () => Promise<string>
}): IdentifyPeer {
  const read = shareReads(readTables)

  return async function identifyPeer(connection) {
    // Nobody is there to be served: whatever the tables say is about somebody else by now.
    if (connection.remoteAddress === undefined) return 'other'
    try {
      // The kernel gives the table in pieces, and a row can slip between two of them while others
      // come and go. Two looks: who wants to be overlooked must be lucky twice.
      return (
        findPeer(await read(), connection, uid) ??
        findPeer(await read(), connection, uid) ??
        'unknown'
      )
    } catch {
      return 'unknown'
    }
  }
}

function findPeer(tables: string, connection: Connection, uid: number): Peer | undefined {
  const owners = findOwners(tables, connection)
  if (owners.length === 0) return undefined
  return owners.every((owner) => isAdmitted(owner, uid)) ? 'same' : 'other'
}

interface Owner {
  readonly uid: string | undefined
  readonly inode: string | undefined
}

function isAdmitted(owner: Owner, uid: number): boolean {
  // A socket without an inode was closed by its owner, and the kernel shows uid 0 for it.
  return owner.inode !== '0' && (owner.uid === String(uid) || owner.uid === '0')
}

const LOOPBACK = '127.0.0.1'
const V4_MAPPED = '0000000000000000FFFF0000'

function findOwners(tables: string, { remoteAddress, remotePort, localPort }: Connection): Owner[] {
  const client = toHex(remoteAddress ?? '', remotePort ?? 0)
  const server = toHex(LOOPBACK, localPort ?? 0)

  return ['', V4_MAPPED].flatMap((prefix) => {
    const [, ...rows] = tables.split(` ${prefix}${client} ${prefix}${server} `)
    return rows.map((row) => {
      const [, , , , uid, , inode] = row.trimStart().split(/\s+/, 7)
      return { uid, inode }
    })
  })
}

/** `0100007F:1F90`: the kernel prints an address as a little-endian number, a port as it is. */
function toHex(address: string, port: number): string {
  const bytes = address.split('.').map((byte) => Number(byte).toString(16).padStart(2, '0'))
  return `${bytes.toReversed().join('')}:${port.toString(16).padStart(4, '0')}`.toUpperCase()
}

/**
 * Lets callers share reads. A read that had begun before a caller asked is not for that caller: it
 * may have passed the place where the caller's row stands now, and a missing row admits.
 */
function shareReads(read: () => Promise<string>): () => Promise<string> {
  let running: Promise<string> | undefined
  let next: Promise<string> | undefined

  function start(): Promise<string> {
    next = undefined
    running = read().finally(() => {
      running = undefined
    })
    return running
  }

  return function shareRead() {
    if (running === undefined) return start()
    next ??= running.then(start, start)
    return next
  }
}
