import assert from 'node:assert/strict'
import { createHash, createHmac } from 'node:crypto'
import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { suite, test } from 'node:test'
import type { StandInAWS } from '../../src/demo/stand-in-aws.ts'
import { DEMO_KEYS } from '../../src/demo/world.ts'
import { openStory } from './story.ts'

const FORM = { 'content-type': 'application/x-www-form-urlencoded; charset=utf-8' }
const UUID = '[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}'

interface Sent {
  readonly service: 'sts' | 'ssm'
  readonly method?: 'GET' | 'POST'
  /** Without the leading `/?`, as it is to be sent and, its names in order, signed. */
  readonly query?: string
  readonly headers?: Record<string, string>
  readonly body?: string
}

/** Sends a request signed by hand, as RFC-like as AWS describes it: nothing here is the SDK's. */
async function send(aws: StandInAWS, sent: Sent) {
  const { service, method = 'POST', query = '', headers = {}, body = '' } = sent
  const stamp = `${new Date().toISOString().replace(/[-:]/g, '').slice(0, 15)}Z`
  const date = stamp.slice(0, 8)
  const signed: Record<string, string> = {
    ...headers,
    host: new URL(aws.url).host,
    'x-amz-date': stamp,
  }
  const names = Object.keys(signed).toSorted()
  const sha256 = (text: string) => createHash('sha256').update(text).digest('hex')
  const hmac = (key: string | Buffer, text: string) =>
    createHmac('sha256', key).update(text).digest()
  const canonical = [
    method,
    '/',
    query,
    ...names.map((name) => `${name}:${signed[name]}`),
    '',
    names.join(';'),
    sha256(body),
  ].join('\n')
  const scope = `${date}/eu-central-1/${service}/aws4_request`
  const toSign = ['AWS4-HMAC-SHA256', stamp, scope, sha256(canonical)].join('\n')
  let key: string | Buffer = `AWS4${DEMO_KEYS.alice.secretAccessKey}`
  for (const part of scope.split('/')) key = hmac(key, part)
  const authorization =
    `AWS4-HMAC-SHA256 Credential=${DEMO_KEYS.alice.accessKeyId}/${scope},` +
    `SignedHeaders=${names.join(';')},Signature=${hmac(key, toSign).toString('hex')}`
  const { host: _, ...own } = signed
  return fetch(`${aws.url}/${query && `?${query}`}`, {
    method,
    headers: { ...own, authorization },
    ...(method === 'POST' && { body }),
  })
}

