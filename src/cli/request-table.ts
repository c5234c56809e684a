import type { ShownRequest } from '../app/shown-request.ts'
import { formatDuration } from '../domain/duration.ts'
import { toMinutes } from '../domain/time.ts'
import { REQUEST_FIELDS, requestFields } from './request-fields.ts'
import type { RowKind } from './row-writer.ts'
import { inOneLine } from './session-table.ts'

/**
 * Requests in rows. The table fits a terminal of 80 columns, so names are cut there that are long,
 * and an id to what is enough to name it; why it was asked is left to `request show`.
 */
export const REQUEST_ROWS: RowKind<ShownRequest> = {
  columns: [
    { heading: 'ID', width: 8, enough: 8, cell: ({ filed }) => filed.request.id },
    { heading: 'STATUS', width: 9, cell: ({ state }) => state.status },
    {
      heading: 'REQUESTER',
      width: 9,
      most: 18,
      cell: ({ filed }) => inOneLine(filed.request.requester.user),
    },
    {
      heading: 'PROFILE',
      width: 7,
      most: 13,
      cell: ({ filed }) => inOneLine(filed.request.profile),
    },
    {
      heading: 'FOR',
      width: 5,
      most: 5,
      cell: ({ filed }) => formatDuration(filed.request.duration),
    },
    { heading: 'UNTIL', width: 17, cell: until },
  ],
  fields: REQUEST_FIELDS,
  fieldsOf: requestFields,
}

/** Until when it can be decided, or let in. */
function until({ state }: ShownRequest): string {
  switch (state.status) {
    case 'pending':
      return toMinutes(state.expiresAt)
    case 'approved':
    case 'ended':
      return state.granted ? toMinutes(state.granted.until) : '-'
    default:
      return '-'
  }
}
