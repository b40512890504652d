// SPDX-License-Identifier: Apache-2.0

package evm

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"

	"github.com/gpucoord/gpucoord/relayer/evm/report"
)

// job is what to send: an anchor, or the proof of a conflict.
type job struct {
	// id is the hash of what is sent, nonce the anchor's.
	id    [32]byte
	nonce uint64
	// freeze says that it accuses.
	freeze bool
	data   []byte
	// gas is the limit where the node does not estimate.
	gas uint64
}

// next decides what to send; nil for nothing.
func (a *Anchorer) next(ctx context.Context, v view) (*job, error) {
	if v.latest.Frozen {
		return nil, nil //nolint:nilnil // nothing to do is an answer
	}
	accusation, err := a.compare(ctx, v)
	if err != nil || accusation != nil {
		return accusation, err
	}
	if a.cfg.WatchOnly || v.left < 0 || v.attested.Anchor.Nonce <= v.latest.Nonce {
		return nil, nil //nolint:nilnil // nothing to do is an answer
	}
	att, err := a.chain.Next(ctx, v.latest.Valset, v.latest.Nonce)
	if errors.Is(err, ErrNoAnchor) {
		a.raise(report.AlertOtherSet, fmt.Errorf("the chain has no anchor that the contract's set %x signed: recover the contract when it is stale", v.latest.Valset))
		return nil, nil //nolint:nilnil // nothing to do is an answer
	}
	if err != nil {
		return nil, fmt.Errorf("read the next anchor: %w", err)
	}
	return a.submission(ctx, v, att)
}

// submission verifies an anchor as the contract will.
func (a *Anchorer) submission(ctx context.Context, v view, att Attested) (*job, error) {
	held, next := v.latest, att.Anchor
	if att.Signers != held.Valset || next.Nonce <= held.Nonce || next.Height <= held.Height || next.TreeSize < held.TreeSize {
		return nil, fmt.Errorf("%w: nonce %d does not follow %d", ErrBadAnchor, next.Nonce, held.Nonce)
	}
	p, err := prove(ctx, a.chain, a.domain(), att)
	if err != nil {
		return nil, err
	}
	path, err := growth(ctx, a.chain, held, next)
	if err != nil {
		return nil, err
	}
	return &job{
		id: next.StructHash(), nonce: next.Nonce, data: a.contract.submission(p, path), gas: computedGas(len(p.members), len(p.sigs), len(path)),
	}, nil
}

// compare checks that the contract's newest anchor is the chain's, and returns the proof of a conflict where it is not.
//
// Looking at the newest is enough: a wrong one before it would have to be a part of its log, which the contract checks.
func (a *Anchorer) compare(ctx context.Context, v view) (*job, error) {
	if v.latest.Nonce == 0 || v.latest.Held == a.checked {
		return nil, nil //nolint:nilnil // no conflict is an answer
	}
	own, err := a.chain.At(ctx, v.latest.Nonce)
	switch {
	case errors.Is(err, ErrNoAnchor):
		return nil, a.compareLog(ctx, v)
	case err != nil:
		return nil, fmt.Errorf("read anchor %d: %w", v.latest.Nonce, err)
	case own.Anchor.StructHash() == v.latest.Held:
		a.checked = v.latest.Held
		return nil, nil //nolint:nilnil // no conflict is an answer
	}
	a.raise(report.AlertConflict, fmt.Errorf("the contract's anchor %d is %x, the chain's is %x", v.latest.Nonce, v.latest.Held, own.Anchor.StructHash()))
	return a.accuse(ctx, v, own)
}

// accuse returns the call that freezes the contract. Without a key it is reported, for whoever has one.
func (a *Anchorer) accuse(ctx context.Context, v view, own Attested) (*job, error) {
	held, ok := v.latest.Anchor()
	if !ok || v.left < 0 {
		return nil, nil //nolint:nilnil // the alert stands; the contract would not take the call
	}
	p, err := prove(ctx, a.chain, a.domain(), own)
	if err != nil {
		return nil, err
	}
	j := &job{
		id: own.Anchor.StructHash(), nonce: held.Nonce, freeze: true, data: a.contract.accusation(held, p),
		gas: computedGas(len(p.members), len(p.sigs), 0),
	}
	if a.purse == nil {
		a.handOver(ctx, j)
	}
	return j, nil
}

// handOver reports the call once.
func (a *Anchorer) handOver(ctx context.Context, j *job) {
	text := "0x" + hex.EncodeToString(j.data)
	if a.board.Read().FreezeCalldata == text {
		return
	}
	a.board.Update(func(c *report.Chain) { c.FreezeCalldata = text })
	a.log.ErrorContext(ctx, "conflict found and no key to freeze with: send this to the contract from any account",
		slog.String("to", a.cfg.Contract.Hex()), slog.String("data", text))
}
