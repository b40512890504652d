// SPDX-License-Identifier: Apache-2.0

package verify

import (
	"context"
	"errors"
	"time"

	comet "github.com/cometbft/cometbft/types"

	"github.com/gpucoord/gpucoord/domain/anchor"
	"github.com/gpucoord/gpucoord/domain/log"
	"github.com/gpucoord/gpucoord/domain/receipt"
)

// DefaultTrustingPeriod is two thirds of the unbonding time of three weeks: for as long, validators that lie can still be punished.
const DefaultTrustingPeriod = 14 * 24 * time.Hour

// Trust names the header that the user trusts, from a source of his own.
type Trust struct {
	Height int64
	Hash   [32]byte
}

// Options are what the user trusts and asks for.
type Options struct {
	// Trust is the header everything else is checked from.
	Trust Trust
	// Now is this machine's time.
	Now time.Time
	// TrustingPeriod is for how long an earlier header is trusted.
	TrustingPeriod time.Duration
	// Contract asks an EVM contract; nil leaves that check out.
	Contract *Contract
	// Skip names checks that the user wants left out.
	Skip []string
	// Recover is the signature recovery to use; nil means the one in pure Go.
	Recover receipt.Recover
}

// verifier is the work on one bundle.
type verifier struct {
	options Options
	bundle  *Bundle
	rows    recorder

	// record is nil until its rules 1 to 10 have passed; job is its id.
	record *receipt.Record
	job    [32]byte
}

// Verify makes every check it can and reports each. It uses the network only for options.Contract.
func Verify(ctx context.Context, text []byte, options Options) *Report {
	v := &verifier{options: options, rows: recorder{rows: map[string]Row{}, skip: map[string]bool{}}}
	if v.options.Recover == nil {
		v.options.Recover = receipt.RecoverAddress
	}
	if v.options.TrustingPeriod == 0 {
		v.options.TrustingPeriod = DefaultTrustingPeriod
	}
	for _, name := range options.Skip {
		v.rows.skip[name] = true
	}
	bundle, err := Decode(text)
	if err != nil {
		v.rows.fail(CheckBundle, err)
		return v.rows.report(options.Now)
	}
	v.bundle = bundle
	v.rows.pass(CheckBundle, "%d bytes of chain %q", len(text), bundle.ChainID)
	v.run(ctx)
	return v.rows.report(options.Now)
}

// run makes the checks. Those whose subject could not even be read are left out; the reader's error is another row's failure.
func (v *verifier) run(ctx context.Context) {
	block, err := v.bundle.lightBlock()
	if err != nil {
		v.rows.fail(CheckCommit, err)
	} else {
		v.checkBlock(block)
	}
	state, err := v.bundle.state()
	switch {
	case err != nil:
		v.rows.fail(CheckState, err)
	case block != nil:
		v.checkState(state, block)
	}
	if state != nil {
		v.checkRecord(state.evmChainID)
	}
	stated, err := v.bundle.anchor()
	if err != nil {
		v.rows.fail(CheckAnchor, err)
	}
	leaf, err := decodeLeaf(v.bundle.Leaf.Data)
	if err != nil {
		v.rows.fail(CheckBatch, err)
	} else {
		v.checkClaim(leaf, block)
	}
	if stated != nil {
		v.checkAnchored(ctx, stated, state, block)
	}
}

// checkBlock makes the rows of the header.
func (v *verifier) checkBlock(block *lightBlock) {
	h := block.signed
	if err := block.checkCommit(); err != nil {
		v.rows.fail(CheckCommit, err)
		return
	}
	signed := 0
	for _, s := range h.Commit.Signatures {
		if s.BlockIDFlag == comet.BlockIDFlagCommit {
			signed++
		}
	}
	v.rows.pass(CheckCommit, "header %d, %s, of %s: %d of its %d validators, with more than 2/3 of the power, signed it", h.Height, h.Hash(),
		h.Time.UTC().Format(time.RFC3339), signed, block.validators.Size())
	why, err := v.checkTrust(block)
	switch {
	case errors.Is(err, ErrNoTrustedHeader):
		v.rows.open(CheckTrust, "%s", err)
	case err != nil:
		v.rows.fail(CheckTrust, err)
	default:
		v.rows.pass(CheckTrust, "header %d: %s", h.Height, why)
	}
}

