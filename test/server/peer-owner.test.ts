import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { networkInterfaces } from 'node:os'
import { suite, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { identifyPeers } from '../../src/server/peer-owner.ts'
import {
  exchange,
  goodHeaders,
  openGateway,
  REFUSAL,
  requestText,
  splitAnswers,
} from './gateway.ts'

const HEADER =
  '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt ' +
  '  uid  timeout inode\n'

interface Row {
  readonly local?: string
  readonly remote?: string
  readonly uid?: number
  readonly inode?: number
}

const CLIENT = '0100007F:9C40'
const SERVER = '0100007F:1F90'
const MAPPED = '0000000000000000FFFF0000'

/** A row as the kernel writes it: by default uid 1000's client, port 40000 to our port 8080. */
function row({ local = CLIENT, remote = SERVER, uid = 1000, inode = 74565 }: Row = {}): string {
  return (
    `   0: ${local} ${remote} 01 00000000:00000000 00:00000000 00000000 ` +
    `${String(uid).padStart(5)}        0 ${inode} 1 0000000000000000 20 4 30 10 -1\n`
  )
}

const connection = { remoteAddress: '127.0.0.1', remotePort: 40_000, localPort: 8080 }

/** Asks for {@link connection}, with uid 1000 as ours. Each look finds the next of `tables`. */
function identify(...tables: string[]): Promise<string> {
  const readTables = async () => HEADER + (tables.length > 1 ? tables.shift() : tables[0])
  return identifyPeers({ uid: 1000, readTables })(connection)
}

suite('identifyPeers', () => {
  const ours = row({ local: SERVER, remote: CLIENT, uid: 1000 })
  const cases: [what: string, tables: string, peer: string][] = [
    ['our own user', row(), 'same'],
    ['root', row({ uid: 0 }), 'same'],
    ['another user', row({ uid: 1001 }), 'other'],
    ['a user whose id begins with ours', row({ uid: 10_001 }), 'other'],
    ['a socket that its owner has closed, which shows uid 0', row({ uid: 0, inode: 0 }), 'other'],
    ['a v4-mapped client', row({ local: MAPPED + CLIENT, remote: MAPPED + SERVER }), 'same'],
    [
      'a v4-mapped client of another user',
      row({ local: MAPPED + CLIENT, remote: MAPPED + SERVER, uid: 7 }),
      'other',
    ],
    ['nobody, in an empty table', '', 'unknown'],
    ['nobody, when only our end is there', ours, 'unknown'],
    ['nobody, when the port is another', row({ local: '0100007F:9C41' }), 'unknown'],
    ['nobody, when the address is another', row({ local: '0200007F:9C40' }), 'unknown'],
    ['nobody, when the connection goes elsewhere', row({ remote: '0100007F:1F91' }), 'unknown'],
    ['the one among others', row({ local: '0100007F:0001', uid: 5 }) + ours + row(), 'same'],
    ['another user, when there are two rows', row() + row({ uid: 1001 }), 'other'],
  ]
  for (const [what, tables, peer] of cases) {
    test(`finds ${what}: ${peer}`, async () => {
      assert.equal(await identify(tables), peer)
    })
  }

  test('looks once more for a row that slipped between two pieces of the table', async () => {
    assert.equal(await identify('', row({ uid: 1001 })), 'other')
  })

  test('knows nobody when the tables cannot be read', async () => {
    const readTables = () => Promise.reject(new Error('ENOENT'))
    assert.equal(await identifyPeers({ uid: 1000, readTables })(connection), 'unknown')
  })

  test('serves nobody who is gone', async () => {
    const readTables = async () => row()
    const identifyPeer = identifyPeers({ uid: 1000, readTables })
    assert.equal(await identifyPeer({ ...connection, remoteAddress: undefined }), 'other')
  })

  test('lets all that wait share one read, and none one that had begun before', async () => {
    let reads = 0
    const readTables = async () => {
      reads += 1
      // Only the second read sees the rows.
      const text = reads === 1 ? '' : row()
      await sleep(5)
      return text
    }
    const identifyPeer = identifyPeers({ uid: 1000, readTables })

    const first = identifyPeer({ ...connection, localPort: 1 })
    const others = Array.from({ length: 100 }, () => identifyPeer(connection))
    assert.deepEqual(new Set(await Promise.all(others)), new Set(['same']))
    assert.equal(await first, 'unknown')
    // One for the first, one for the others, and the second look of the first.
    assert.equal(reads, 3)
  })
})

const isRoot = process.geteuid?.() === 0
const onLinux = { skip: process.platform !== 'linux' && 'there is no /proc/net/tcp' }
const asRoot = { skip: onLinux.skip || (!isRoot && 'only root can become another user') }
const hasIPv6 = Object.values(networkInterfaces())
  .flat()
  .some((address) => address?.family === 'IPv6')
const overIPv6 = { skip: !hasIPv6 && 'IPv6 is off' }
const NOBODY = 65_534

const real = { platform: process.platform, uid: process.geteuid?.() }

/** Sends a request as `uid`, by a program that is on every Linux with bash. */
async function requestAs(uid: number, port: number, headers: string[]): Promise<string> {
  const script = 'exec 3<>/dev/tcp/127.0.0.1/$0; printf %s "$1" >&3; cat <&3'
  const text = requestText(port, { headers: [...headers, 'Connection: close'] })
  const child = spawn('bash', ['-c', script, String(port), text], {
    uid,
    gid: uid,
    cwd: '/',
    env: {},
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let received = ''
  child.stdout.on('data', (chunk: Buffer) => {
    received += chunk.toString('latin1')
  })
  await once(child, 'close')
  return received
}

suite('the peer of a real connection', () => {
  test('is served as the same user', onLinux, async () => {
    await using gateway = await openGateway(real)
    const text = requestText(gateway.port)
    const [answer] = splitAnswers(await exchange(gateway.port, text, { answers: 1 }))
    assert.equal(answer?.status, 200)
    assert.deepEqual(gateway.peers, ['same'])
  })

  test('is looked up once a connection', onLinux, async () => {
    await using gateway = await openGateway(real)
    const text = requestText(gateway.port)
    const received = await exchange(gateway.port, text.repeat(3), { answers: 3 })
    assert.deepEqual(
      splitAnswers(received).map(({ status }) => status),
      [200, 200, 200],
    )
    assert.deepEqual(gateway.peers, ['same', 'same', 'same'])
  })

  test('is found when it came through IPv6', onLinux.skip ? onLinux : overIPv6, async () => {
    await using gateway = await openGateway(real)
    const text = requestText(gateway.port)
    const received = await exchange(gateway.port, text, { host: '::ffff:127.0.0.1', answers: 1 })
    assert.equal(splitAnswers(received)[0]?.status, 200)
    assert.deepEqual(gateway.peers, ['same'])
  })

  test('is refused as another user, with the token and without', asRoot, async () => {
    await using gateway = await openGateway(real)
    const withToken = goodHeaders(gateway.port)
    const without = withToken.filter((header) => !header.startsWith('Authorization'))
    assert.equal(await requestAs(NOBODY, gateway.port, withToken), REFUSAL)
    assert.equal(await requestAs(NOBODY, gateway.port, without), REFUSAL)
    assert.deepEqual(gateway.peers, [])
  })

  test('is served as root, and as whoever we are', asRoot, async () => {
    await using gateway = await openGateway({ ...real, uid: NOBODY })
    for (const uid of [0, NOBODY]) {
      const received = await requestAs(uid, gateway.port, goodHeaders(gateway.port))
      assert.equal(splitAnswers(received)[0]?.status, 200)
    }
    assert.deepEqual(gateway.peers, ['same', 'same'])
  })
})
