// SPDX-License-Identifier: Apache-2.0

package keeper

import (
	"context"
	"errors"

	"cosmossdk.io/collections"
	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/gpucoord/gpucoord/domain/anchor"
	"github.com/gpucoord/gpucoord/x/anchors/types"
)

// advance is one block's step of anchoring. At most one anchor is open; its nonce is never used for another.
func (k *Keeper) advance(ctx context.Context) error {
	if _, err := k.Origin(ctx); err != nil {
		if errors.Is(err, types.ErrNoOrigin) {
			return nil // a chain from before anchors existed goes on without them
		}
		return err
	}
	params, err := k.Params(ctx)
	if err != nil {
		return err
	}
	open, found, err := k.openAnchor(ctx)
	if err != nil {
		return err
	}
	if found {
		waiting, err := k.continueOpen(ctx, &open, &params)
		if err != nil || waiting {
			return err
		}
	}
	next, _, err := k.due(ctx, &params)
	if err != nil || next == nil {
		return err
	}
	return k.openNext(ctx, next)
}

// openAnchor returns the open anchor, if there is one.
func (k *Keeper) openAnchor(ctx context.Context) (types.OpenAnchor, bool, error) {
	open, err := k.open.Get(ctx)
	if errors.Is(err, collections.ErrNotFound) {
		return open, false, nil
	}
	return open, err == nil, err
}

// continueOpen attests the open anchor, or closes it when its time is over. It reports whether nothing else can be opened yet.
func (k *Keeper) continueOpen(ctx context.Context, open *types.OpenAnchor, params *types.Params) (waiting bool, err error) {
	height, _ := clock(ctx)
	over := height >= open.Anchor.Height+params.AnchorTimeoutBlocks
	if !open.Attested {
		enough, err := k.quorum(ctx, open)
		if err != nil {
			return false, err
		}
		if !enough {
			if !over {
				return true, nil
			}
			return false, k.abandon(ctx, open)
		}
		if err := k.attest(ctx, open); err != nil {
			return false, err
		}
	}
	if !over {
		return false, nil // late signatures are still taken; a change of the set may cut that short
	}
	if err := k.charge(ctx, open, params); err != nil {
		return false, err
	}
	return false, k.closeOpen(ctx)
}

// quorum reports whether the signatures of the open anchor hold more than two thirds of its signers' power: by the power that the
// set has on the EVM, and by the power that its members have in the consensus now.
func (k *Keeper) quorum(ctx context.Context, open *types.OpenAnchor) (bool, error) {
	signatures, err := k.signatures(ctx)
	if err != nil || len(signatures) == 0 {
		return false, err
	}
	set, err := k.Valset(ctx, open.SignersHash)
	if err != nil {
		return false, err
	}
	var signed uint64
	has := make([]bool, len(set))
	for i := range signatures {
		has[signatures[i].Member] = true
		signed += set[signatures[i].Member].Power
	}
	if !set.Enough(signed) {
		return false, nil
	}
	// Members that left have no power now, and newcomers are no members: a set that is on its way out can always name the next one.
	var signedNow, totalNow uint64
	for i := range set {
		validator, _, err := k.owner(ctx, set[i].Address[:])
		if err != nil {
			return false, err
		}
		power, err := k.power(ctx, validator)
		if err != nil {
			return false, err
		}
		totalNow += power
		if has[i] {
			signedNow += power
		}
	}
	return totalNow <= anchor.MaxTotalPower && 3*signedNow > 2*totalNow, nil
}

// attest records that the open anchor has its quorum. The next one is signed by the set that it names.
func (k *Keeper) attest(ctx context.Context, open *types.OpenAnchor) error {
	head, err := k.anchorHead(ctx)
	if err != nil {
		return err
	}
	signatures, err := k.signatures(ctx)
	if err != nil {
		return err
	}
	height, _ := clock(ctx)
	changesSet := open.Era != head.Era || string(open.SignersHash) != string(open.Anchor.NextValset)
	err = k.attested.Set(ctx, open.Anchor.Nonce, types.AttestedAnchor{
		Anchor: open.Anchor, SignersHash: open.SignersHash, Signatures: signatures, AttestedHeight: height, ChangesSet: changesSet, Era: open.Era,
	})
	if err != nil {
		return err
	}
	head.Era, head.SignersHash = open.Era, open.Anchor.NextValset
	head.AttestedNonce, head.AttestedHeight = open.Anchor.Nonce, open.Anchor.Height
	head.AttestedTime, head.AttestedSize = open.Anchor.Time, open.Anchor.TreeSize
	if err := k.head.Set(ctx, head); err != nil {
		return err
	}
	open.Attested = true
	if err := k.open.Set(ctx, *open); err != nil {
		return err
	}
	return sdk.UnwrapSDKContext(ctx).EventManager().EmitTypedEvent(&types.EventAnchorAttested{
		Nonce: open.Anchor.Nonce, Signatures: uint32(len(signatures)), ChangesSet: changesSet, Era: open.Era, //nolint:gosec // at most 256
	})
}

