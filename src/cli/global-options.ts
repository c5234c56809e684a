import type { Input, OptionSpecs } from './command.ts'

/** What every command understands. */
export const GLOBAL_OPTIONS = {
  config: { type: 'string', value: 'FILE', summary: 'Read settings from FILE' },
  region: { type: 'string', value: 'REGION', summary: "Region of Sentinel's own AWS calls" },
  'aws-profile': {
    type: 'string',
    value: 'PROFILE',
    summary: 'Whose credentials are for policy and stores (default: the served profile)',
  },
  output: { type: 'string', value: 'text|json', summary: 'How results are printed' },
  'no-color': { type: 'boolean', summary: 'Print without colours' },
  quiet: { type: 'boolean', summary: 'Print errors and refusals only' },
  verbose: { type: 'boolean', summary: 'Print more about what happens' },
  'no-interaction': { type: 'boolean', summary: 'Never ask; a needed prompt is an error' },
  'allow-endpoint-override': {
    type: 'boolean',
    summary: 'Obey AWS_ENDPOINT_URL* and endpoint_url for Sentinel itself (tests, private stacks)',
  },
  version: { type: 'boolean', summary: 'Print version, commit and runtime' },
  help: { type: 'boolean', short: 'h', summary: 'Print help' },
} as const satisfies OptionSpecs

export type GlobalOptions = Input<typeof GLOBAL_OPTIONS>['options']
