/**
 * The AWS JSON 1.1 protocol, which SSM speaks: JSON in, JSON out, the operation in a header.
 *
 * @module
 */

import { AWSError } from './aws-error.ts'
import { headerOf } from './sigv4.ts'
import type { Protocol } from './wire-call.ts'

/** What this protocol calls the refusals that the query protocol has another name for. */
const NAMES: Readonly<Record<string, string>> = {
  AccessDenied: 'AccessDeniedException',
  ExpiredToken: 'ExpiredTokenException',
  IncompleteSignature: 'IncompleteSignatureException',
  InternalFailure: 'InternalServerError',
  InvalidAction: 'UnknownOperationException',
  InvalidClientTokenId: 'UnrecognizedClientException',
  MissingAuthenticationToken: 'MissingAuthenticationTokenException',
  SignatureDoesNotMatch: 'InvalidSignatureException',
  Throttling: 'ThrottlingException',
  ValidationError: 'ValidationException',
}

export const jsonProtocol: Protocol = {
  contentType: 'application/x-amz-json-1.1',

  parse(request) {
    const target = headerOf(request, 'x-amz-target') ?? ''
    const [service, operation = ''] = target.split('.', 2)
    return {
      operation,
      unknown: () => new AWSError('InvalidAction', ''),
      isKnownVersion: service === 'AmazonSSM',
      read: () => parseBody(request.body),
    }
  },

  result: (_operation, result) => JSON.stringify(result),

  error: ({ code, message, status }) => ({
    // Every fault of the caller is a 400 here, the refused signatures too.
    status: status < 500 ? 400 : status,
    // AWS leaves out a message that it has not.
    body: JSON.stringify({ __type: NAMES[code] ?? code, message: message || undefined }),
  }),
}

function parseBody(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'))
  } catch {
    throw new AWSError('SerializationException', '')
  }
}
