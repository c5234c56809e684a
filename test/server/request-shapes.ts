/**
 * Shapes of requests: the few that are served, as the SDKs send them, and the many that are not.
 *
 * @module
 */
import { TOKEN } from './gateway.ts'

export interface Shape {
  readonly name: string
  readonly line: string
  readonly headers: readonly string[]
  readonly body?: string
}

const LINE = 'GET /credentials HTTP/1.1'

/** What each SDK sends: botocore, JavaScript, Java as captured, the others as in their source. */
const SDKS: Record<string, (host: string) => string[]> = {
  botocore: (host) => [
    `Host: ${host}`,
    'Accept-Encoding: identity',
    'User-Agent: python-urllib3/2.7.0',
    'Accept: application/json',
    `Authorization: ${TOKEN}`,
  ],
  'JavaScript v3': (host) => [`Authorization: ${TOKEN}`, `Host: ${host}`, 'Connection: keep-alive'],
  'JavaScript v2': (host) => [
    'User-Agent: aws-sdk-nodejs/2.1692.0 linux/v22.0.0 promise',
    `Authorization: ${TOKEN}`,
    'Content-Length: 0',
    `Host: ${host}`,
    'Connection: close',
  ],
  'Go v2': (host) => [
    `Host: ${host}`,
    'User-Agent: aws-sdk-go-v2/1.17.0 os/linux lang/go#1.22 md/GOOS#linux md/GOARCH#amd64',
    'Accept: application/json',
    'Amz-Sdk-Invocation-Id: 2d7c4b1e-9a57-4c3e-8f57-3cb8b9ce0a41',
    'Amz-Sdk-Request: attempt=1; max=3',
    `Authorization: ${TOKEN}`,
    'Accept-Encoding: gzip',
  ],
  'Java v2': (host) => [
    'User-Agent: aws-sdk-java/2.31.0 md/io#sync md/http#UrlConnection',
    'Accept: */*',
    `Authorization: ${TOKEN}`,
    `Host: ${host}`,
    'Connection: keep-alive',
  ],
  Rust: (host) => [
    'accept: application/json',
    `authorization: ${TOKEN}`,
    'user-agent: aws-sdk-rust/1.3.3 os/linux lang/rust/1.82.0',
    `host: ${host}`,
  ],
  '.NET': (host) => [`Host: ${host}`, `Authorization: ${TOKEN}`, 'Accept-Encoding: gzip, deflate'],
  Ruby: (host) => [
    'Accept-Encoding: gzip;q=1.0,deflate;q=0.6,identity;q=0.3',
    'Accept: */*',
    'User-Agent: aws-sdk-ruby3/3.209.1',
    `Authorization: ${TOKEN}`,
    `Host: ${host}`,
  ],
}

/** One for each SDK. */
export function servedShapes(port: number): Shape[] {
  return Object.entries(SDKS).map(([name, headersFor]) => ({
    name,
    line: LINE,
    headers: headersFor(`127.0.0.1:${port}`),
  }))
}

/** Each SDK's request with one thing wrong. */
export function refusedShapes(port: number): Shape[] {
  return servedShapes(port).flatMap((shape) => [
    ...LINES.map((line) => ({ ...shape, name: `${shape.name}: ${line}`, line })),
    ...headerFaults(port).map(([name, change, body]) => ({
      ...shape,
      name: `${shape.name}: ${name}`,
      headers: change(shape.headers),
      ...(body !== undefined && { body }),
    })),
  ])
}

const METHODS =
  'HEAD POST PUT PATCH DELETE OPTIONS TRACE CONNECT PROPFIND PURGE SEARCH QUERY M-SEARCH LINK ' +
  'BREW get Get GETX PRI SOURCE'
const TARGETS =
  '/ /credentials/ //credentials /Credentials /CREDENTIALS /credential /credentialss ' +
  '/./credentials /x/../credentials /credentials? /credentials?a=b /credentials#x ' +
  '/credentials%20 /%63redentials /credentials;x /credentials\\ * credentials ' +
  'http://127.0.0.1/credentials http://localhost/credentials https://127.0.0.1/credentials ' +
  '//127.0.0.1/credentials /favicon.ico /latest/meta-data/'
const VERSIONS =
  'HTTP/0.9 HTTP/1.0 HTTP/1.2 HTTP/1.10 HTTP/2.0 HTTP/2 HTTP/3.0 http/1.1 HTTPS/1.1 X'

// Two spaces in a row are not here: Node's parser reads them as one before anybody can see them.
const LINES = [
  ...METHODS.split(' ').map((method) => `${method} /credentials HTTP/1.1`),
  ...TARGETS.split(' ').map((target) => `GET ${target} HTTP/1.1`),
  ...VERSIONS.split(' ').map((version) => `GET /credentials ${version}`),
  'GET /credentials',
  'GET',
  'GET /credentials HTTP/1.1 ',
  ' GET /credentials HTTP/1.1',
  'GET\t/credentials\tHTTP/1.1',
]

