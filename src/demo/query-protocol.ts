/**
 * The AWS Query protocol, which STS speaks: a form in, XML out.
 *
 * @module
 */

import { AWSError } from './aws-error.ts'
import type { WireRequest } from './loopback.ts'
import type { Shape } from './shapes.ts'
import type { Protocol } from './wire-call.ts'

const VERSION = '2011-06-15'
const NAMESPACE = `https://sts.amazonaws.com/doc/${VERSION}/`

export const queryProtocol: Protocol = {
  contentType: 'text/xml',

  parse(request) {
    const form = formOf(request)
    const operation = form.get('Action')
    if (!operation) throw new AWSError('MissingAction', 'Missing Action')
    const version = form.get('Version') || 'NO_VERSION_SPECIFIED'
    return {
      operation,
      unknown: () =>
        new AWSError(
          'InvalidAction',
          `Could not find operation ${operation} for version ${version}`,
        ),
      isKnownVersion: version === VERSION,
      read: (shape) => decode(form, shape, ''),
    }
  },

  result: (operation, result, requestId) =>
    element(`${operation}Response`, {
      [`${operation}Result`]: result,
      ResponseMetadata: { RequestId: requestId },
    }),

  error: ({ code, message, status }, requestId) => ({
    status,
    body: element('ErrorResponse', {
      Error: { Type: status < 500 ? 'Sender' : 'Receiver', Code: code, Message: message },
      RequestId: requestId,
    }),
  }),
}

/** The parameters of the form, or of the query of a GET; of two with one name the first counts. */
function formOf({ method, target, body }: WireRequest): ReadonlyMap<string, string> {
  const text = method === 'GET' ? (target.split('?', 2)[1] ?? '') : body.toString('utf8')
  const form = new Map<string, string>()
  for (const [name, value] of new URLSearchParams(text)) {
    if (!form.has(name)) form.set(name, value)
  }
  return form
}

function decode(form: ReadonlyMap<string, string>, shape: Shape, path: string): unknown {
  switch (shape.kind) {
    case 'structure': {
      const prefix = path === '' ? '' : `${path}.`
      const members = Object.entries(shape.members)
        .map(([name, member]) => [name, decode(form, member, prefix + name)] as const)
        .filter(([, value]) => value !== undefined)
      return Object.fromEntries(members)
    }
    case 'list':
      return decodeList(form, shape.of, path)
    case 'integer':
      return decodeInteger(form.get(path))
    case 'flag':
      return form.has(path) ? form.get(path) === 'true' : undefined
    case 'text':
      return form.get(path)
  }
}

function decodeList(form: ReadonlyMap<string, string>, of: Shape, path: string): unknown {
  const elements: unknown[] = []
  const has = (place: string) =>
    form.keys().some((name) => name === place || name.startsWith(`${place}.`))
  for (let place = `${path}.member.1`; has(place); ) {
    elements.push(decode(form, of, place))
    place = `${path}.member.${elements.length + 1}`
  }
  return elements.length > 0 ? elements : undefined
}

function decodeInteger(text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  if (!/^-?\d{1,15}$/.test(text)) throw new AWSError('MalformedInput', 'Not an integer')
  return Number(text)
}

function element(name: string, content: Readonly<Record<string, unknown>>): string {
  return `<${name} xmlns="${NAMESPACE}">${children(content)}</${name}>\n`
}

function children(content: Readonly<Record<string, unknown>>): string {
  return Object.entries(content)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => {
      const inner =
        typeof value === 'object' && value !== null
          ? children(value as Readonly<Record<string, unknown>>)
          : escapeText(String(value))
      return `<${name}>${inner}</${name}>`
    })
    .join('')
}

function escapeText(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
}
