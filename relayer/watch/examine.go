// SPDX-License-Identifier: Apache-2.0

package watch

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"

	"golang.org/x/sync/errgroup"

	"github.com/gpucoord/gpucoord/domain/receipt"
	"github.com/gpucoord/gpucoord/domain/sumtree"
	"github.com/gpucoord/gpucoord/relayer/da"
	"github.com/gpucoord/gpucoord/relayer/watch/index"
)

const (
	// chunk is how many records are in memory and checked at a time.
	chunk = 4096
	// maxFaults is the most faulty records of a group that are looked into: one is enough to void the batch.
	maxFaults = 4
	// maxConflicts is the most second claims of a batch that are looked into.
	maxConflicts = 64
)

// errNoFault says that evidence would show nothing.
var errNoFault = errors.New("the record keeps all rules: nothing is wrong with it")

// Reasons of findings that are no error's text.
const (
	reasonUnreadable = "records cannot be fetched from where the batch says, or are other ones than its hash"
	reasonNotRecords = "file of the batch's hash does not hold as many records as it claims"
	reasonOtherTree  = "records do not give the root that was committed"
)

// claims is what an examination hands to the index.
type claims func(entries []index.Entry) ([]index.Conflict, error)

// examination is one pass over the records of a batch.
type examination struct {
	facts   *facts
	checker receipt.Checker
	keys    func(kind index.Kind, parts ...[]byte) index.Key
	claims  claims
	open    func() (*da.Reader, error)
	workers int

	receipts  uint64
	conflicts []index.Conflict
	findings  []Finding
}

// judged is one record of a chunk and what was found out about it.
type judged struct {
	sr1     []byte
	leaf    sumtree.Leaf
	fault   error // the rule that it breaks
	noLeaf  bool  // no leaf can be derived from it
	entries []index.Entry
}

// faulty is a record that breaks a rule.
type faulty struct {
	index  int
	sr1    []byte
	fault  error
	noLeaf bool
}

// run examines all groups.
//
// Errors: those of asking the chain and of the disk. What is wrong with the records is in findings.
func (e *examination) run(ctx context.Context) error {
	file, err := e.open()
	if err != nil {
		return err
	}
	return errors.Join(e.groups(ctx, file), file.Close())
}

func (e *examination) groups(ctx context.Context, file *da.Reader) error {
	for group := range e.facts.groups {
		err := e.group(ctx, file, group)
		if errors.Is(err, da.ErrBadFile) || errors.Is(err, io.EOF) {
			e.demand(group, e.anyLeaf(group), reasonNotRecords)
			return nil
		}
		if err != nil {
			return err
		}
	}
	if _, err := file.Next(nil); !errors.Is(err, io.EOF) {
		e.demand(0, e.anyLeaf(0), reasonNotRecords)
	}
	return nil
}

func (e *examination) group(ctx context.Context, file *da.Reader, group int) error {
	count := e.facts.groups[group].Count
	var leaves []sumtree.Leaf
	var faults, stale []faulty
	buffer := make([]byte, 0, chunk*receipt.SizeCountersigned)
	for first := uint64(0); first < count; first += chunk {
		n := int(min(chunk, count-first)) //nolint:gosec // at most chunk
		part := make([]judged, n)
		buffer = buffer[:0]
		for i := range part {
			at := len(buffer)
			var err error
			if buffer, err = file.Next(buffer); err != nil {
				return err
			}
			part[i].sr1 = buffer[at:]
		}
		if err := e.judge(ctx, group, first, part); err != nil {
			return err
		}
		if err := e.enter(part); err != nil {
			return err
		}
		for i := range part {
			j := &part[i]
			f := faulty{index: len(leaves) + i, fault: j.fault, noLeaf: j.noLeaf}
			switch {
			case errors.Is(j.fault, errStale) && len(stale) == 0:
				f.sr1 = bytes.Clone(j.sr1)
				stale = append(stale, f)
			case j.fault != nil && !errors.Is(j.fault, errStale) && len(faults) < maxFaults:
				f.sr1 = bytes.Clone(j.sr1)
				faults = append(faults, f)
			}
		}
		for i := range part {
			leaves = append(leaves, part[i].leaf)
		}
		e.receipts += uint64(n) //nolint:gosec // at most chunk
	}
	return e.tree(group, leaves, faults, stale)
}

