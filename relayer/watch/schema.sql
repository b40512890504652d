-- What a watchtower knows. 64-bit unsigned values fit, because ids, heights and counts stay far below 2^63.
BEGIN;

-- Numbers by name: the cursor, and what was counted.
CREATE TABLE counters (
  name TEXT PRIMARY KEY,
  value INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- One row a batch that is watched. State: new (to be fetched), fetched (to be checked), checked, unread (its records cannot be
-- had), skipped (not asked for: the configuration does not allow it).
CREATE TABLE batches (
  id INTEGER PRIMARY KEY,
  epoch INTEGER NOT NULL,
  batch BLOB NOT NULL, -- Batch, as it was when it was first seen
  state TEXT NOT NULL CHECK (state IN ('new', 'fetched', 'checked', 'unread', 'skipped')),
  tries INTEGER NOT NULL DEFAULT 0,
  next_try INTEGER NOT NULL DEFAULT 0, -- Unix milliseconds
  file_bytes INTEGER NOT NULL DEFAULT 0, -- of its DA file, 0 when it is not here
  reason TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE INDEX batches_by_state ON batches (state, next_try, id);
CREATE INDEX batches_by_epoch ON batches (epoch);

-- Two places at which one thing is claimed, until evidence is made of them.
CREATE TABLE conflicts (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  kind INTEGER NOT NULL, -- index.Kind
  first_batch INTEGER NOT NULL, first_group INTEGER NOT NULL, first_leaf INTEGER NOT NULL,
  second_batch INTEGER NOT NULL, second_group INTEGER NOT NULL, second_leaf INTEGER NOT NULL,
  next_try INTEGER NOT NULL DEFAULT 0, -- Unix milliseconds
  tries INTEGER NOT NULL DEFAULT 0,
  done TEXT NOT NULL DEFAULT '', -- what came of it, empty while it is open
  UNIQUE (first_batch, first_group, first_leaf, second_batch, second_group, second_leaf)
) STRICT;

-- What is filed. State: found, committing, revealing; or demanding, demanded; then done, with a result.
CREATE TABLE cases (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  key TEXT NOT NULL UNIQUE,
  kind TEXT NOT NULL,
  batch_id INTEGER NOT NULL,
  other INTEGER NOT NULL, -- a second batch, or 0
  position INTEGER NOT NULL, -- of the group that is asked for a leaf
  leaf INTEGER NOT NULL,
  evidence BLOB NOT NULL,
  reason TEXT NOT NULL,
  rank INTEGER NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('found', 'committing', 'revealing', 'demanding', 'demanded', 'done')),
  salt BLOB NOT NULL DEFAULT x'',
  report_id INTEGER NOT NULL DEFAULT 0,
  height INTEGER NOT NULL DEFAULT 0, -- of the block that holds the commitment, or the demand
  result TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE INDEX cases_open ON cases (state, rank, id);

PRAGMA user_version = 1;
COMMIT;