// abandon gives up an anchor that found no quorum. What was signed of it stays true, so nobody is charged and nothing is undone.
func (k *Keeper) abandon(ctx context.Context, open *types.OpenAnchor) error {
	signatures, err := k.signatures(ctx)
	if err != nil {
		return err
	}
	if err := k.closeOpen(ctx); err != nil {
		return err
	}
	return sdk.UnwrapSDKContext(ctx).EventManager().EmitTypedEvent(&types.EventAnchorAbandoned{
		Nonce: open.Anchor.Nonce, Signatures: uint32(len(signatures)), //nolint:gosec // at most 256
	})
}

// closeOpen removes the open anchor and its signatures, at most 256.
func (k *Keeper) closeOpen(ctx context.Context) error {
	if err := k.openSignatures.Clear(ctx, nil); err != nil {
		return err
	}
	return k.open.Remove(ctx)
}

// proposal is an anchor that is due, without its nonce.
type proposal struct {
	signers, next         anchor.Valset
	signersHash, nextHash [32]byte
	era                   uint64
	statement             anchor.Anchor
}

// due returns the anchor that this block should open, or nil and the reason why none.
func (k *Keeper) due(ctx context.Context, params *types.Params) (*proposal, string, error) {
	head, err := k.anchorHead(ctx)
	if err != nil {
		return nil, "", err
	}
	now, err := k.bondedSet(ctx, params.MaxMembers)
	if err != nil {
		return nil, "", err
	}
	if !now.usable() {
		return nil, "validators with an anchor key do not hold more than two thirds of the bonded power", nil
	}
	size, root, err := k.Head(ctx)
	if err != nil {
		return nil, "", err
	}
	height, time := clock(ctx)
	p := &proposal{era: head.Era, next: now.set, statement: anchor.Anchor{Height: height, Time: time, TreeSize: size, Root: root}}
	if head.AttestedNonce == 0 || time >= head.AttestedTime+params.TrustingPeriodSeconds {
		// Nobody holds a set that could still name the next one, so a chain of sets begins with the present one.
		p.era, p.signers = head.Era+1, now.set
		p.hash()
		return p, "", nil
	}
	if p.signers, err = k.Valset(ctx, head.SignersHash); err != nil {
		return nil, "", err
	}
	moved, others := difference(p.signers, now.set)
	switch {
	case moved >= part(p.signers.Total(), params.MinSetChangeBps):
	case others && height >= head.AttestedHeight+params.AnchorTimeoutBlocks:
		// Every contract has to take each change, so small ones wait: else two validators who take turns at the end of the set would
		// have relayers pay for an anchor every few blocks, and cut each one's time for late signatures short.
	case size > head.AttestedSize && height >= head.AttestedHeight+params.IntervalBlocks,
		time >= head.AttestedTime+params.TrustingPeriodSeconds/3:
		if !others {
			p.next = p.signers // powers that drifted a little are no reason to make every contract take this anchor
		}
	default:
		return nil, "none is due", nil
	}
	p.hash()
	return p, "", nil
}

func (p *proposal) hash() {
	p.signersHash, p.nextHash = p.signers.Hash(), p.next.Hash()
	p.statement.NextValset = p.nextHash
}

// openNext opens the anchor under the next nonce. One that is attested and open only for late signatures is closed for it, and
// nobody charged: not everyone has had the time.
func (k *Keeper) openNext(ctx context.Context, p *proposal) error {
	if err := k.closeOpen(ctx); err != nil {
		return err
	}
	head, err := k.anchorHead(ctx)
	if err != nil {
		return err
	}
	head.Nonce++
	if err := k.head.Set(ctx, head); err != nil {
		return err
	}
	p.statement.Nonce = head.Nonce
	if err := k.useValset(ctx, p.signersHash, p.signers, head.Nonce); err != nil {
		return err
	}
	if err := k.useValset(ctx, p.nextHash, p.next, head.Nonce); err != nil {
		return err
	}
	hash := p.statement.StructHash()
	err = k.made.Set(ctx, head.Nonce, types.MadeAnchor{
		StructHash: hash[:], Height: p.statement.Height, Time: p.statement.Time, SignersHash: p.signersHash[:], NextValset: p.nextHash[:],
	})
	if err != nil {
		return err
	}
	open := types.OpenAnchor{Anchor: types.AnchorOf(p.statement), SignersHash: p.signersHash[:], Era: p.era}
	if err := k.open.Set(ctx, open); err != nil {
		return err
	}
	return sdk.UnwrapSDKContext(ctx).EventManager().EmitTypedEvent(&types.EventAnchorOpened{
		Anchor: open.Anchor, SignersHash: open.SignersHash, Era: open.Era,
	})
}

// anchorHead returns what the next anchor continues; before the first one it is empty.
func (k *Keeper) anchorHead(ctx context.Context) (types.AnchorHead, error) {
	head, err := k.head.Get(ctx)
	if errors.Is(err, collections.ErrNotFound) {
		return types.AnchorHead{}, nil
	}
	return head, err
}
