// SPDX-License-Identifier: Apache-2.0

package verify

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/gpucoord/gpucoord/domain/log"
	"github.com/gpucoord/gpucoord/domain/receipt"
	"github.com/gpucoord/gpucoord/domain/sumtree"
)

// maxGroups is how many groups a batch can have: the bound of the chain's parameter.
const maxGroups = 256

// batchLeaf is the leaf of a settled batch.
type batchLeaf struct {
	batchID  uint64
	operator [20]byte // the operator's account; the host key is the group's
	hostID   [32]byte
	epoch    uint64
	count    uint64
	amount   uint64
	root     [32]byte
}

// decodeLeaf reads the leaf data of a settled batch. What it returns encodes to exactly b.
func decodeLeaf(b []byte) (batchLeaf, error) {
	if len(b) != log.BatchLeafSize {
		return batchLeaf{}, fmt.Errorf("%w: %d bytes", ErrNotBatchLeaf, len(b))
	}
	l := batchLeaf{
		batchID:  binary.BigEndian.Uint64(b[5:]),
		operator: [20]byte(b[13:33]),
		hostID:   [32]byte(b[33:65]),
		epoch:    binary.BigEndian.Uint64(b[65:]),
		count:    binary.BigEndian.Uint64(b[73:]),
		amount:   binary.BigEndian.Uint64(b[81:]),
		root:     [32]byte(b[89:121]),
	}
	if !bytes.Equal(log.BatchLeaf(l.batchID, l.operator, l.hostID, l.epoch, l.count, l.amount, l.root), b) {
		return batchLeaf{}, ErrNotBatchLeaf
	}
	return l, nil
}

// group reads the group; its host is the leaf's.
func (b *Bundle) group(leaf batchLeaf) (g sumtree.Group, path [][32]byte, err error) {
	g = sumtree.Group{
		HostID: leaf.hostID, Count: b.Group.Count, FirstSeq: b.Group.FirstSeq, LastSeq: b.Group.LastSeq,
	}
	var errs [6]error
	g.Settler, errs[0] = array[[20]byte](b.Group.Settler, "group.settler")
	g.ModelID, errs[1] = array[[32]byte](b.Group.ModelID, "group.model_id")
	g.AdapterID, errs[2] = array[[32]byte](b.Group.AdapterID, "group.adapter_id")
	g.Root, errs[3] = sumtree.DecodeEntry(b.Group.Root)
	path, errs[4] = hashes(b.Group.Path, "group.path")
	g.Operator, errs[5] = array[[20]byte](b.Group.HostKey, "group.host_key")
	return g, path, errors.Join(errs[:]...)
}

// verifyGroup checks the group's place in the batch. Nothing commits to the number of groups, and numbers for which the path has the
// same shape lead to the same root, so the first of them is as good as the true one.
func verifyGroup(root [32]byte, index uint64, hash [32]byte, path [][32]byte) error {
	for n := index + 1; n <= maxGroups; n++ {
		if err := sumtree.VerifyGroup(root, n, index, hash, path); !errors.Is(err, sumtree.ErrBadPathLength) {
			return err
		}
	}
	return sumtree.ErrBadPathLength
}

// checkRecord makes the rows of the record itself. The domain needs the chain's EIP-155 id, which is a parameter in its state.
func (v *verifier) checkRecord(evmChainID uint64) {
	sr1 := v.bundle.Record
	record, err := receipt.Decode(sr1)
	if err != nil {
		v.rows.fail(CheckRecord, ruleError(err))
		return
	}
	checker := receipt.Checker{Domain: receipt.NewDomain(v.bundle.ChainID, evmChainID), Recover: v.options.Recover}
	_, _, err = checker.CheckRecord(&record)
	signature := map[error]string{
		receipt.ErrBadPayerSig: CheckPayer, receipt.ErrBadOperatorSig: CheckHost, receipt.ErrBadFinalSig: CheckCountersignature,
	}[err]
	if err != nil && signature == "" {
		v.rows.fail(CheckRecord, ruleError(err))
		return
	}
	jobID := record.JobID(checker.Domain)
	v.job = jobID
	v.rows.pass(CheckRecord, "job %x: %s, %d tokens, %d micro-USD, served %s", jobID, record.Outcome,
		record.PromptTokens+record.OutputTokens, record.Amount, unixTime(record.ServedAt))
	v.record = &record
	if signature == CheckPayer {
		v.rows.fail(CheckPayer, ruleError(err))
		return
	}
	v.rows.pass(CheckPayer, "%x ordered the job, for at most %d micro-USD, at %s", record.Auth.Payer, record.Auth.MaxAmount,
		unixTime(record.Auth.IssuedAt))
	if signature == CheckHost {
		v.rows.fail(CheckHost, ruleError(err))
		return
	}
	v.rows.pass(CheckHost, "host key %x stated the result as seq %d of epoch %d", record.Auth.Operator, record.Seq, record.Epoch)
	switch {
	case signature == CheckCountersignature:
		v.rows.fail(CheckCountersignature, ruleError(err))
	case record.Countersigned:
		v.rows.pass(CheckCountersignature, "%x, who ordered the job, confirmed the result", record.Auth.Payer)
	default:
		v.rows.open(CheckCountersignature, "the record has none: the result is the host's word alone")
	}
}

func ruleError(err error) error { return fmt.Errorf("%s: %w", receipt.RuleName(err), err) }

// checkOpening checks that the record is the opened leaf of its group.
func (v *verifier) checkOpening(g *sumtree.Group, leaf batchLeaf) error {
	opening, err := sumtree.DecodeOpening(v.bundle.Opening)
	if err != nil {
		return err
	}
	r := v.record
	want, err := sumtree.LeafOf(r, v.job, v.bundle.Record)
	if err != nil {
		return err
	}
	switch {
	case opening.Leaf != want:
		return ErrLeafMismatch
	case opening.N != g.Count:
		return ErrWrongCount
	case r.Auth.Operator != g.Operator || r.HostID != leaf.hostID || r.Epoch != leaf.epoch,
		r.Auth.ModelID != g.ModelID || r.Auth.AdapterID != g.AdapterID,
		r.Seq < g.FirstSeq || r.Seq > g.LastSeq:
		return ErrWrongGroup
	}
	if _, err := opening.Verify(g.Root); err != nil {
		return err
	}
	v.rows.pass(CheckOpening, "leaf %d of %d in the group of settler %x, whose sums are part of every hash above it", opening.Index,
		opening.N, g.Settler)
	return nil
}

// checkBatch checks that the group is one of the settled batch.
func (v *verifier) checkBatch(g *sumtree.Group, path [][32]byte, leaf batchLeaf) error {
	if g.Count > leaf.count || g.Root.Amount > leaf.amount {
		return ErrBatchSums
	}
	if err := verifyGroup(leaf.root, v.bundle.Group.Index, g.Hash(), path); err != nil {
		return err
	}
	v.rows.pass(CheckBatch, "group %d of batch %d: operator %x, epoch %d, %d receipts of %d micro-USD in all", v.bundle.Group.Index,
		leaf.batchID, leaf.operator, leaf.epoch, leaf.count, leaf.amount)
	return nil
}

func unixTime(seconds uint64) string {
	if seconds > 1<<40 {
		return fmt.Sprintf("second %d", seconds)
	}
	return time.Unix(int64(seconds), 0).UTC().Format(time.RFC3339) //nolint:gosec // bounded above
}
