/**
 * What makes the tables, from nothing on: the schema version of a file is how many of these it has
 * seen. One that was released never changes; what comes later is another one.
 *
 * Columns have the names of the attributes in DynamoDB. Times are text, `2026-01-14T09:00:00.000Z`,
 * which sorts as it reads; `ttl` is in seconds since the epoch.
 */
export const MIGRATIONS: readonly string[] = [
  `CREATE TABLE sessions (
     id TEXT NOT NULL PRIMARY KEY,
     user TEXT NOT NULL,
     principal TEXT NOT NULL,
     profile TEXT NOT NULL,
     role_arn TEXT,
     server_instance_id TEXT NOT NULL,
     status TEXT NOT NULL CHECK (status IN ('active', 'revoked', 'expired')),
     started_at TEXT NOT NULL,
     last_access_at TEXT,
     expires_at TEXT NOT NULL,
     lease_until TEXT NOT NULL,
     request_count INTEGER NOT NULL,
     source_identity TEXT,
     created_at TEXT NOT NULL,
     updated_at TEXT NOT NULL,
     ended_at TEXT,
     end_reason TEXT,
     revoked_at TEXT,
     revoked_by TEXT,
     revoked_reason TEXT,
     host TEXT NOT NULL,
     pid INTEGER NOT NULL,
     version TEXT NOT NULL,
     ttl INTEGER NOT NULL,
     CHECK ((status = 'revoked') = (revoked_at IS NOT NULL)),
     CHECK ((status = 'expired') = (ended_at IS NOT NULL)),
     CHECK ((ended_at IS NULL) = (end_reason IS NULL)),
     CHECK ((revoked_at IS NULL) = (revoked_by IS NULL)),
     CHECK ((revoked_at IS NULL) = (revoked_reason IS NULL))
   ) STRICT;
   CREATE INDEX sessions_by_start ON sessions (started_at, id);
   CREATE INDEX sessions_by_user ON sessions (user, started_at, id);
   CREATE INDEX sessions_by_profile ON sessions (profile, started_at, id);
   CREATE INDEX sessions_live ON sessions (started_at, id) WHERE status = 'active';
   CREATE INDEX sessions_by_ttl ON sessions (ttl);

   CREATE TABLE session_locks (
     id TEXT NOT NULL PRIMARY KEY,
     reason TEXT NOT NULL,
     "by" TEXT NOT NULL,
     until TEXT NOT NULL,
     created_at TEXT NOT NULL,
     updated_at TEXT NOT NULL,
     ttl INTEGER NOT NULL
   ) STRICT;`,
  `CREATE TABLE requests (
     id TEXT NOT NULL PRIMARY KEY,
     requester TEXT NOT NULL,
     user TEXT NOT NULL,
     principal TEXT NOT NULL,
     principal_id TEXT NOT NULL,
     profile TEXT NOT NULL,
     role_arn TEXT NOT NULL,
     justification TEXT NOT NULL,
     duration INTEGER NOT NULL,
     rule TEXT NOT NULL,
     required INTEGER NOT NULL,
     is_automatic INTEGER NOT NULL CHECK (is_automatic IN (0, 1)),
     created_at TEXT NOT NULL,
     pending TEXT CHECK (pending = 'request'),
     cancelled_at TEXT,
     cancelled_by TEXT,
     cancelled_reason TEXT,
     revoked_at TEXT,
     revoked_by TEXT,
     revoked_reason TEXT,
     ttl INTEGER NOT NULL,
     CHECK ((cancelled_at IS NULL) = (cancelled_by IS NULL)),
     CHECK (cancelled_at IS NOT NULL OR cancelled_reason IS NULL),
     CHECK ((revoked_at IS NULL) = (revoked_by IS NULL)),
     CHECK (revoked_at IS NOT NULL OR revoked_reason IS NULL)
   ) STRICT;
   CREATE INDEX requests_by_creation ON requests (created_at, id);
   CREATE INDEX requests_by_requester ON requests (requester, created_at, id);
   CREATE INDEX requests_by_profile ON requests (profile, created_at, id);
   CREATE INDEX requests_pending ON requests (created_at, id) WHERE pending = 'request';
   CREATE INDEX requests_by_ttl ON requests (ttl);

   CREATE TABLE request_reviews (
     request_id TEXT NOT NULL,
     reviewer_person TEXT NOT NULL,
     user TEXT NOT NULL,
     principal TEXT NOT NULL,
     principal_id TEXT NOT NULL,
     verdict TEXT NOT NULL CHECK (verdict IN ('approve', 'deny')),
     created_at TEXT NOT NULL,
     comment TEXT,
     duration INTEGER,
     request_hash TEXT NOT NULL,
     seal TEXT NOT NULL,
     ttl INTEGER NOT NULL,
     PRIMARY KEY (request_id, principal_id)
   ) STRICT;
   CREATE INDEX request_reviews_by_ttl ON request_reviews (ttl);

   CREATE TABLE outbox (
     id TEXT NOT NULL PRIMARY KEY,
     store TEXT NOT NULL CHECK (store IN ('requests', 'break_glass')),
     event TEXT NOT NULL,
     created_at TEXT NOT NULL,
     target_kind TEXT NOT NULL CHECK (target_kind IN ('webhook', 'slack', 'sns')),
     target_address TEXT NOT NULL,
     fields TEXT NOT NULL,
     attempts INTEGER NOT NULL,
     next_at TEXT NOT NULL
   ) STRICT;
   CREATE INDEX outbox_by_creation ON outbox (store, created_at, id);`,
  `CREATE TABLE break_glass_events (
     id TEXT NOT NULL PRIMARY KEY,
     person TEXT NOT NULL,
     user TEXT NOT NULL,
     principal TEXT NOT NULL,
     principal_id TEXT NOT NULL,
     profile TEXT NOT NULL,
     role_arn TEXT NOT NULL,
     reason_code TEXT NOT NULL,
     justification TEXT NOT NULL,
     duration INTEGER NOT NULL,
     rule TEXT NOT NULL,
     started_at TEXT NOT NULL,
     review_within INTEGER,
     open TEXT CHECK (open = 'event'),
     closed_at TEXT,
     closed_by TEXT,
     closed_reason TEXT,
     expired_announced INTEGER NOT NULL CHECK (expired_announced IN (0, 1)),
     overdue_announced INTEGER NOT NULL CHECK (overdue_announced IN (0, 1)),
     ttl INTEGER NOT NULL,
     CHECK ((closed_at IS NULL) = (closed_by IS NULL)),
     CHECK (closed_at IS NOT NULL OR closed_reason IS NULL)
   ) STRICT;
   CREATE INDEX break_glass_by_start ON break_glass_events (started_at, id);
   CREATE INDEX break_glass_by_person ON break_glass_events (person, started_at, id);
   CREATE INDEX break_glass_by_profile ON break_glass_events (profile, started_at, id);
   CREATE INDEX break_glass_open ON break_glass_events (started_at, id) WHERE open = 'event';
   CREATE INDEX break_glass_by_ttl ON break_glass_events (ttl);

   CREATE TABLE break_glass_reviews (
     event_id TEXT NOT NULL,
     reviewer_person TEXT NOT NULL,
     user TEXT NOT NULL,
     principal TEXT NOT NULL,
     principal_id TEXT NOT NULL,
     outcome TEXT NOT NULL CHECK (outcome IN ('justified', 'misuse')),
     created_at TEXT NOT NULL,
     comment TEXT NOT NULL,
     event_hash TEXT NOT NULL,
     seal TEXT NOT NULL,
     ttl INTEGER NOT NULL,
     PRIMARY KEY (event_id, principal_id)
   ) STRICT;
   CREATE INDEX break_glass_reviews_by_ttl ON break_glass_reviews (ttl);`,
  'ALTER TABLE sessions ADD COLUMN log_head BLOB CHECK (length(log_head) = 16)',
]
