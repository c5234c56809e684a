import type { Output } from '../deps.ts'
import { SentinelError } from '../errors.ts'
import { nearest } from '../near-miss.ts'
import type { OptionSpecs } from './command.ts'
import type { RowFormat } from './session-table.ts'

const FORMATS = ['table', 'csv', 'json'] as const satisfies RowFormat[]

/** In which form rows are printed. */
export const FORMAT_OPTIONS = {
  format: { type: 'string', value: 'table|csv|json', summary: 'How rows are printed' },
} as const satisfies OptionSpecs

/**
 * Reads `--format`, which stands above a setting of the output; a contradicting `--output` beside
 * it is a mistake. Throws `USAGE`.
 */
export function readFormat(text: string | undefined, { form }: Pick<Output, 'form'>): RowFormat {
  if (text === undefined) return form.value === 'json' ? 'json' : 'table'
  const format = FORMATS.find((known) => known === text)
  if (format === undefined) {
    const near = nearest(text, FORMATS)
    throw new SentinelError('USAGE', `unknown format "${text}"`, {
      hint: near ? `did you mean ${near}?` : `formats are ${FORMATS.join(', ')}`,
    })
  }
  if (form.origin === '--output' && (form.value === 'json') !== (format === 'json')) {
    throw new SentinelError('USAGE', `--output ${form.value} and --format ${format} contradict`, {
      hint: 'leave one of them out',
    })
  }
  return format
}
