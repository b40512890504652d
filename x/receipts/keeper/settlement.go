// SPDX-License-Identifier: Apache-2.0

package keeper

import (
	"context"

	errorsmod "cosmossdk.io/errors"

	"github.com/gpucoord/gpucoord/domain/split"
	"github.com/gpucoord/gpucoord/x/receipts/types"
	royaltiestypes "github.com/gpucoord/gpucoord/x/royalties/types"
)

// settlement is what settling a batch will do: its groups by settler, what authors get, and the sums over the funded groups.
type settlement struct {
	parts     []part
	royalties []royaltiestypes.GroupDue
	unfunded  []uint32 // positions
	take      split.Take
	amount, royalty,
	operator uint64 // operator shares that are settled here
}

// part is what the groups of one settler come to, all but unfundedJobs of them funded. Each group's take is divided by itself, so that
// the groups' parts are what any reader of the batch gets.
type part struct {
	settler      []byte
	class        types.Class
	funded       bool // any
	locked       uint64
	jobs         uint64
	unfundedJobs uint64
	usage        types.Usage // only its sums are set
}

// planSettlement prices the funded groups again, which must give what was locked, and sums them.
// Errors: those of royalties' Pricer, ErrPriceChanged, ErrInvariant.
func (k *Keeper) planSettlement(ctx context.Context, b *types.Batch, state *types.EpochState) (*settlement, error) {
	p := &state.Params
	bps := split.TakeBps{Take: p.TakeBps, Pool: p.PoolBps, Probers: p.ProbersBps, Insurance: p.InsuranceBps, Aleph: p.AlephBps}
	plan := &settlement{}
	price := k.royalties.Pricer(b.Epoch)
	for first, end := range b.BySettler() {
		plan.parts = append(plan.parts, part{settler: b.Groups[first].Settler, class: b.States[first].Class})
		for i := first; i < end; i++ {
			g := &b.Groups[i]
			if b.States[i].Unfunded {
				plan.addUnfunded(i, g)
				continue
			}
			pricing, err := price(ctx, [32]byte(g.ModelId), [32]byte(g.AdapterId))
			if err != nil {
				return nil, errorsmod.Wrapf(err, "group %d", i)
			}
			if err := plan.addFunded(i, g, &b.States[i], pricing, bps); err != nil {
				return nil, errorsmod.Wrapf(err, "group %d", i)
			}
		}
	}
	return plan, nil
}

// addUnfunded adds a group that pays nothing to the newest part.
func (p *settlement) addUnfunded(i int, g *types.Group) {
	p.unfunded = append(p.unfunded, uint32(i)) //nolint:gosec // at most 256
	p.parts[len(p.parts)-1].unfundedJobs += g.Count
}

// addFunded adds a group to the newest part and to the sums, which are parts of the batch's and so fit.
// Errors: ErrPriceChanged, ErrInvariant, split's.
func (p *settlement) addFunded(
	i int, g *types.Group, s *types.GroupState, pricing royaltiestypes.Pricing, bps split.TakeBps,
) error {
	w, err := pricing.Waterfall(g.AmountUusdc, bps.Take)
	if err != nil {
		return err
	}
	take, err := split.TakeOf(g.AmountUusdc, bps)
	if err != nil {
		return err
	}
	if w.Take != s.TakeUusdc || take.Take != s.TakeUusdc || w.Royalty != s.RoyaltyUusdc || w.Operator != s.OperatorUusdc {
		return errorsmod.Wrapf(types.ErrPriceChanged, "take %d, royalty %d, operator %d", w.Take, w.Royalty, w.Operator)
	}
	if s.LockedUusdc != s.Owed() { // paying more than the lock would pay with another's escrow
		return errorsmod.Wrapf(types.ErrInvariant, "%d is locked, %d is owed", s.LockedUusdc, s.Owed())
	}
	if w.Royalty > 0 {
		due := royaltiestypes.GroupDue{Group: uint32(i), Pricing: pricing, Waterfall: w} //nolint:gosec // at most 256
		p.royalties = append(p.royalties, due)
	}
	p.parts[len(p.parts)-1].add(g, s, &take)
	p.amount += g.AmountUusdc
	p.royalty += w.Royalty
	p.take.Take += take.Take
	p.take.Pool += take.Pool
	p.take.Probers += take.Probers
	p.take.Aleph += take.Aleph
	p.take.Insurance += take.Insurance
	if s.PaysOperators {
		p.operator += w.Operator
	}
	return nil
}

func (p *part) add(g *types.Group, s *types.GroupState, take *split.Take) {
	p.funded = true
	p.locked += s.LockedUusdc
	p.jobs += g.Count
	u := &p.usage
	u.AmountUusdc += g.AmountUusdc
	u.TakeUusdc += take.Take
	u.PoolUusdc += take.Pool
	u.Tokens += g.Tokens
	u.Ok += uint64(g.Ok)
	u.Fail += uint64(g.Fail)
}