// checkClaim makes the rows that lead from the record to the leaf of the log.
func (v *verifier) checkClaim(leaf batchLeaf, block *lightBlock) {
	group, path, err := v.bundle.group(leaf)
	if err == nil {
		err = v.checkBatch(&group, path, leaf)
	}
	if err != nil {
		v.rows.fail(CheckBatch, err)
		return
	}
	if v.record == nil {
		return
	}
	if err := v.checkOpening(&group, leaf); err != nil {
		v.rows.fail(CheckOpening, err)
	}
	if block != nil && v.record.ServedAt > unixSeconds(block.signed.Time)+receipt.ClockSlackSeconds {
		v.rows.fail(CheckOpening, ErrServedLater)
	}
}

// checkAnchored makes the rows about the anchor and the log.
func (v *verifier) checkAnchored(ctx context.Context, stated *signedAnchor, state *state, block *lightBlock) {
	leafHash := log.LeafHash(v.bundle.Leaf.Data)
	path, err := hashes(v.bundle.Leaf.Path, "leaf.path")
	if err == nil {
		err = log.VerifyInclusion(stated.Root, stated.TreeSize, v.bundle.Leaf.Index, leafHash, path)
	}
	if err != nil {
		v.rows.fail(CheckLog, err)
	} else {
		v.rows.pass(CheckLog, "the batch is leaf %d of the %d under root %x, which anchor %d states", v.bundle.Leaf.Index, stated.TreeSize,
			stated.Root, stated.Nonce)
	}
	if state != nil {
		v.checkConsistency(stated, state, block)
		v.checkSigners(stated, state)
	}
	v.checkContract(ctx, stated, leafHash, path)
}

// checkConsistency checks that the log which the anchor states is a beginning of the one in the chain's state.
func (v *verifier) checkConsistency(stated *signedAnchor, state *state, block *lightBlock) {
	if block == nil {
		return
	}
	if int64(stated.Height) >= block.signed.Height || stated.Height > 1<<62 || stated.Time > unixSeconds(block.signed.Time) { //nolint:gosec // bounded beside it
		v.rows.fail(CheckConsistency, ErrAnchorAhead)
		return
	}
	path, err := hashes(v.bundle.LogConsistency, "log_consistency")
	if err == nil {
		err = log.VerifyConsistency(stated.Root, state.log.Root(), stated.TreeSize, state.log.Size, path)
	}
	if err != nil {
		v.rows.fail(CheckConsistency, err)
		return
	}
	v.rows.pass(CheckConsistency, "the anchor's %d leaves are the first of the %d in the chain's log at height %d", stated.TreeSize,
		state.log.Size, block.signed.Height-1)
}

// checkSigners checks the signatures of the anchor by a set that the chain's state holds.
func (v *verifier) checkSigners(stated *signedAnchor, state *state) {
	digest := anchor.NewDomain(state.origin).Digest(stated.Anchor)
	if err := state.members.Verify(digest, stated.bitmap, stated.signatures, anchor.Recover(v.options.Recover)); err != nil {
		v.rows.fail(CheckAnchor, err)
		return
	}
	v.rows.pass(CheckAnchor, "anchor %d of height %d, %s: %d of the %d members of set %x, with more than 2/3 of the power, signed it",
		stated.Nonce, stated.Height, unixTime(stated.Time), len(stated.signatures), len(state.members), state.members.Hash())
}

func unixSeconds(t time.Time) uint64 { return uint64(max(0, t.Unix())) } //nolint:gosec // not negative

// checkState verifies all proofs of state against the header.
func (v *verifier) checkState(s *state, block *lightBlock) {
	if err := s.verify(block.signed.AppHash); err != nil {
		v.rows.fail(CheckState, err)
		return
	}
	v.rows.pass(CheckState, "log of %d leaves, anchor members, origin %x and EIP-155 id %d are in the state of height %d under app hash %s",
		s.log.Size, s.origin, s.evmChainID, block.signed.Height-1, block.signed.AppHash)
}