// judge applies all rules to a chunk, in parts at the same time.
func (e *examination) judge(ctx context.Context, group int, first uint64, part []judged) error {
	size := (len(part) + e.workers - 1) / e.workers
	workers, ctx := errgroup.WithContext(ctx)
	for from := 0; from < len(part); from += size {
		workers.Go(func() error {
			for i := from; i < min(from+size, len(part)); i++ {
				if err := e.judgeOne(ctx, group, first+uint64(i), &part[i]); err != nil { //nolint:gosec // an index
					return err
				}
			}
			return nil
		})
	}
	return workers.Wait()
}

func (e *examination) judgeOne(ctx context.Context, group int, position uint64, j *judged) error {
	record, err := receipt.Decode(j.sr1)
	if err != nil {
		j.fault, j.noLeaf = err, true
		return nil
	}
	jobID, _, err := e.checker.CheckRecord(&record)
	valid := err == nil
	if !valid {
		j.fault, jobID = err, record.JobID(e.checker.Domain)
	}
	if j.leaf, err = sumtree.LeafOf(&record, jobID, j.sr1); err != nil {
		j.fault, j.noLeaf = err, true
		return nil
	}
	if !valid {
		return ctx.Err()
	}
	settler, fault, err := e.facts.checkContext(ctx, group, &record)
	if err != nil {
		return err
	}
	j.fault = fault
	// A true record of another host key in this batch says nothing about who claims it; indexed, it would hide a second claim.
	if record.Auth.Operator == e.facts.rules.HostKeyAddress {
		j.entries, err = e.entries(ctx, &record, jobID, settler, index.Place{
			Batch: e.facts.batch.Id, Group: uint32(group), Leaf: uint32(position), //nolint:gosec // the chain takes at most 256 groups of 2^32 receipts
		})
	}
	return errors.Join(err, ctx.Err())
}

// entries are what a valid record claims: its job, its seq, and its payment if it names one and somebody can be blamed for naming it.
func (e *examination) entries(
	ctx context.Context, r *receipt.Record, jobID [32]byte, settler [20]byte, place index.Place,
) ([]index.Entry, error) {
	var seq [8]byte
	binary.BigEndian.PutUint64(seq[:], r.Seq)
	out := make([]index.Entry, 0, 3)
	out = append(out, index.Entry{Kind: index.Job, Key: e.keys(index.Job, jobID[:]), Place: place},
		index.Entry{Kind: index.Seq, Key: e.keys(index.Seq, r.Auth.Operator[:], seq[:]), Place: place})
	if r.Auth.PaymentRef == [32]byte{} {
		return out, nil
	}
	owner, blamed, err := e.facts.payers.blamed(ctx, &r.Auth, settler, e.facts.operator)
	if err == nil && blamed {
		out = append(out, index.Entry{Kind: index.Payment, Key: e.keys(index.Payment, owner[:], r.Auth.PaymentRef[:]), Place: place})
	}
	return out, err
}

// enter puts the claims of a chunk into the index and keeps what was claimed before, each pair of places once.
func (e *examination) enter(part []judged) error {
	var entries []index.Entry
	for i := range part {
		entries = append(entries, part[i].entries...)
	}
	conflicts, err := e.claims(entries)
	if err != nil {
		return err
	}
	e.conflicts = append(e.conflicts, conflicts...)
	e.conflicts = gravest(e.conflicts, maxConflicts)
	return nil
}

// gravest keeps of each two places the gravest conflict, and of all the first most.
func gravest(conflicts []index.Conflict, most int) []index.Conflict {
	type pair struct{ first, second index.Place }
	at := make(map[pair]int)
	var out []index.Conflict
	for _, c := range conflicts {
		p := pair{c.First, c.Second}
		if i, known := at[p]; known {
			out[i].Kind = min(out[i].Kind, c.Kind)
			continue
		}
		if len(out) < most {
			at[p] = len(out)
			out = append(out, c)
		}
	}
	return out
}
