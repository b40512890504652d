// SPDX-License-Identifier: Apache-2.0

package watch

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/gpucoord/gpucoord/domain/fraud"
	"github.com/gpucoord/gpucoord/domain/receipt"
	"github.com/gpucoord/gpucoord/domain/sumtree"
	"github.com/gpucoord/gpucoord/relayer/chain"
	"github.com/gpucoord/gpucoord/relayer/da"
	"github.com/gpucoord/gpucoord/relayer/watch/index"
	receiptstypes "github.com/gpucoord/gpucoord/x/receipts/types"
)

// Check examines every batch whose file is here. One batch's failure does not keep the others waiting.
func (w *Watcher) Check(ctx context.Context) error {
	now := time.Now()
	rows, err := w.store.due(ctx, stateFetched, stateFetched, now, 16)
	if err != nil || len(rows) == 0 {
		return err
	}
	head, err := w.chain.Head(ctx)
	if err != nil {
		return err
	}
	at := chain.AtHeight(ctx, head.Height)
	payers, err := readPayers(at, w.q)
	if err != nil {
		return err
	}
	var errs []error
	for len(rows) > 0 {
		for i := range rows {
			if err := w.check(ctx, at, payers, &rows[i].batch); err != nil {
				errs = append(errs, fmt.Errorf("batch %d: %w", rows[i].batch.Id, err),
					w.store.postpone(ctx, rows[i].batch.Id, stateFetched, time.Now().Add(w.cfg.FetchWait), err))
			}
			if ctx.Err() != nil {
				return errors.Join(append(errs, ctx.Err())...)
			}
		}
		if rows, err = w.store.due(ctx, stateFetched, stateFetched, now, 16); err != nil {
			return errors.Join(append(errs, err)...)
		}
	}
	return errors.Join(errs...)
}

func (w *Watcher) check(ctx, at context.Context, p *payers, b *receiptstypes.Batch) error {
	facts, err := readFacts(at, w.q, p, b)
	if err != nil {
		return err
	}
	began := time.Now()
	e := &examination{
		facts: facts, checker: w.cfg.Checker, keys: w.index.Key, claims: w.index.Add, open: w.opener(b), workers: max(1, w.cfg.Workers),
	}
	err = e.run(at)
	if errors.Is(err, os.ErrNotExist) {
		return w.store.postpone(ctx, b.Id, stateNew, time.Now(), err) // it was dropped from the cache before its turn
	}
	if err != nil {
		return err
	}
	e.findings = w.provable(ctx, at, facts, e.findings)
	w.log.InfoContext(ctx, "batch checked", slog.Uint64("batch_id", b.Id), slog.Uint64("epoch", b.Epoch), slog.Uint64("receipts", e.receipts),
		slog.Int("findings", len(e.findings)), slog.Int("conflicts", len(e.conflicts)), slog.Duration("took", time.Since(began)))
	return w.store.checked(ctx, b.Id, e)
}

func (w *Watcher) opener(b *receiptstypes.Batch) func() (*da.Reader, error) {
	return func() (*da.Reader, error) { return w.files.Open([32]byte(b.DaSha256)) }
}

// provable drops findings that the chain would refuse. There should be none; filing one would cost the reporter's bond.
func (w *Watcher) provable(ctx, at context.Context, f *facts, found []Finding) []Finding {
	groups := func(batch uint64, position uint32) *sumtree.Group {
		if batch != f.batch.Id || uint64(position) >= uint64(len(f.groups)) {
			return nil
		}
		return &f.groups[position]
	}
	context := func(group uint32, r *receipt.Record) error {
		_, fault, err := f.checkContext(at, int(group), r)
		return errors.Join(fault, err)
	}
	var out []Finding
	for i := range found {
		if err := found[i].check(groups, w.cfg.Checker, context); err != nil {
			w.log.ErrorContext(ctx, "evidence would be refused, it is not filed", slog.Uint64("batch_id", f.batch.Id),
				slog.String("kind", string(found[i].Kind)), slog.String("err", err.Error()))
			continue
		}
		out = append(out, found[i])
	}
	return out
}

// What becomes of a conflict that is not filed.
const (
	doneFiled   = "filed"
	doneNothing = "no evidence"
	doneGone    = "records are gone"
)

