import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import { HOUR, MINUTE, SECOND } from '../../src/domain/time.ts'
import {
  type DynamoDBLocal,
  missingDynamoDBLocal,
  openDynamoDBLocal,
} from '../fixtures/dynamodb-local.ts'
import { eventually } from '../fixtures/interop/gateway.ts'
import {
  BREAKING,
  type Document,
  type GrantTables,
  openLocalGrantTables,
  openMotoGrantTables,
} from '../fixtures/interop/grant-tables.ts'
import { openMoto } from '../fixtures/moto.ts'
import { missing } from '../fixtures/tools.ts'

const OBEYED_WITHIN_MS = 5 * SECOND
const JSON_OUTPUT = ['--output', 'json']

suite('break-glass in DynamoDB Local', { skip: await missingDynamoDBLocal() }, () => {
  let local: DynamoDBLocal
  before(async () => {
    local = await openDynamoDBLocal()
  })
  after(() => local?.[Symbol.asyncDispose]())

  for (const count of [2, 16]) {
    test(`of ${count} at the same time, one begins and the others are told when`, async () => {
      await using tables = await openLocalGrantTables(local)
      const all = Array.from({ length: count }, () => [...BREAKING, ...JSON_OUTPUT])

      const results = await Promise.all(all.map((words) => tables.as('alice', words)))

      const won = results.filter(({ status }) => status === 0)
      const [{ stdout } = { stdout: '' }] = won
      const statuses = results.map(({ status }) => status).toSorted()
      const expected = [0, ...Array.from({ length: count - 1 }, () => 3)]
      assert.deepEqual(statuses, expected, results.map(({ stderr }) => stderr).join(''))
      const { id, started_at } = eventIn(JSON.parse(stdout))
      const again = Date.parse(String(started_at)) + 24 * HOUR
      for (const { stdout: said, stderr } of results.filter(({ status }) => status === 3)) {
        assert.equal(said, '')
        const [, time = ''] = /: not again before (\S+)$/m.exec(stderr) ?? []
        // Told in whole seconds, never too early.
        const early = again - Date.parse(time)
        assert.ok(early <= 0 && early > -SECOND, stderr)
        assert.match(stderr, new RegExp(`^hint: use event ${id}, .* or try again at ${time}`, 'm'))
      }
      const listed = await tables.as('bob', ['breakglass', 'list', ...JSON_OUTPUT])
      assert.deepEqual(
        (JSON.parse(listed.stdout) as Document[]).map((event) => event.id),
        [id],
      )
    })
  }

  test('gives access until it is closed, and is reviewed by somebody else', async () => {
    await using tables = await openLocalGrantTables(local)
    await playStory(tables)
  })
})

suite('break-glass with moto for AWS', { skip: missing('moto_server') }, () => {
  test('gives access until it is closed, and is reviewed by somebody else', async () => {
    await using moto = await openMoto()
    await using tables = await openMotoGrantTables(moto)
    await playStory(tables)
  })
})

async function playStory(tables: GrantTables): Promise<void> {
  const begun = eventIn(await tables.told('alice', BREAKING))
  const id = String(begun.id)
  const gateway = await tables.serve()
  const { status, body } = await gateway.ask()
  assert.equal(status, 200)
  const ends = Date.parse(String(begun.ends_at))
  assert.ok(ends <= Date.now() + 30 * MINUTE)
  assert.ok(Date.parse(body.Expiration ?? '') < ends)

  await tables.told('alice', ['breakglass', 'close', id, '--reason', 'mended'])
  const refused = await eventually(
    'a refusal',
    async () => {
      const answer = await gateway.ask()
      return answer.status === 403 && answer
    },
    OBEYED_WITHIN_MS,
  )
  assert.match(refused.body.Message ?? '', /rule "prod" requires approval/)
  assert.equal((await gateway.end()).status, 0)

  const reviewing = ['breakglass', 'review', id, '--outcome', 'justified', '--comment', 'seen']
  const own = await tables.as('alice', reviewing)
  assert.deepEqual([own.status, own.stdout], [3, ''])
  const reviewed = eventIn(await tables.told('bob', reviewing))
  assert.partialDeepStrictEqual(reviewed, { id, status: 'reviewed' })
  const records = tables.scene.log()
  const started = records.find(({ type }) => type === 'break_glass.started')
  assert.equal(started?.subject_id, id)
  const issued = records.find(({ grant_id }) => grant_id === id)
  assert.equal(issued?.basis, 'break_glass')
}

/** The event that a command's document is about. */
function eventIn(document: Document): Document {
  return document.event as Document
}
