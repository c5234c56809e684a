import { AWSError, invalid } from './aws-error.ts'
import { type Operations, type Outcome, type SignedCall, signed } from './operation.ts'
import type { ParameterStore, ParameterType, Place } from './parameter-store.ts'
import type { Value } from './shapes.ts'
import { DELETE_PARAMETER, GET_PARAMETER, GET_PARAMETERS, PUT_PARAMETER } from './ssm-shapes.ts'

/** The operations of SSM. Who signs sees the parameters of their own account. */
export function ssmOperations(store: ParameterStore): Operations {
  return {
    GetParameter: signed(
      GET_PARAMETER,
      (call, { Name: name, WithDecryption: decryption = false }) => ({
        result: { Parameter: store.get(placeOf(call), name, { decryption }) },
      }),
    ),
    GetParameters: signed(GET_PARAMETERS, (call, parameters) =>
      getParameters(store, call, parameters),
    ),
    PutParameter: signed(PUT_PARAMETER, (call, parameters) =>
      putParameter(store, call, parameters),
    ),
    DeleteParameter: signed(DELETE_PARAMETER, (call, { Name: name }) => {
      store.delete(placeOf(call), name)
      return { result: {} }
    }),
  }
}

function getParameters(
  store: ParameterStore,
  call: SignedCall,
  { Names: names, WithDecryption: decryption = false }: Value<typeof GET_PARAMETERS>,
): Outcome {
  const found: object[] = []
  const missing: string[] = []
  for (const name of names) {
    try {
      found.push(store.get(placeOf(call), name, { decryption }))
    } catch (error) {
      if (!(error instanceof AWSError)) throw error
      missing.push(name)
    }
  }
  return { result: { Parameters: found, InvalidParameters: missing } }
}

function putParameter(
  store: ParameterStore,
  call: SignedCall,
  parameters: Value<typeof PUT_PARAMETER>,
): Outcome {
  // The stand-in has no room for more than 4 KB: better to say so than to pretend.
  if (parameters.Tier !== undefined && parameters.Tier !== 'Standard') {
    throw invalid(`The stand-in AWS has no parameters of tier ${parameters.Tier}.`)
  }
  const version = store.put(placeOf(call), parameters.Name, {
    value: parameters.Value,
    // The shape allows no other.
    type: parameters.Type as ParameterType | undefined,
    mayOverwrite: parameters.Overwrite ?? false,
    at: call.now,
  })
  return { result: { Tier: 'Standard', Version: version } }
}

function placeOf({ caller, region }: SignedCall): Place {
  return { account: caller.identity.account, region }
}
