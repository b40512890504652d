// SPDX-License-Identifier: Apache-2.0

package evm

import (
	"context"
	"errors"
	"fmt"

	"github.com/gpucoord/gpucoord/domain/log"
	"github.com/gpucoord/gpucoord/relayer/evm/report"
)

// compareLog is for an anchor that the chain does not keep, or did not attest: its log must still be a part of the chain's.
func (a *Anchorer) compareLog(ctx context.Context, v view) error {
	now, held := v.attested.Anchor, v.latest
	if now.Nonce < held.Nonce {
		return a.compareAhead(ctx, v)
	}
	isPart, err := a.isPart(ctx, held, now.TreeSize, now.Root)
	if err != nil {
		return err
	}
	if !isPart {
		a.conflict(held, errors.New("its log is not a part of the chain's, which kept no anchor to show beside it"))
		return nil
	}
	a.checked = held.Held
	return nil
}

// compareAhead is for an anchor above all that the node attested. The node can be behind, or the chain has not attested it yet, or gave
// it up: all three pass by waiting. A false anchor under a nonce that is still to come does not, and nothing of the chain's can be
// shown to the contract beside it, so what the chain can never have stated must be said here.
//
// Errors: ErrNoAnchor while it can be true.
func (a *Anchorer) compareAhead(ctx context.Context, v view) error {
	held, at := v.latest, v.attested.Anchor
	chain, err := a.chain.Newest(ctx)
	if err != nil {
		return fmt.Errorf("read the chain's newest block: %w", err)
	}
	_, isOwnTime := held.Anchor() // after a recovery the head's time may be the guardian's
	passed := held.Height < chain.Height
	var reason error
	switch {
	case held.Height <= at.Height:
		reason = fmt.Errorf("the chain's anchor %d is of height %d", at.Nonce, at.Height)
	case passed && held.TreeSize > chain.TreeSize:
		reason = fmt.Errorf("the chain's log has %d leaves at height %d", chain.TreeSize, chain.Height)
	case isOwnTime && passed && held.Time > chain.Time, isOwnTime && held.Height > chain.Height && held.Time < chain.Time:
		reason = fmt.Errorf("the chain's block %d is of time %d", chain.Height, chain.Time)
	case passed:
		if _, err := a.chain.Valset(ctx, held.Valset); errors.Is(err, ErrNoAnchor) {
			reason = errors.New("the chain never named its set")
		} else if err != nil {
			return fmt.Errorf("read the set %x: %w", held.Valset, err)
		}
	}
	if reason == nil && held.TreeSize <= chain.TreeSize {
		isPart, err := a.isPart(ctx, held, chain.TreeSize, chain.Root)
		if err != nil {
			return err
		}
		if !isPart {
			reason = errors.New("its log is not a part of the chain's")
		}
	}
	if reason != nil {
		a.conflict(held, reason)
		return nil
	}
	return fmt.Errorf("%w: the contract has %d and the node %d; wait until the node has caught up", ErrNoAnchor, held.Nonce, at.Nonce)
}

func (a *Anchorer) conflict(held State, reason error) {
	a.raise(report.AlertConflict, fmt.Errorf("the contract's anchor %d, of height %d, time %d and %d leaves, is false: %w",
		held.Nonce, held.Height, held.Time, held.TreeSize, reason))
}

// isPart reports whether the log that a contract holds is the beginning of the chain's.
func (a *Anchorer) isPart(ctx context.Context, held State, size uint64, root [32]byte) (bool, error) {
	if held.TreeSize == 0 || held.TreeSize > size {
		return held.TreeSize == 0, nil
	}
	var path [][32]byte
	if held.TreeSize < size {
		var err error
		if path, err = a.chain.Consistency(ctx, held.TreeSize, size); err != nil {
			return false, fmt.Errorf("fetch the proof from %d to %d: %w", held.TreeSize, size, err)
		}
	}
	return log.VerifyConsistency(held.Root, root, held.TreeSize, size, path) == nil, nil
}
