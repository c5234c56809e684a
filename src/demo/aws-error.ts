/**
 * A refusal as AWS sends it. The code is the one of the query protocol (STS); the JSON protocol
 * renames what it calls differently.
 */
export class AWSError extends Error {
  override readonly name = 'AWSError'
  readonly code: string
  readonly status: number

  constructor(code: string, message: string, status = 400) {
    super(message)
    this.code = code
    this.status = status
  }
}

/** The 403 of a principal that may not do `action` on `resource`, in AWS's words. */
export function accessDenied(callerArn: string, action: string, resource: string): AWSError {
  return new AWSError(
    'AccessDenied',
    `User: ${callerArn} is not authorized to perform: ${action} on resource: ${resource}`,
    403,
  )
}

/** The 400 of a request that the API model does not allow, in the words given. */
export function invalid(message: string): AWSError {
  return new AWSError('ValidationError', message)
}
