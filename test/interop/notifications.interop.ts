import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import { MINUTE } from '../../src/domain/time.ts'
import {
  type DynamoDBLocal,
  missingDynamoDBLocal,
  openDynamoDBLocal,
} from '../fixtures/dynamodb-local.ts'
import { eventually } from '../fixtures/interop/gateway.ts'
import {
  asking,
  BREAKING,
  type LocalGrantTables,
  openLocalGrantTables,
  openMotoGrantTables,
  requestIn,
} from '../fixtures/interop/grant-tables.ts'
import { openReceiver, type Try } from '../fixtures/interop/receiver.ts'
import { MOTO_ACCOUNT, MOTO_REGION, type Moto, openMoto } from '../fixtures/moto.ts'
import { missing } from '../fixtures/tools.ts'
import { isSigned } from '../notify/receivers.ts'

const SECRET = '5ac0e1f2b3d4'.repeat(5)
const SIGNING = { SENTINEL_WEBHOOK_SECRET: SECRET }

const isLocalMissing = await missingDynamoDBLocal()

suite('notifications by DynamoDB Local', { skip: isLocalMissing, concurrency: 4 }, () => {
  let local: DynamoDBLocal
  before(async () => {
    local = await openDynamoDBLocal()
  })
  after(() => local?.[Symbol.asyncDispose]())

  test('a webhook that is down for two tries gets each event once it is back', async () => {
    const downForTwo = (before: number) => (['hang up', 'fail'] as const)[before] ?? 'take'
    await using receiver = await openReceiver(downForTwo)
    const notify = telling(`webhook: ${receiver.url}/hook`)
    await using tables = await openLocalGrantTables(local, { notify })

    // No event is held up, nor is its command any less done.
    const asked = await tables.as('alice', [...asking(), '--output', 'json'], SIGNING)
    const { id } = requestIn(JSON.parse(asked.stdout))
    const broken = await tables.as('alice', BREAKING, SIGNING)
    const approved = await tables.as('bob', ['approve', String(id)], SIGNING)
    const failing = await tables.as('bob', ['notify', 'flush', '--output', 'json'], SIGNING)
    const later = await inMinutes(tables, 4, ['requests'])
    const flushed = await tables.as('bob', ['notify', 'flush', '--output', 'json'], SIGNING)

    assert.deepEqual([asked.status, broken.status, approved.status], [0, 0, 0])
    assert.match(asked.stderr, /^warning: request\.created was not announced yet/m)
    assert.equal(failing.status, 6)
    assert.equal(JSON.parse(failing.stdout).failed.length, 3)
    assert.equal(later.status, 0, later.stderr)
    assert.equal(flushed.status, 0, flushed.stderr)
    const told = ofEach(receiver.tries)
    const events = ['break_glass.started', 'request.approved', 'request.created']
    assert.deepEqual([...told.values()].map(([first]) => eventOf(first!)).toSorted(), events)
    for (const [key, tries] of told) {
      const receptions = tries.map(({ reception }) => reception)
      assert.deepEqual(receptions, ['hang up', 'fail', 'take'])
      assert.equal(new Set(tries.map(({ body }) => body)).size, 1)
      for (const { body, headers } of tries) {
        assert.equal(JSON.parse(body).id, key)
        assert.ok(isSigned(body, String(headers['sentinel-signature']), SECRET))
      }
    }
    // By a command that does something else, not by flushing alone.
    assert.ok(JSON.parse(flushed.stdout).delivered.length < events.length, flushed.stdout)
  })

  test('a command killed right after its event has it told by a later one', async () => {
    await using receiver = await openReceiver(() => 'take')
    const notify = telling(`webhook: ${receiver.url}/hook`)
    await using tables = await openLocalGrantTables(local, { notify })

    // It comes no further than its event: it does not get to read the outbox.
    tables.proxy.fail('silent', { operation: 'Query' })
    const running = tables.start('alice', asking(), SIGNING)
    await eventually('the request', async () => (await tables.filed()).length > 0)
    running.process.kill('SIGKILL')
    const { signal } = await running.ended
    tables.proxy.heal()
    const listed = await tables.as('bob', ['requests', '--format', 'json'], SIGNING)

    assert.equal(signal, 'SIGKILL')
    assert.equal(JSON.parse(listed.stdout).length, 1, listed.stderr)
    assert.deepEqual(receiver.tries.map(eventOf), ['request.created'])
  })

  test('a command killed while it tells has it told again, with the same id', async () => {
    await using receiver = await openReceiver((before) => (before === 0 ? 'hold' : 'take'))
    const notify = telling(`webhook: ${receiver.url}/hook`)
    await using tables = await openLocalGrantTables(local, { notify })

    const running = tables.start('alice', BREAKING, SIGNING)
    await eventually('the first try', async () => receiver.tries.length > 0)
    running.process.kill('SIGKILL')
    await running.ended
    const early = await tables.as('bob', ['breakglass', 'list'], SIGNING)
    const triesThen = receiver.tries.length
    const later = await inMinutes(tables, 2, ['breakglass', 'list'])

    assert.equal(early.status, 0, early.stderr)
    assert.equal(triesThen, 1)
    assert.equal(later.status, 0, later.stderr)
    const told = ofEach(receiver.tries)
    assert.deepEqual(
      [...told.values()].map((tries) => tries.map(({ reception }) => reception)),
      [['hold', 'take']],
    )
  })

  test('Slack is told in its own words, which nobody can use to call everybody', async () => {
    await using receiver = await openReceiver(() => 'take')
    const notify = telling(`slack: ${receiver.url}/services/T0/B0/x`)
    await using tables = await openLocalGrantTables(local, { notify })
    const why = ['--justification', '<!channel> come & see']

    await tables.told('alice', ['request', 'prod', '--duration', '1h', ...why], SIGNING)

    const [{ path, headers, body } = assert.fail('nothing was told'), ...more] = receiver.tries
    assert.deepEqual(more, [])
    assert.equal(path, '/services/T0/B0/x')
    assert.equal(headers['sentinel-signature'], undefined)
    const { text, ...rest } = JSON.parse(body)
    assert.deepEqual(rest, {})
    assert.match(text, /^\*.*access was requested.*\*\n/)
    assert.match(text, /&lt;!channel&gt; come &amp; see/)
    assert.doesNotMatch(text, /[<>]/)
  })
})