suite('the wire of the stand-in AWS', () => {
  test('STS answers the query protocol in XML, to a form and to a GET', async () => {
    await using aws = await openStory()
    const call = 'Action=GetCallerIdentity&Version=2011-06-15'
    const replies = [
      await send(aws, { service: 'sts', headers: FORM, body: call }),
      await send(aws, { service: 'sts', method: 'GET', query: call }),
    ]
    for (const reply of replies) {
      const id = reply.headers.get('x-amzn-requestid')
      assert.equal(reply.status, 200)
      assert.equal(reply.headers.get('content-type'), 'text/xml')
      assert.match(id ?? '', new RegExp(`^${UUID}$`))
      assert.match(reply.headers.get('date') ?? '', / GMT$/)
      assert.match(
        await reply.text(),
        new RegExp(
          '^<GetCallerIdentityResponse xmlns="https://sts\\.amazonaws\\.com/doc/2011-06-15/">' +
            '<GetCallerIdentityResult><Arn>arn:aws:iam::111122223333:user/alice</Arn>' +
            '<UserId>AIDA\\w{17}</UserId><Account>111122223333</Account>' +
            '</GetCallerIdentityResult>' +
            `<ResponseMetadata><RequestId>${id}</RequestId></ResponseMetadata>` +
            '</GetCallerIdentityResponse>\n$',
        ),
      )
    }
  })

  test('STS refuses in XML, with what was sent escaped', async () => {
    await using aws = await openStory()
    const body = 'Action=GetSessionToken&Version=2011-06-15&SerialNumber=a%3Cb%3E%26%22aaaaaaaaa'
    const reply = await send(aws, { service: 'sts', headers: FORM, body })
    assert.equal(reply.status, 400)
    assert.equal(
      await reply.text(),
      '<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type>' +
        '<Code>ValidationError</Code><Message>1 validation error detected: ' +
        "Value 'a&lt;b&gt;&amp;&quot;aaaaaaaaa' at 'serialNumber' failed to satisfy constraint: " +
        'Member must satisfy regular expression pattern: [\\w+=/:,.@-]*</Message></Error>' +
        `<RequestId>${reply.headers.get('x-amzn-requestid')}</RequestId></ErrorResponse>\n`,
    )
  })

  test('SSM answers and refuses in JSON 1.1', async () => {
    await using aws = await openStory()
    aws.putParameter('x', 'y')
    const headers = {
      'content-type': 'application/x-amz-json-1.1',
      'x-amz-target': 'AmazonSSM.GetParameter',
    }
    const get = (body: string) => send(aws, { service: 'ssm', headers, body })
    const reply = await get('{"Name":"x"}')
    assert.equal(reply.headers.get('content-type'), 'application/x-amz-json-1.1')
    assert.match(reply.headers.get('x-amzn-requestid') ?? '', new RegExp(`^${UUID}$`))
    const { Parameter } = (await reply.json()) as { Parameter: Record<string, unknown> }
    assert.equal(typeof Parameter.LastModifiedDate, 'number')
    assert.equal(Parameter.Value, 'y')

    const bodies: [sent: string, type: string][] = [
      ['{"Name":"missing"}', 'ParameterNotFound'],
      ['{"Name":', 'SerializationException'],
      ['{"Name":1}', 'SerializationException'],
      ['[]', 'SerializationException'],
      ['{}', 'ValidationException'],
    ]
    for (const [sent, type] of bodies) {
      const refused = await get(sent)
      assert.equal(refused.status, 400)
      assert.equal(((await refused.json()) as { __type: string }).__type, type, sent)
    }
    assert.equal(await (await get('{"Name":"missing"}')).text(), '{"__type":"ParameterNotFound"}')
  })

  test('of two parameters with one name the first counts', async () => {
    await using aws = await openStory()
    const call = 'Action=GetSessionToken&Version=2011-06-15&DurationSeconds='
    const ask = (durations: string) =>
      send(aws, { service: 'sts', headers: FORM, body: call + durations })
    assert.equal((await ask('900&DurationSeconds=1')).status, 200)
    assert.equal((await ask('1&DurationSeconds=900')).status, 400)
    assert.match(await (await ask('9e2')).text(), /<Code>MalformedInput<\/Code>/)
  })

  test('whatever else is asked gets an error of AWS, unsigned too', async () => {
    await using aws = await openStory()
    const cases: [path: string, init: RequestInit, status: number, body: RegExp][] = [
      ['/', {}, 400, /<Code>MissingAction<\/Code>/],
      ['/', { method: 'DELETE' }, 400, /<Code>MissingAction<\/Code>/],
      [
        '/?Action=AssumeEverything&Version=2011-06-15',
        {},
        400,
        /<Code>InvalidAction<\/Code><Message>Could not find operation AssumeEverything for version 2011-06-15</,
      ],
      [
        '/?Action=GetCallerIdentity',
        {},
        400,
        /Could not find operation GetCallerIdentity for version NO_VERSION_SPECIFIED</,
      ],
      ['/?Action=__proto__&Version=2011-06-15', {}, 400, /<Code>InvalidAction</],
      [
        '/?Action=GetCallerIdentity&Version=2011-06-15',
        {},
        403,
        /<Code>MissingAuthenticationToken</,
      ],
      ['/?Action=AssumeRole&Version=2011-06-15', {}, 403, /<Code>MissingAuthenticationToken</],
      [
        '/?Action=AssumeRoleWithWebIdentity&Version=2011-06-15',
        {},
        400,
        /3 validation errors detected: Value null at 'roleArn'/,
      ],
      ['/', { method: 'POST', body: 'x'.repeat(300_000) }, 413, /<Code>RequestEntityTooLarge</],
      [
        '/',
        { method: 'POST', headers: { 'x-amz-target': 'DynamoDB_20120810.GetItem' }, body: '{}' },
        400,
        /^\{"__type":"UnknownOperationException"\}$/,
      ],
      [
        '/',
        { method: 'POST', headers: { 'x-amz-target': 'AmazonSSM.constructor' }, body: '{}' },
        400,
        /^\{"__type":"UnknownOperationException"\}$/,
      ],
    ]
    for (const [path, init, status, body] of cases) {
      const reply = await fetch(aws.url + path, init)
      assert.equal(reply.status, status, path)
      assert.match(await reply.text(), body)
    }
    assert.equal(aws.journal.length, cases.length)
  })

  test('bytes that are no HTTP get 400 and a closed connection', async () => {
    await using aws = await openStory()
    const { hostname, port } = new URL(aws.url)
    const socket = connect(Number(port), hostname)
    socket.end('hello, AWS\r\n\r\n')
    assert.match(await text(socket), /^HTTP\/1\.1 400 /)
  })

  test('it listens on 127.0.0.1 and nowhere else, until it is disposed', async () => {
    await using aws = await openStory()
    assert.match(aws.url, /^http:\/\/127\.0\.0\.1:\d+$/)
    const elsewhere = aws.url.replace('127.0.0.1', '127.0.0.2')
    await assert.rejects(fetch(elsewhere), { name: 'TypeError' })
    await aws[Symbol.asyncDispose]()
    await assert.rejects(fetch(aws.url), { name: 'TypeError' })
  })
})
