import { spawnSync } from 'node:child_process'
import { mkdtempDisposableSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, suite } from 'node:test'
import { fileURLToPath } from 'node:url'
import { missing } from '../fixtures/tools.ts'
import type { Client } from './clients.ts'
import { holdToGateway } from './hold-to-gateway.ts'

const SOURCES = fileURLToPath(new URL('clients/go', import.meta.url))

/** Go as it is here: no other version of it is to be downloaded. */
const env = { ...process.env, GOTOOLCHAIN: 'local' }
const go = (...args: string[]) => spawnSync('go', args, { cwd: SOURCES, env, encoding: 'utf8' })

const skip = missing('go') || modulesMissing()

suite('in a hostile home, with the Go SDK', { concurrency: 2, skip }, () => {
  const directory = mkdtempDisposableSync(join(tmpdir(), 'sentinel-interop-'))
  const program = join(directory.path, 'ask')
  const client: Client = {
    name: 'the Go SDK',
    needs: ['go'],
    command: [program],
    userAgent: /^aws-sdk-go-v2\//,
  }
  before(() => {
    const { status, stderr } = go('build', '-buildvcs=false', '-o', program, '.')
    if (status !== 0) throw new Error(`the client does not compile: ${stderr}`)
  })
  after(() => directory.remove())
  holdToGateway([client])
})

/** On a machine without a network the SDK may not be there: that is no fault of ours. */
function modulesMissing(): string | false {
  const { status, stderr } = go('mod', 'download')
  return status === 0 ? false : `the Go SDK cannot be had: ${stderr.split('\n', 1)}`
}
