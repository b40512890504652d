// SPDX-License-Identifier: Apache-2.0

package batch

import (
	"bytes"
	"cmp"
	"slices"

	"github.com/gpucoord/gpucoord/domain/sumtree"
	"github.com/gpucoord/gpucoord/domain/u128"
)

// draft is a group that is being put together.
type draft struct {
	key            sumtree.Group // settler, model and adapter
	leaves         []sumtree.Leaf
	records        [][]byte
	amount, tokens uint64
	ok             uint64
}

func (p *planner) rejectGroup(d *draft, reason string) {
	for i := range d.records {
		p.reject(d.records[i], d.leaves[i].Seq, reason)
	}
}

func (d *draft) add(leaf sumtree.Leaf, sr1 []byte) bool {
	amount, fits := u128.Add(d.amount, leaf.Amount)
	tokens, fit := u128.Add(d.tokens, leaf.Tokens)
	if !fits || !fit {
		return false
	}
	d.amount, d.tokens, d.ok = amount, tokens, d.ok+uint64(leaf.OK)
	d.leaves, d.records = append(d.leaves, leaf), append(d.records, sr1)
	return true
}

// dropLast takes the last record out.
func (d *draft) dropLast() (sr1 []byte, seq uint64) {
	last := len(d.leaves) - 1
	leaf, sr1 := d.leaves[last], d.records[last]
	d.amount, d.tokens, d.ok = d.amount-leaf.Amount, d.tokens-leaf.Tokens, d.ok-uint64(leaf.OK)
	d.leaves, d.records = d.leaves[:last], d.records[:last]
	return sr1, leaf.Seq
}

func (d *draft) appendKey(dst []byte) []byte { return d.key.AppendKey(dst) }

func compareKeys(a, b *draft) int { return bytes.Compare(a.appendKey(nil), b.appendKey(nil)) }

// byValue returns the groups, the one of the lowest value first.
func (p *planner) byValue() []*draft {
	drafts := make([]*draft, 0, len(p.drafts))
	for _, d := range p.drafts {
		if len(d.leaves) > 0 {
			drafts = append(drafts, d)
		}
	}
	slices.SortFunc(drafts, func(a, b *draft) int { return cmp.Or(cmp.Compare(a.amount, b.amount), compareKeys(a, b)) })
	return drafts
}

// priced leaves out groups that the chain finds too cheap.
func (p *planner) priced(drafts []*draft) []*draft {
	return slices.DeleteFunc(drafts, func(d *draft) bool {
		least := u128.Mul(d.ok, p.facts.MinJobAmountUusdc)
		cheap := least.Hi > 0 || least.Lo > d.amount
		if cheap {
			p.rejectGroup(d, ReasonMinAmount)
		}
		return cheap
	})
}

// fit leaves out groups of low value until no limit is passed, and then the last records of the only one left.
func (p *planner) fit(drafts []*draft) []*draft {
	for len(drafts) > 1 {
		reason := p.over(drafts)
		if reason == "" {
			return drafts
		}
		p.rejectGroup(drafts[0], reason)
		drafts = drafts[1:]
	}
	if len(drafts) == 0 || p.over(drafts) == "" {
		return drafts
	}
	only := drafts[0]
	for len(only.leaves) > 0 {
		reason := p.over(drafts)
		if reason == "" {
			return p.priced(drafts)
		}
		sr1, seq := only.dropLast()
		p.reject(sr1, seq, reason)
	}
	return nil
}

// over returns which limit the groups pass together, "" if none.
func (p *planner) over(drafts []*draft) string {
	var amount, tokens uint64
	for _, d := range drafts {
		var fits, fit bool
		amount, fits = u128.Add(amount, d.amount)
		tokens, fit = u128.Add(tokens, d.tokens)
		if !fits || !fit {
			return ReasonSums
		}
	}
	switch {
	case len(drafts) > p.facts.MaxGroups:
		return ReasonMaxGroups
	case tokens > p.facts.TokensLeft:
		return ReasonTokenLimit
	case amount > p.facts.ClaimableUusdc:
		return ReasonCover
	}
	return ""
}
