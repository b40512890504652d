// SPDX-License-Identifier: Apache-2.0

package split

import "github.com/gpucoord/gpucoord/domain/u128"

// MaxParents is the largest number of parent adapters that share in a royalty.
const MaxParents = 4

// Asset is an adapter, a base model or a parent adapter with its royalty.
type Asset struct {
	RoyaltyBps uint64   // of the group's amount
	Earning    bool     // looked at for a base only: whether it may be paid
	PayeeBps   []uint64 // of the asset's royalty, one rate per payee; the same account may occur twice
}

// WaterfallIn is what one group paid, and the assets that share in it.
type WaterfallIn struct {
	Amount        uint64  // micro-units
	TakeBps       uint64  // take, of Amount
	RoyaltyCapBps uint64  // most that all royalties together get, of Amount
	Adapter       *Asset  // nil: none
	Base          *Asset  // nil: none
	Parents       []Asset // of the adapter, nearest first, at most [MaxParents]
}

// Share is what one asset gets.
type Share struct {
	Bps    uint64   // paid rate, after the cap
	Amount uint64   // sum of Payees
	Payees []uint64 // per payee, in the order of Asset.PayeeBps; nil if the asset's rate before the cap is 0
}

// Waterfall is the division of one group's amount: Take + Royalty + Operator is the amount, and the shares' amounts add
// up to Royalty. Adapter and Base are nil, and Parents is empty, where the input has none.
type Waterfall struct {
	Take, Royalty, Operator uint64
	Adapter, Base           *Share
	Parents                 []Share
}

// Settle divides the amount of one group between take, royalties and operator.
//
// A base that does not earn leaves its rate to the adapter; without an adapter it stays with the operator. Rates above
// the cap are cut in proportion.
// Rounding: take and royalty down, the operator gets the rest; inside the royalty [ByWeight], position by position
// (adapter, base, parents), so ties go to the nearer one.
// Errors, in this order: ErrBadBps (take and cap together, or one royalty, above 10,000), ErrBadParents, ErrBadPayees.
func Settle(in WaterfallIn) (Waterfall, error) {
	positions := in.positions()
	if err := in.check(positions); err != nil {
		return Waterfall{}, err
	}
	paid, total := capped(positions, in.RoyaltyCapBps)
	w := Waterfall{
		Take:    u128.Part(in.Amount, in.TakeBps, bpsWhole),
		Royalty: u128.Part(in.Amount, total, bpsWhole),
	}
	w.Operator = in.Amount - w.Take - w.Royalty
	shares := sharesOf(w.Royalty, total, positions, paid)
	if in.Adapter != nil {
		w.Adapter, shares = &shares[0], shares[1:]
	}
	if in.Base != nil {
		w.Base, shares = &shares[0], shares[1:]
	}
	w.Parents = shares
	return w, nil
}

// position is one asset in the order of payment, with its rate before the cap.
type position struct {
	asset *Asset
	bps   uint64
}

// positions lists the assets in the order of payment, with effective rates. An adapter takes over the rate of a base that
// does not earn, so a rate may reach 20,000 bps here.
func (in *WaterfallIn) positions() []position {
	list := make([]position, 0, 2+len(in.Parents))
	if in.Adapter != nil {
		list = append(list, position{asset: in.Adapter, bps: in.Adapter.RoyaltyBps})
	}
	if in.Base != nil {
		bps := in.Base.RoyaltyBps
		if !in.Base.Earning {
			if in.Adapter != nil {
				list[0].bps += bps
			}
			bps = 0
		}
		list = append(list, position{asset: in.Base, bps: bps})
	}
	for i := range in.Parents {
		list = append(list, position{asset: &in.Parents[i], bps: in.Parents[i].RoyaltyBps})
	}
	return list
}

func (in *WaterfallIn) check(positions []position) error {
	if in.TakeBps > bpsWhole || in.RoyaltyCapBps > bpsWhole-in.TakeBps {
		return ErrBadBps
	}
	for _, p := range positions {
		if p.asset.RoyaltyBps > bpsWhole {
			return ErrBadBps
		}
	}
	if len(in.Parents) > MaxParents || (len(in.Parents) > 0 && in.Adapter == nil) {
		return ErrBadParents
	}
	for _, p := range positions {
		if p.bps > 0 && !wholePayees(p.asset.PayeeBps) {
			return ErrBadPayees
		}
	}
	return nil
}

// wholePayees reports whether the rates are all above 0 and add up to the whole.
func wholePayees(payeeBps []uint64) bool {
	left := uint64(bpsWhole)
	for _, bps := range payeeBps {
		if bps == 0 || bps > left {
			return false
		}
		left -= bps
	}
	return left == 0
}

// capped returns the paid rates and their sum, which is at most capBps.
func capped(positions []position, capBps uint64) (paid []uint64, total uint64) {
	paid = make([]uint64, len(positions))
	for i, p := range positions {
		paid[i] = p.bps
		total += p.bps
	}
	if total <= capBps {
		return paid, total
	}
	return divide(capBps, paid, total), capBps
}

// sharesOf divides royalty among the positions by their paid rates, which add up to total, and each asset's part among
// its payees.
func sharesOf(royalty, total uint64, positions []position, paid []uint64) []Share {
	amounts := make([]uint64, len(paid))
	if total > 0 {
		amounts = divide(royalty, paid, total)
	}
	shares := make([]Share, len(paid))
	for i, p := range positions {
		shares[i] = Share{Bps: paid[i], Amount: amounts[i]}
		if p.bps > 0 {
			shares[i].Payees = divide(amounts[i], p.asset.PayeeBps, bpsWhole)
		}
	}
	return shares
}
