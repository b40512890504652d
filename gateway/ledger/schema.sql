-- The gateway's ledger. Money is in micro-USD (uusdc), times are Unix seconds. Nothing here names a customer: an API key is its
-- SHA-256, a call a random id. There is no prompt, no output and no address of a client.
BEGIN;

-- One row an API key. Money only moves between the three parts of granted, and none of them goes below 0.
CREATE TABLE keys (
  hash BLOB PRIMARY KEY CHECK (length(hash) = 32), -- SHA-256 of the key
  id TEXT NOT NULL UNIQUE, -- the first 16 hex digits of hash
  granted INTEGER NOT NULL CHECK (granted >= 0),
  available INTEGER NOT NULL CHECK (available >= 0),
  reserved INTEGER NOT NULL CHECK (reserved >= 0), -- by open jobs
  spent INTEGER NOT NULL CHECK (spent >= 0), -- on settled jobs
  created_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL, -- first second at which the key no longer works; 0 for never
  revoked INTEGER NOT NULL DEFAULT 0 CHECK (revoked IN (0, 1)),
  CHECK (granted = available + reserved + spent)
) STRICT, WITHOUT ROWID;

-- One row a grant of credit; the reference makes granting twice one grant.
CREATE TABLE grants (
  reference TEXT PRIMARY KEY,
  key_id TEXT NOT NULL REFERENCES keys (id),
  amount INTEGER NOT NULL CHECK (amount >= 0),
  granted_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- One row a signed authorisation. It is here, with its money reserved, before the authorisation leaves the gateway.
CREATE TABLE jobs (
  job_id BLOB PRIMARY KEY CHECK (length(job_id) = 32),
  call_id TEXT NOT NULL, -- one customer's request; try counts its authorisations from 0
  try INTEGER NOT NULL,
  key_id TEXT NOT NULL REFERENCES keys (id),
  nonce BLOB NOT NULL UNIQUE CHECK (length(nonce) = 8),
  auth BLOB NOT NULL CHECK (length(auth) = 208),
  host_key BLOB NOT NULL CHECK (length(host_key) = 20),
  host_id BLOB NOT NULL CHECK (length(host_id) = 32),
  endpoint TEXT NOT NULL, -- as on the chain when the job was sent
  spki BLOB NOT NULL CHECK (length(spki) IN (0, 32)), -- pin of the endpoint's TLS key, if there is one
  price_in INTEGER NOT NULL,
  price_out INTEGER NOT NULL,
  max_amount INTEGER NOT NULL CHECK (max_amount >= 0),
  epoch INTEGER NOT NULL, -- when it was sent, as the gateway saw it
  created_at INTEGER NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('open', 'settled', 'released', 'rejected')),
  ended_at INTEGER NOT NULL DEFAULT 0, -- when the request to the host ended without a receipt; 0 while it may run
  -- what the gateway saw of the answer (review.Delivery); usage is NULL where none came
  delivery INTEGER NOT NULL DEFAULT 0,
  seen_prompt INTEGER,
  seen_cached INTEGER,
  seen_output INTEGER,
  output_commit BLOB,
  -- the host's receipt
  amount INTEGER NOT NULL DEFAULT 0 CHECK (amount BETWEEN 0 AND max_amount),
  sr1 BLOB, -- as it came from the host
  reason TEXT NOT NULL DEFAULT '', -- why it was released or rejected
  closed_at INTEGER NOT NULL DEFAULT 0,
  -- the countersignature on its way to the host
  sig_final BLOB,
  countersign TEXT NOT NULL DEFAULT 'none' CHECK (countersign IN ('none', 'pending', 'sent', 'given_up')),
  sends INTEGER NOT NULL DEFAULT 0,
  retry_at INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;
CREATE INDEX jobs_open ON jobs (retry_at, job_id) WHERE state = 'open';
CREATE INDEX jobs_pending ON jobs (retry_at, job_id) WHERE countersign = 'pending';
CREATE INDEX jobs_by_key ON jobs (key_id, created_at, job_id);
CREATE INDEX jobs_by_time ON jobs (created_at);

PRAGMA user_version = 1;
COMMIT;
