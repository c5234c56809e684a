import { EVENT_FIELDS, eventFields, type ShownEvent } from '../app/shown-event.ts'
import { toMinutes } from '../domain/time.ts'
import type { RowKind } from './row-writer.ts'
import { inOneLine } from './session-table.ts'

/**
 * Break-glass events in rows. The table fits a terminal of 80 columns, so names are cut there that
 * are long, and an id to what is enough to name it; `breakglass show` tells if ever it is not.
 */
export const EVENT_ROWS: RowKind<ShownEvent> = {
  columns: [
    { heading: 'ID', width: 8, enough: 8, cell: ({ filed }) => filed.event.id },
    { heading: 'STATUS', width: 10, cell: ({ state }) => state.status },
    {
      heading: 'USER',
      width: 9,
      most: 12,
      cell: ({ filed }) => inOneLine(filed.event.invoker.user),
    },
    {
      heading: 'PROFILE',
      width: 9,
      most: 12,
      cell: ({ filed }) => inOneLine(filed.event.profile),
    },
    { heading: 'REASON', width: 11, cell: ({ filed }) => filed.event.reasonCode },
    { heading: 'ENDS', width: 17, cell: ({ state }) => toMinutes(state.endsAt) },
  ],
  fields: EVENT_FIELDS,
  fieldsOf: eventFields,
}
