// SPDX-License-Identifier: Apache-2.0

package batch

import (
	"bytes"

	"github.com/gpucoord/gpucoord/domain/sumtree"
	receiptstypes "github.com/gpucoord/gpucoord/x/receipts/types"
)

func (p *Plan) domain() []sumtree.Group {
	groups := make([]sumtree.Group, len(p.Groups))
	for i := range p.Groups {
		groups[i] = p.Groups[i].Group
	}
	return groups
}

// Records returns the records of all groups in order, as the DA file holds them.
func (p *Plan) Records() [][]byte {
	var out [][]byte
	for i := range p.Groups {
		out = append(out, p.Groups[i].Records...)
	}
	return out
}

// Messages returns the groups as the chain takes them.
func (p *Plan) Messages() []receiptstypes.Group {
	out := make([]receiptstypes.Group, len(p.Groups))
	for i := range p.Groups {
		g := &p.Groups[i]
		out[i] = receiptstypes.Group{
			Settler: bytes.Clone(g.Settler[:]), ModelId: bytes.Clone(g.ModelID[:]), AdapterId: bytes.Clone(g.AdapterID[:]),
			Count: g.Count, AmountUusdc: g.Root.Amount, Tokens: g.Root.Tokens, Ok: g.Root.OK, Fail: g.Root.Fail,
			FirstSeq: g.FirstSeq, LastSeq: g.LastSeq, Root: bytes.Clone(g.Root.Hash[:]),
		}
		if left, right, ok := g.Tree.Top(); ok {
			out[i].Left, out[i].Right = left.Append(nil), right.Append(nil)
		}
	}
	return out
}
