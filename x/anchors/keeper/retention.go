// SPDX-License-Identifier: Apache-2.0

package keeper

import (
	"context"
	"errors"

	"cosmossdk.io/collections"

	"github.com/gpucoord/gpucoord/x/anchors/types"
)

// pruneAnchorsLimit is how many nonces a block looks at for removal. It is above one so that a shortened retention is reached.
const pruneAnchorsLimit = 4

// pruneAnchors removes what is no longer needed, in the order of nonces: attested anchors beyond the newest keep_anchors, except those
// that change the set; and, when the unbonding time is over as well, those, what the chain stated, and the sets that nothing newer
// needs.
func (k *Keeper) pruneAnchors(ctx context.Context) error {
	head, err := k.anchorHead(ctx)
	if err != nil || head.AttestedNonce == 0 {
		return err
	}
	params, err := k.Params(ctx)
	if err != nil {
		return err
	}
	cursor := head.PruneNonce
	for range pruneAnchorsLimit {
		if cursor+params.KeepAnchors >= head.AttestedNonce {
			break
		}
		cursor++
		if err := k.dropAnchor(ctx, cursor, false); err != nil {
			return err
		}
	}
	if cursor != head.PruneNonce {
		head.PruneNonce = cursor
		if err := k.head.Set(ctx, head); err != nil {
			return err
		}
	}
	return k.forgetMade(ctx, &head)
}

// dropAnchor removes an attested anchor; one that changes the set only when changing says so.
func (k *Keeper) dropAnchor(ctx context.Context, nonce uint64, changing bool) error {
	attested, err := k.attested.Get(ctx, nonce)
	if errors.Is(err, collections.ErrNotFound) {
		return nil
	}
	if err != nil || (attested.ChangesSet && !changing) {
		return err
	}
	return k.attested.Remove(ctx, nonce)
}

// forgetMade removes what the chain stated under nonces up to the cursor, once nobody can be slashed for another statement.
func (k *Keeper) forgetMade(ctx context.Context, head *types.AnchorHead) error {
	unbonding, err := k.unbondingSeconds(ctx)
	if err != nil {
		return err
	}
	_, now := clock(ctx)
	type entry struct {
		nonce uint64
		made  types.MadeAnchor
	}
	var old []entry
	upTo := new(collections.Range[uint64]).EndInclusive(head.PruneNonce)
	err = k.made.Walk(ctx, upTo, func(nonce uint64, made types.MadeAnchor) (bool, error) {
		if made.Time+unbonding >= now {
			return true, nil
		}
		old = append(old, entry{nonce: nonce, made: made})
		return len(old) == pruneAnchorsLimit, nil
	})
	if err != nil {
		return err
	}
	for i := range old {
		nonce, made := old[i].nonce, &old[i].made
		if err := k.dropAnchor(ctx, nonce, true); err != nil {
			return err
		}
		if err := k.made.Remove(ctx, nonce); err != nil {
			return err
		}
		for _, hash := range [][]byte{made.SignersHash, made.NextValset} {
			if string(hash) == string(head.SignersHash) {
				continue // the next anchor is signed by it
			}
			if err := k.forgetValset(ctx, hash, nonce); err != nil {
				return err
			}
		}
	}
	return nil
}
