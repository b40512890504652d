// SPDX-License-Identifier: Apache-2.0

package keeper

import (
	"context"

	"cosmossdk.io/collections"
	errorsmod "cosmossdk.io/errors"

	"github.com/gpucoord/gpucoord/x/royalties/types"
)

// InitGenesis fills an empty store. The coins of the accruals must be in the module account by bank's genesis, or some
// payees would be paid with the money of others.
// Errors: those of GenesisState.Validate, ErrInvalidAddress and ErrInvalidGenesis.
func (k *Keeper) InitGenesis(ctx context.Context, g *types.GenesisState) error {
	if err := g.Validate(); err != nil {
		return err
	}
	if err := k.initParams(ctx, g); err != nil {
		return err
	}
	if err := k.initAssets(ctx, g); err != nil {
		return err
	}
	for _, c := range g.Commits {
		owner, err := k.owner(c.Owner)
		if err != nil {
			return err
		}
		if _, err := k.ownText(c.Owner); err != nil {
			return err
		}
		if err := k.commits.Set(ctx, collections.Join(c.Hash, owner[:]), c); err != nil {
			return err
		}
	}
	for _, p := range g.AuthorProofs {
		if err := k.proofs.Set(ctx, p.AssetId, p); err != nil {
			return err
		}
	}
	for _, a := range g.Accruals {
		payee, err := k.ownText(a.Payee)
		if err != nil {
			return err
		}
		if err := k.accruals.Set(ctx, payee, a); err != nil {
			return err
		}
	}
	for _, e := range g.Earnings {
		if err := k.earnings.Set(ctx, e.AssetId, e); err != nil {
			return err
		}
	}
	if err := k.checkBalance(ctx, g); err != nil {
		return errorsmod.Wrap(types.ErrInvalidGenesis, err.Error())
	}
	return nil
}

// ownText reads an address that must be written the way this chain writes it: a state that lists one account in two
// spellings would pass for two. Error: ErrInvalidAddress.
func (k *Keeper) ownText(text string) ([]byte, error) {
	addr, err := k.address(text)
	if err != nil {
		return nil, err
	}
	if own, err := k.bech32(addr); err != nil || own != text {
		return nil, errorsmod.Wrapf(types.ErrInvalidAddress, "%q is not in lower case", text)
	}
	return addr, nil
}

// initParams stores the parameters and the royalty caps; without caps, the one in the parameters holds from epoch 0.
func (k *Keeper) initParams(ctx context.Context, g *types.GenesisState) error {
	if err := k.checkArbiter(g.Params.Arbiter); err != nil {
		return err
	}
	if err := k.params.Set(ctx, g.Params); err != nil {
		return err
	}
	if len(g.RoyaltyCaps) == 0 {
		return k.caps.Set(ctx, 0, g.Params.RoyaltyCapBps)
	}
	for _, c := range g.RoyaltyCaps {
		if err := k.caps.Set(ctx, c.FromEpoch, c.RoyaltyCapBps); err != nil {
			return err
		}
	}
	return nil
}

// initAssets stores the assets and their terms.
func (k *Keeper) initAssets(ctx context.Context, g *types.GenesisState) error {
	for _, a := range g.Assets {
		if _, err := k.owner(a.Owner); err != nil {
			return err
		}
		if err := k.assets.Set(ctx, a.Id, a); err != nil {
			return err
		}
	}
	for _, t := range g.Terms {
		for _, p := range t.Payees {
			if _, err := k.ownText(p.Address); err != nil {
				return err
			}
		}
		if err := k.terms.Set(ctx, collections.Join(t.AssetId, t.FromEpoch), t); err != nil {
			return err
		}
	}
	return nil
}

// ExportGenesis returns the whole state, every list in the order of its keys.
func (k *Keeper) ExportGenesis(ctx context.Context) (*types.GenesisState, error) {
	params, err := k.params.Get(ctx)
	if err != nil {
		return nil, err
	}
	g := &types.GenesisState{Params: params}
	err = k.caps.Walk(ctx, nil, func(epoch, bps uint64) (bool, error) {
		g.RoyaltyCaps = append(g.RoyaltyCaps, types.RoyaltyCap{FromEpoch: epoch, RoyaltyCapBps: bps})
		return false, nil
	})
	if err != nil {
		return nil, err
	}
	if g.Assets, err = values(ctx, k.assets); err != nil {
		return nil, err
	}
	if g.Terms, err = values(ctx, k.terms); err != nil {
		return nil, err
	}
	if g.Commits, err = values(ctx, k.commits); err != nil {
		return nil, err
	}
	if g.AuthorProofs, err = values(ctx, k.proofs); err != nil {
		return nil, err
	}
	if g.Accruals, err = values(ctx, k.accruals); err != nil {
		return nil, err
	}
	if g.Earnings, err = values(ctx, k.earnings); err != nil {
		return nil, err
	}
	return g, nil
}

// walker is a collection whose entries can be walked in the order of their keys.
type walker[K, V any] interface {
	Walk(ctx context.Context, ranger collections.Ranger[K], do func(K, V) (stop bool, err error)) error
}

// values returns all values of a collection in the order of their keys.
func values[K, V any](ctx context.Context, c walker[K, V]) ([]V, error) {
	var list []V
	err := c.Walk(ctx, nil, func(_ K, v V) (bool, error) {
		list = append(list, v)
		return false, nil
	})
	return list, err
}
