// SPDX-License-Identifier: Apache-2.0

package watch

import (
	"context"
	"database/sql"
	"fmt"
)

// The states of a case.
const (
	caseFound      = "found"
	caseCommitting = "committing"
	caseRevealing  = "revealing"
	caseDemanding  = "demanding"
	caseDemanded   = "demanded"
	caseDone       = "done"
)

// Results of cases.
const (
	// ResultProven is fraud that the chain has punished: by evidence, or because a demanded leaf was not opened.
	ResultProven = "proven"
	// ResultRefused is evidence that the chain did not accept, or a demand that was answered: the bond is lost.
	ResultRefused = "refused"
	// ResultMoot is a case whose batch ended otherwise.
	ResultMoot = "moot"
	// ResultFailed is a case whose transaction entered no block in time.
	ResultFailed = "failed"
	// ResultUnfiled is a finding that is not filed: the watchtower has no key.
	ResultUnfiled = "unfiled"
)

// results are all results.
var results = []string{ResultProven, ResultRefused, ResultMoot, ResultFailed, ResultUnfiled}

// maxCases is the most cases of one kind about one batch: one is enough to void it, more make sure.
const maxCases = 4

// kase is a finding on its way.
type kase struct {
	Finding
	id       int64
	state    string
	salt     [32]byte
	reportID uint64
	height   uint64
}

// file adds findings that are not filed yet.
func file(ctx context.Context, tx *sql.Tx, found []Finding) error {
	for i := range found {
		f := &found[i]
		var same int
		if err := tx.QueryRowContext(ctx, "SELECT count(*) FROM cases WHERE batch_id = ? AND kind = ?", f.BatchID, f.Kind).Scan(&same); err != nil {
			return fmt.Errorf("read cases: %w", err)
		}
		if same >= maxCases {
			continue
		}
		evidence := f.Evidence
		if evidence == nil {
			evidence = []byte{}
		}
		res, err := tx.ExecContext(ctx, `INSERT INTO cases (key, kind, batch_id, other, position, leaf, evidence, reason, rank, state)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 'found') ON CONFLICT DO NOTHING`,
			f.key(), f.Kind, f.BatchID, f.Other, f.Group, f.Index, evidence, f.Reason, f.Kind.rank())
		if err != nil {
			return fmt.Errorf("write a case: %w", err)
		}
		n, err := res.RowsAffected()
		if err != nil {
			return err
		}
		if n > 0 {
			if err := count(ctx, tx, countFound+string(f.Kind), 1); err != nil {
				return err
			}
		}
	}
	return nil
}

// openCases returns all cases that are not done, the gravest first.
func (s *Store) openCases(ctx context.Context) ([]kase, error) {
	rows, err := s.db.QueryContext(ctx, `SELECT id, kind, batch_id, other, position, leaf, evidence, reason, state, salt, report_id, height
		FROM cases WHERE state <> 'done' ORDER BY state = 'found', rank, id`)
	if err != nil {
		return nil, fmt.Errorf("read cases: %w", err)
	}
	defer func() { _ = rows.Close() }() // Err below says what failed
	var out []kase
	for rows.Next() {
		var c kase
		var salt []byte
		err := rows.Scan(&c.id, &c.Kind, &c.BatchID, &c.Other, &c.Group, &c.Index, &c.Evidence, &c.Reason, &c.state, &salt, &c.reportID, &c.height)
		if err != nil {
			return nil, fmt.Errorf("read cases: %w", err)
		}
		copy(c.salt[:], salt)
		out = append(out, c)
	}
	return out, rows.Err()
}

// commit records the salt with which a case is committed to, before anyone can see the commitment.
func (s *Store) commit(ctx context.Context, id int64, salt [32]byte) error {
	return s.exec(ctx, "UPDATE cases SET state = 'committing', salt = ? WHERE id = ? AND state = 'found'", salt[:], id)
}

// reveal records the report of a case.
func (s *Store) reveal(ctx context.Context, id int64, report, height uint64) error {
	return s.exec(ctx, "UPDATE cases SET state = 'revealing', report_id = ?, height = ? WHERE id = ? AND state = 'committing'", report, height, id)
}

// demand moves a demand on.
func (s *Store) demand(ctx context.Context, id int64, state string, height uint64) error {
	return s.exec(ctx, "UPDATE cases SET state = ?, height = ? WHERE id = ? AND state <> 'done'", state, height, id)
}

// end records what came of a case.
func (s *Store) end(ctx context.Context, c *kase, result string) error {
	return s.inTx(ctx, func(tx *sql.Tx) error {
		res, err := tx.ExecContext(ctx, "UPDATE cases SET state = 'done', result = ? WHERE id = ? AND state <> 'done'", result, c.id)
		if err != nil {
			return fmt.Errorf("end case %d: %w", c.id, err)
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			return err
		}
		return count(ctx, tx, countFiled+string(c.Kind)+"/"+result, 1)
	})
}

// Status is what a watchtower has done since it was set up.
type Status struct {
	BatchesChecked, ReceiptsChecked, FetchErrors uint64
	// Lag is how many batches wait to be fetched or checked.
	Lag uint64
	// Found is by kind, Filed by kind and result.
	Found map[Kind]uint64
	Filed map[Kind]map[string]uint64
	// Open is how many cases are on their way.
	Open uint64
}

// Status reads the counters.
func (s *Store) Status(ctx context.Context) (Status, error) {
	counts := make(map[string]uint64)
	rows, err := s.db.QueryContext(ctx, "SELECT name, value FROM counters")
	if err != nil {
		return Status{}, fmt.Errorf("read counters: %w", err)
	}
	defer func() { _ = rows.Close() }() // Err below says what failed
	for rows.Next() {
		var name string
		var value uint64
		if err := rows.Scan(&name, &value); err != nil {
			return Status{}, fmt.Errorf("read counters: %w", err)
		}
		counts[name] = value
	}
	if err := rows.Err(); err != nil {
		return Status{}, fmt.Errorf("read counters: %w", err)
	}
	st := Status{
		BatchesChecked: counts[countBatches], ReceiptsChecked: counts[countReceipts], FetchErrors: counts[countFetchErrors],
		Found: make(map[Kind]uint64), Filed: make(map[Kind]map[string]uint64),
	}
	for _, kind := range Kinds {
		st.Found[kind] = counts[countFound+string(kind)]
		st.Filed[kind] = make(map[string]uint64)
		for _, result := range results {
			st.Filed[kind][result] = counts[countFiled+string(kind)+"/"+result]
		}
	}
	err = s.db.QueryRowContext(ctx, `SELECT (SELECT count(*) FROM batches WHERE state IN ('new', 'fetched')),
		(SELECT count(*) FROM cases WHERE state <> 'done')`).Scan(&st.Lag, &st.Open)
	if err != nil {
		return Status{}, fmt.Errorf("read counters: %w", err)
	}
	return st, nil
}
