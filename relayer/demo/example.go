// SPDX-License-Identifier: Apache-2.0

package demo

import (
	"fmt"

	"github.com/gpucoord/gpucoord/domain/split"
	receiptstypes "github.com/gpucoord/gpucoord/x/receipts/types"
)

// example shows every step of one group's waterfall: the settled group with the most parents, then the largest.
func (p *page) example(w *World, f *facts) {
	b, i := exampleGroup(f, false)
	if b == nil {
		return
	}
	g, s := &b.Groups[i], &b.States[i]
	names := assetNames()
	adapter := names[[32]byte(g.AdapterId)]
	p.head("WHO WAS PAID WHAT AND WHY: one group, step by step")
	p.line("  batch %d, epoch %d, operator %s; settler %s; model %s, adapter %s", b.Id, b.Epoch,
		w.named(b.Operator), w.named(s.Settler), names[[32]byte(g.ModelId)], adapter)
	p.line("  %s, %s: amount %s", count(g.Count, "receipt", "receipts"), count(g.Tokens, "token", "tokens"), usd(g.AmountUusdc))
	params := f.paramsOf(b.Epoch)
	in, payees, bpsOf, err := w.pricing(f, b, g, params)
	if err != nil {
		p.line("  the steps cannot be computed: %v", err)
		return
	}
	out, err := split.Settle(in)
	if err != nil {
		p.line("  the steps cannot be computed: %v", err)
		return
	}
	part, err := split.TakeOf(g.AmountUusdc, takeBps(&params))
	if err != nil {
		p.line("  the steps cannot be computed: %v", err)
		return
	}
	p.line("  1. take, %s of the amount: %s", bps(params.TakeBps), usd(out.Take))
	p.line("       epoch pool %s, probers %s, ALEPH pool %s, insurance %s", usd(part.Pool), usd(part.Probers), usd(part.Aleph), usd(part.Insurance))
	p.line("  2. royalties, %s of the amount at most: %s", bps(in.RoyaltyCapBps), usd(out.Royalty))
	shares := sharesInOrder(&out)
	for k, share := range shares {
		p.line("       %-20s %s, paid %s: %s%s", payees[k].asset, bps(bpsOf[k]), bps(share.Bps), usd(share.Amount), payees[k].note)
		for j, amount := range share.Payees {
			p.line("         %-12s %s of it: %s", payees[k].names[j], bps(payees[k].bps[j]), usd(amount))
		}
	}
	p.line("  3. operator's share, the rest: %s", usd(out.Operator))
	match := "the chain settled the same to the unit"
	if out.Take != s.TakeUusdc || out.Royalty != s.RoyaltyUusdc || out.Operator != s.OperatorUusdc {
		match = fmt.Sprintf("THE CHAIN SETTLED OTHERWISE: take %d, royalties %d, operator %d", s.TakeUusdc, s.RoyaltyUusdc, s.OperatorUusdc)
	}
	p.line("  Computed again here from the terms: %s.", match)
}

// exampleGroup picks the group to show: of the settled epochs of this run, for older batches may be pruned at any moment; on request
// one that a gateway settled, whose receipts are countersigned.
func exampleGroup(f *facts, countersigned bool) (*receiptstypes.Batch, int) {
	var (
		best   *receiptstypes.Batch
		at     int
		parent = -1
	)
	parents := make(map[[32]byte]int)
	for _, a := range adapters {
		parents[assetID(a.name)] = len(a.parents) + 1
	}
	for n := range f.batches {
		b := &f.batches[n]
		if b.Status != receiptstypes.BatchStatus_BATCH_STATUS_FINALISED || len(f.settled) == 0 || b.Epoch < f.settled[0].state.Epoch {
			continue
		}
		for i := range b.Groups {
			if b.States[i].Unfunded || countersigned && !b.States[i].PaysOperators {
				continue
			}
			count := parents[[32]byte(b.Groups[i].AdapterId)]
			if count > parent || count == parent && b.Groups[i].AmountUusdc > best.Groups[at].AmountUusdc {
				best, at, parent = b, i, count
			}
		}
	}
	return best, at
}

// paramsOf returns what an epoch was priced with.
func (f *facts) paramsOf(epoch uint64) receiptstypes.Params {
	for _, e := range f.settled {
		if e.state.Epoch == epoch {
			return e.state.Params
		}
	}
	return f.settled[len(f.settled)-1].state.Params
}

func takeBps(p *receiptstypes.Params) split.TakeBps {
	return split.TakeBps{Take: p.TakeBps, Pool: p.PoolBps, Probers: p.ProbersBps, Insurance: p.InsuranceBps, Aleph: p.AlephBps}
}

// paid names who shares in an asset's royalty.
type paid struct {
	asset, note string
	names       []string
	bps         []uint64
}

// pricing gathers the terms of a group as the world registered them, in the order of payment: adapter, base, parents.
func (w *World) pricing(f *facts, b *receiptstypes.Batch, g *receiptstypes.Group, params receiptstypes.Params) (split.WaterfallIn, []paid, []uint64, error) {
	names := assetNames()
	in := split.WaterfallIn{Amount: g.AmountUusdc, TakeBps: params.TakeBps, RoyaltyCapBps: f.royaltyCap}
	var (
		payees []paid
		rates  []uint64
	)
	take := func(name string, rate uint64, specs []payeeSpec, note string) split.Asset {
		one := paid{asset: name, note: note}
		for _, s := range specs {
			one.names, one.bps = append(one.names, s.author), append(one.bps, s.bps)
		}
		payees, rates = append(payees, one), append(rates, rate)
		return split.Asset{RoyaltyBps: rate, PayeeBps: one.bps}
	}
	adapter := adapterNamed(names[[32]byte(g.AdapterId)])
	if adapter != nil {
		asset := take(adapter.name, adapter.royaltyBps, adapter.payees, "")
		in.Adapter = &asset
	}
	base := baseOf(names[[32]byte(g.ModelId)])
	if base.name == "" {
		return in, nil, nil, fmt.Errorf("model %x is not of this demo", g.ModelId)
	}
	earning := f.earningFrom[base.name] != 0 && f.earningFrom[base.name] <= b.Epoch+1
	note := "; earns, its author's proof is accepted"
	if !earning {
		note = "; does not earn without an accepted author proof, its rate goes to the adapter"
	}
	asset := take(base.name, base.royaltyBps, []payeeSpec{{base.author, 10_000}}, note)
	asset.Earning = earning
	in.Base = &asset
	if adapter != nil {
		for _, name := range adapter.parents {
			parent := adapterNamed(name)
			in.Parents = append(in.Parents, take(name, parent.royaltyBps, parent.payees, "; parent"))
		}
	}
	return in, payees, rates, nil
}

func adapterNamed(name string) *adapterSpec {
	for i := range adapters {
		if adapters[i].name == name {
			return &adapters[i]
		}
	}
	return nil
}

// sharesInOrder lists a waterfall's shares in the order of payment.
func sharesInOrder(out *split.Waterfall) []split.Share {
	var shares []split.Share
	if out.Adapter != nil {
		shares = append(shares, *out.Adapter)
	}
	if out.Base != nil {
		shares = append(shares, *out.Base)
	}
	return append(shares, out.Parents...)
}

// bps writes basis points as per cent.
func bps(n uint64) string { return fmt.Sprintf("%d.%02d %%", n/100, n%100) }
