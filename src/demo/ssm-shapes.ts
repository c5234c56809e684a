/**
 * The requests of the SSM Parameter Store that the stand-in knows, with the constraints of the API
 * model 2014-11-06.
 *
 * @module
 */

const name = { kind: 'text', min: 1, max: 2048 } as const
const flag = { kind: 'flag' } as const

export const GET_PARAMETER = {
  kind: 'structure',
  required: ['Name'],
  members: { Name: name, WithDecryption: flag },
} as const

export const GET_PARAMETERS = {
  kind: 'structure',
  required: ['Names'],
  members: { Names: { kind: 'list', min: 1, max: 10, of: name }, WithDecryption: flag },
} as const

export const PUT_PARAMETER = {
  kind: 'structure',
  required: ['Name', 'Value'],
  members: {
    Name: name,
    Description: { kind: 'text', max: 1024 },
    Value: { kind: 'text', isSensitive: true },
    Type: { kind: 'text', oneOf: ['SecureString', 'StringList', 'String'] },
    Overwrite: flag,
    Tier: { kind: 'text', oneOf: ['Standard', 'Advanced', 'Intelligent-Tiering'] },
    DataType: { kind: 'text', max: 128 },
  },
} as const

export const DELETE_PARAMETER = {
  kind: 'structure',
  required: ['Name'],
  members: { Name: name },
} as const
