-- The relayer's store. Integers are exact: amounts in uusdc, heights in blocks. 64-bit unsigned values fit, because
-- seq, amounts and epochs stay far below 2^63; the program refuses what does not.
BEGIN;

-- One row a receipt, as collected from a host's log and checked.
CREATE TABLE receipts (
  host_key BLOB NOT NULL, -- 20 bytes
  seq INTEGER NOT NULL,
  host_id BLOB NOT NULL, -- 32 bytes
  epoch INTEGER NOT NULL,
  job_id BLOB NOT NULL, -- 32 bytes
  sr1 BLOB NOT NULL, -- 533 or 598 bytes
  PRIMARY KEY (host_key, seq)
) STRICT, WITHOUT ROWID;
CREATE INDEX receipts_by_epoch ON receipts (host_id, epoch, host_key, seq);
CREATE UNIQUE INDEX receipts_by_job ON receipts (job_id);

-- How far a host's log has been read, in bytes, and how many receipts that gave.
CREATE TABLE logs (
  host_id BLOB PRIMARY KEY,
  log_offset INTEGER NOT NULL,
  receipts INTEGER NOT NULL,
  countersigned INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- What was not taken up, or claimed, with the reason. It is kept for the operator to see.
CREATE TABLE rejected (
  record_sha256 BLOB NOT NULL, -- of the record, or of the countersignature, as it was
  reason TEXT NOT NULL, -- short, without ids
  stage TEXT NOT NULL CHECK (stage IN ('collect', 'batch')),
  host_id BLOB NOT NULL,
  seq INTEGER NOT NULL,
  epoch INTEGER NOT NULL,
  PRIMARY KEY (record_sha256, reason)
) STRICT, WITHOUT ROWID;
CREATE INDEX rejected_by_reason ON rejected (host_id, stage, reason);

-- One row a batch that was built. The DA file holds the records.
CREATE TABLE batches (
  host_key BLOB NOT NULL,
  epoch INTEGER NOT NULL,
  host_id BLOB NOT NULL,
  da_sha256 BLOB NOT NULL,
  msg BLOB NOT NULL, -- MsgSubmitBatch
  receipts INTEGER NOT NULL,
  amount_uusdc INTEGER NOT NULL,
  tokens INTEGER NOT NULL,
  batch_id INTEGER NOT NULL DEFAULT 0, -- 0 until the chain is known to have it
  opened INTEGER NOT NULL DEFAULT 0, -- 1 when the chain has every sample
  PRIMARY KEY (host_key, epoch)
) STRICT, WITHOUT ROWID;
CREATE INDEX batches_by_host ON batches (host_id, epoch);

-- Transactions to send, one at a time. State: pending, sending, done, failed.
CREATE TABLE outbox (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  key TEXT NOT NULL UNIQUE, -- makes enqueueing the same work twice one row
  type_url TEXT NOT NULL,
  msg BLOB NOT NULL,
  not_before INTEGER NOT NULL, -- first height to send at
  deadline INTEGER NOT NULL, -- last block that may hold it; 0 for none
  state TEXT NOT NULL CHECK (state IN ('pending', 'sending', 'done', 'failed')),
  tx BLOB, -- signed bytes, once sending
  tx_hash TEXT NOT NULL DEFAULT '',
  sequence INTEGER NOT NULL DEFAULT 0,
  expires INTEGER NOT NULL DEFAULT 0, -- last block that may hold the signed bytes
  height INTEGER NOT NULL DEFAULT 0,
  code INTEGER NOT NULL DEFAULT 0,
  codespace TEXT NOT NULL DEFAULT '',
  log TEXT NOT NULL DEFAULT '',
  tries INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX outbox_open ON outbox (state, not_before, id);

PRAGMA user_version = 1;
COMMIT;