suite('notifications by moto', { skip: missing('moto_server') }, () => {
  test('a topic is told of each event, for its subscribers to filter', async () => {
    await using moto = await openMoto()
    const queue = await subscribe(moto, 'sentinel')
    const arn = `arn:aws:sns:${MOTO_REGION}:${MOTO_ACCOUNT}:sentinel`
    await using tables = await openMotoGrantTables(moto, { notify: telling(`sns: ${arn}`) })

    const { id } = requestIn(await tables.told('alice', asking()))
    await tables.told('bob', ['approve', String(id)])

    const messages = await received(moto, queue)
    const told = messages.map(({ Message, MessageAttributes, Subject }) => {
      const { id, event, data } = JSON.parse(String(Message))
      assert.partialDeepStrictEqual(MessageAttributes, {
        event: { Value: event },
        id: { Value: id },
      })
      return [event, data.request_id, typeof Subject]
    })
    assert.deepEqual(told.toSorted(), [
      ['request.approved', id, 'string'],
      ['request.created', id, 'string'],
    ])
  })
})

function telling(target: string): string {
  return `notify:\n  - { events: ["*"], ${target} }\n`
}

/** Runs the binary as bob when AWS's clock is some minutes ahead, as all of its parts say. */
function inMinutes({ scene, proxy, as }: LocalGrantTables, minutes: number, args: string[]) {
  scene.aws.clockOffset = minutes * MINUTE
  proxy.shiftClock(minutes * MINUTE)
  return as('bob', args, SIGNING)
}

/** Tries by the id of what they told. */
function ofEach(tries: readonly Try[]): Map<string, Try[]> {
  return Map.groupBy(tries, ({ headers }) => String(headers['sentinel-notification-id']))
}

function eventOf({ headers }: Try): string {
  return String(headers['sentinel-event'])
}

/** Makes a topic and a queue that gets all of it: the queue's address. */
async function subscribe(moto: Moto, name: string): Promise<string> {
  const topic = await ask(moto, 'sns', { Action: 'CreateTopic', Name: name })
  const queue = await ask(moto, 'sqs', { Action: 'CreateQueue', QueueName: name })
  await ask(moto, 'sns', {
    Action: 'Subscribe',
    TopicArn: element(topic, 'TopicArn'),
    Protocol: 'sqs',
    Endpoint: `arn:aws:sqs:${MOTO_REGION}:${MOTO_ACCOUNT}:${name}`,
  })
  return element(queue, 'QueueUrl')
}

async function received(moto: Moto, QueueUrl: string): Promise<Record<string, unknown>[]> {
  const answer = await ask(moto, 'sqs', {
    Action: 'ReceiveMessage',
    QueueUrl,
    MaxNumberOfMessages: '10',
  })
  const bodies = answer.matchAll(/<Body>([^<]+)<\/Body>/g)
  return [...bodies].map(([, body = '']) => JSON.parse(unescaped(body)))
}

/** One call of the query protocol, by an SDK that this package has no other use for. */
async function ask(
  { url }: Moto,
  service: 'sns' | 'sqs',
  parameters: Readonly<Record<string, string>>,
): Promise<string> {
  const scope = `admin/20260101/${MOTO_REGION}/${service}/aws4_request`
  const response = await fetch(url, {
    method: 'POST',
    headers: {
      authorization: `AWS4-HMAC-SHA256 Credential=${scope}, SignedHeaders=host, Signature=0`,
    },
    body: new URLSearchParams(parameters),
  })
  const answer = await response.text()
  if (!response.ok) throw new Error(`moto refused ${parameters.Action}: ${answer}`)
  return answer
}

function element(xml: string, name: string): string {
  const [, found] = new RegExp(`<${name}>([^<]+)</${name}>`).exec(xml) ?? []
  if (found === undefined) throw new Error(`no ${name} in ${xml}`)
  return found
}

function unescaped(xml: string): string {
  return xml
    .replaceAll('&quot;', '"')
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&amp;', '&')
}
