import type { AccessRequestId, FiledRequest, Review } from '../../domain/access-request.ts'
import type { RequestQuery } from '../../ports/request-store.ts'
import type { Row, Statements } from './connection.ts'
import type { Database } from './database.ts'
import { pagesOf, type Walk } from './pages.ts'
import { fromRequestRow, fromReviewRow, idOf } from './request-row.ts'

/** The key of a review, as it is in a table of the cloud: for whoever is told of a bad one. */
const REVIEWS = `SELECT *, 'review#' || request_id || '#' || principal_id AS id
  FROM request_reviews`

export function findRequest(statements: Statements, id: AccessRequestId): FiledRequest | undefined {
  const row = statements.get('SELECT * FROM requests WHERE id = :id', { id })
  return row && toFiled([row], statements)[0]
}

/** The review of the request that this UserId made, if it did. */
export function findReview(
  statements: Statements,
  { requestId, reviewer }: Pick<Review, 'requestId' | 'reviewer'>,
): Review | undefined {
  const row = statements.get(
    `${REVIEWS} WHERE request_id = :requestId AND principal_id = :principalId`,
    { requestId, principalId: reviewer.principalId },
  )
  return row && fromReviewRow(row)
}

/** Walks the index that `query` fits best. */
export async function* listRequests(
  database: Database,
  query: RequestQuery,
  signal: AbortSignal,
  onPage?: (seen: number) => void,
): AsyncGenerator<FiledRequest> {
  const { profile, since, which } = query
  // The index may hold the rows to a part of the query only.
  const toEntries = (rows: readonly Row[], statements: Statements) =>
    toFiled(
      rows.filter(
        (row) =>
          (profile === undefined || row.profile === profile) &&
          (which === 'all' || row.pending !== null),
      ),
      statements,
    )
  const walk = { table: 'requests', by: 'created_at', ...indexFor(query), since, toEntries }
  for await (const page of pagesOf(database, walk, signal, onPage)) yield* page
}

function indexFor({
  person,
  profile,
  which,
}: RequestQuery): Pick<Walk<FiledRequest>, 'where' | 'values'> {
  if (person !== undefined) return { where: 'requester = :person', values: { person } }
  if (profile !== undefined) return { where: 'profile = :profile', values: { profile } }
  return { where: which === 'undecided' ? `pending = 'request'` : 'TRUE', values: {} }
}

/** The requests in `rows`, each with its reviews, by one statement more. */
function toFiled(rows: readonly Row[], statements: Statements): FiledRequest[] {
  const ids = JSON.stringify(rows.map((row) => idOf(row)))
  const reviews = statements
    .all(
      `${REVIEWS} WHERE request_id IN (SELECT value FROM json_each(:ids))
       ORDER BY created_at, principal_id`,
      { ids },
    )
    .map(fromReviewRow)
  const byRequest = Map.groupBy(reviews, ({ requestId }) => requestId)
  return rows.map((row) => fromRequestRow(row, byRequest.get(idOf(row)) ?? []))
}