// Resolve makes evidence of every conflict whose records can be had.
func (w *Watcher) Resolve(ctx context.Context) error {
	conflicts, err := w.store.openConflicts(ctx, time.Now(), 256)
	if err != nil {
		return err
	}
	var errs []error
	for i := range conflicts {
		c := &conflicts[i]
		found, err := w.resolve(ctx, c)
		switch {
		case err == nil && found != nil:
			err = w.store.resolved(ctx, c.id, doneFiled, []Finding{*found})
		case err == nil:
			err = w.store.resolved(ctx, c.id, doneNothing, nil)
		case errors.Is(err, errNoBatch), c.tries >= w.cfg.FetchTries:
			err = w.store.resolved(ctx, c.id, doneGone, nil)
		default:
			err = errors.Join(fmt.Errorf("conflict of batches %d and %d: %w", c.First.Batch, c.Second.Batch, err),
				w.store.postponeConflict(ctx, c.id, time.Now().Add(w.cfg.FetchWait)))
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// place is one side of a conflict.
type place struct {
	index.Place
	batch  *receiptstypes.Batch
	groups []sumtree.Group
	sr1    []byte
}

// resolve returns what can be shown of a conflict, nil if nothing can.
func (w *Watcher) resolve(ctx context.Context, c *conflict) (*Finding, error) {
	first, err := w.placeOf(ctx, c.First)
	if err != nil {
		return nil, err
	}
	second, err := w.placeOf(ctx, c.Second)
	if err != nil {
		return nil, err
	}
	groups := func(batch uint64, position uint32) *sumtree.Group {
		for _, p := range []*place{first, second} {
			if p.batch.Id == batch && uint64(position) < uint64(len(p.groups)) {
				return &p.groups[position]
			}
		}
		return nil
	}
	finding := Finding{BatchID: c.Second.Batch, Reason: map[index.Kind]string{
		index.Job: "job is claimed twice", index.Seq: "seq is used twice", index.Payment: "payment is used twice",
	}[c.Kind]}
	if c.First.Batch != c.Second.Batch {
		finding.Other = c.First.Batch
	}
	if c.Kind == index.Job && (first.batch.Open() || second.batch.Open()) {
		repeat, err := w.repeat(first, second)
		if err != nil {
			return nil, err
		}
		if finding.Kind, finding.Evidence = Repeat, repeat; repeat != nil && finding.check(groups, w.cfg.Checker, nil) == nil {
			return &finding, nil
		}
	}
	e := fraud.Equivocation{SR1A: first.sr1, SR1B: second.sr1}
	finding.Kind, finding.Evidence = Equivocation, e.Append(nil)
	if err := finding.check(groups, w.cfg.Checker, nil); err != nil {
		w.log.InfoContext(ctx, "conflict shows nothing", slog.Uint64("batch_id", c.Second.Batch), slog.String("err", err.Error()))
		return nil, nil //nolint:nilnil // nothing to file is an answer
	}
	return &finding, nil
}

// placeOf reads the batch as the chain has it now and the record that is there.
func (w *Watcher) placeOf(ctx context.Context, at index.Place) (*place, error) {
	r, err := w.store.batch(ctx, at.Batch)
	if err != nil {
		return nil, err
	}
	p := &place{Place: at, batch: &r.batch}
	if now, found, err := w.batchNow(ctx, at.Batch); err != nil {
		return nil, err
	} else if found {
		p.batch = now
	} else {
		p.batch.Status = receiptstypes.BatchStatus_BATCH_STATUS_FINALISED // nothing else is pruned
	}
	if p.groups, err = r.batch.DomainGroups(); err != nil {
		return nil, err
	}
	if err := w.download(ctx, &r.batch); err != nil {
		return nil, err
	}
	p.sr1, err = recordAt(w.opener(&r.batch), p.groups, int(at.Group), uint64(at.Leaf))
	return p, err
}

// repeat returns evidence of one job at two places, nil if a group's records do not give its tree.
func (w *Watcher) repeat(first, second *place) ([]byte, error) {
	var evidence fraud.Repeat
	for _, side := range []struct {
		place *place
		into  *fraud.Placed
	}{{first, &evidence.A}, {second, &evidence.B}} {
		t, err := w.treeOf(side.place)
		if err != nil || t == nil || t.root() != side.place.groups[side.place.Group].Root {
			return nil, err
		}
		*side.into = fraud.Placed{BatchID: side.place.Batch, Group: side.place.Group, Opening: t.open(int(side.place.Leaf))}
	}
	return evidence.Append(nil), nil
}

// treeOf rebuilds the tree of a place's group, nil if its records give none.
func (w *Watcher) treeOf(p *place) (*tree, error) {
	file, err := w.opener(p.batch)()
	if err != nil {
		return nil, err
	}
	leaves, err := leavesOf(file, p.groups, int(p.Group), w.cfg.Checker.Domain)
	if err := errors.Join(err, file.Close()); err != nil {
		return nil, err
	}
	t, err := buildTree(leaves)
	if err != nil {
		return nil, nil //nolint:nilerr,nilnil // no tree is an answer
	}
	return t, nil
}

// leavesOf derives the leaves of one group from its records.
func leavesOf(file *da.Reader, groups []sumtree.Group, group int, domain receipt.Domain) ([]sumtree.Leaf, error) {
	for i := range group {
		if err := file.Skip(groups[i].Count); err != nil {
			return nil, err
		}
	}
	var leaves []sumtree.Leaf
	buffer := make([]byte, 0, receipt.SizeCountersigned)
	for range groups[group].Count {
		sr1, err := file.Next(buffer)
		if err != nil {
			return nil, err
		}
		record, err := receipt.Decode(sr1)
		if err != nil {
			return nil, err
		}
		leaf, err := sumtree.LeafOf(&record, record.JobID(domain), sr1)
		if err != nil {
			return nil, err
		}
		leaves = append(leaves, leaf)
	}
	return leaves, nil
}