type Change = (headers: readonly string[]) => readonly string[]

const add =
  (...lines: string[]): Change =>
  (headers) => [...headers, ...lines]

const replace =
  (name: string, ...lines: string[]): Change =>
  (headers) => [
    ...headers.filter((header) => !header.toLowerCase().startsWith(`${name}:`)),
    ...lines,
  ]

/** What an SDK never sends, and what would turn up if a browser or a proxy sent the request. */
const FOREIGN = [
  'Origin: http://127.0.0.1',
  'Origin: null',
  'Referer: http://127.0.0.1/',
  'Cookie: a=b',
  'Sec-Fetch-Site: none',
  'Sec-Fetch-Mode: no-cors',
  'Sec-Fetch-Dest: image',
  'Sec-CH-UA: "x"',
  'sec-websocket-key: x',
  'Access-Control-Request-Method: GET',
  'Access-Control-Request-Private-Network: true',
  'X-Forwarded-For: 127.0.0.1',
  'X-Forwarded-Host: 127.0.0.1',
  'x-forwarded-proto: http',
  'Forwarded: for=127.0.0.1',
  'Via: 1.1 x',
  'Proxy-Connection: keep-alive',
  'Proxy-Authorization: x',
  'Upgrade: websocket',
  'Upgrade: h2c',
  'HTTP2-Settings: x',
  'Expect: 100-continue',
  'Expect: x',
  'Trailer: x',
]

function headerFaults(port: number): [name: string, change: Change, body?: string][] {
  const address = `127.0.0.1:${port}`
  const hosts = [
    '127.0.0.1',
    `localhost:${port}`,
    `LOCALHOST:${port}`,
    `127.1:${port}`,
    `127.0.0.2:${port}`,
    `0.0.0.0:${port}`,
    `2130706433:${port}`,
    `0x7f.0.0.1:${port}`,
    `[::1]:${port}`,
    `[::ffff:127.0.0.1]:${port}`,
    `127.0.0.1:${port + 1}`,
    `127.0.0.1:0${port}`,
    `127.0.0.1.:${port}`,
    `user@${address}`,
    `http://${address}`,
    `${address}, ${address}`,
    `${address}/`,
    `rebound.example:${port}`,
    '',
  ]
  return [
    ...hosts.map((host): [string, Change] => [`Host ${host}`, replace('host', `Host: ${host}`)]),
    ['no Host', replace('host')],
    ['the Host twice', add(`Host: ${address}`)],
    ['a second Host', add('Host: rebound.example')],
    ['a Host with a space before the colon', replace('host', `Host : ${address}`)],
    ['a Host folded over two lines', replace('host', 'Host:', ` ${address}`)],
    ...FOREIGN.map((line): [string, Change] => [line, add(line)]),
    ['an upgrade', add('Connection: Upgrade', 'Upgrade: websocket')],
    ['no token', replace('authorization')],
    ['the token twice', add(`Authorization: ${TOKEN}`)],
    ['the token and another', add('Authorization: x')],
    ['an empty token', replace('authorization', 'Authorization:')],
    ['the token with a scheme', replace('authorization', `Authorization: Bearer ${TOKEN}`)],
    ['half of the token', replace('authorization', `Authorization: ${TOKEN.slice(0, 20)}`)],
    ['the token in upper case', replace('authorization', `Authorization: ${TOKEN.toUpperCase()}`)],
    ['the token under another name', replace('authorization', `X-Authorization: ${TOKEN}`)],
    ['a body', replace('content-length', 'Content-Length: 5'), 'hello'],
    ['a body that does not come', replace('content-length', 'Content-Length: 05')],
    ['two lengths', replace('content-length', 'Content-Length: 0', 'Content-Length: 0')],
    ['a length that is no number', replace('content-length', 'Content-Length: +0')],
    ['an empty chunked body', add('Transfer-Encoding: chunked'), '0\r\n\r\n'],
    ['a chunked body', add('Transfer-Encoding: chunked'), '5\r\nhello\r\n0\r\n\r\n'],
    ['another coding', add('Transfer-Encoding: identity')],
    [
      'a coding after a length',
      add('Content-Length: 0', 'Transfer-Encoding: chunked'),
      '0\r\n\r\n',
    ],
    ['a header name with a space', add('A B: c')],
    ['a header without a colon', add('nonsense')],
    ['a header value with NUL', add('A: b\0c')],
    ['a header value with a bare CR', add('A: b\rOrigin: c')],
    ['65 headers', add(...Array.from({ length: 65 }, (_, index) => `H${index}: x`))],
    ['1,000 headers', add(...Array.from({ length: 1000 }, () => 'a:'), 'Origin: x')],
    ['headers of 64 KiB', add(`A: ${'x'.repeat(65_536)}`)],
  ]
}
