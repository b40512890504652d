// SPDX-License-Identifier: Apache-2.0

package keeper

import (
	"context"
	"fmt"

	"github.com/gpucoord/gpucoord/domain/sumtree"
	"github.com/gpucoord/gpucoord/x/receipts/types"
)

// contradiction is what two openings of a batch prove against it; its empty reason proves nothing.
type contradiction struct {
	reason string // types.RepeatedLeaf or types.LeafOrder
	a, b   uint32 // the draws
}

// compareLeaf compares an opened leaf with those opened before, at most 19, and keeps it for those to come. A tree that holds one leaf
// many times passes every sample by itself.
func (o *opener) compareLeaf(s *types.SampleOpening, opening *sumtree.Opening) {
	leaf := types.OpenedLeaf{
		Draw: s.Draw, Group: s.Group, Index: opening.Index, Seq: opening.Leaf.Seq, JobId: opening.Leaf.JobID[:],
	}
	for i := range o.batch.OpenedLeaves {
		earlier := &o.batch.OpenedLeaves[i]
		if reason := earlier.Contradiction(&leaf); reason != "" {
			o.fraud = contradiction{reason: reason, a: earlier.Draw, b: leaf.Draw}
			return
		}
	}
	o.batch.OpenedLeaves = append(o.batch.OpenedLeaves, leaf)
}

// voidContradicted voids a batch whose own openings convict it. That costs its operator what an unopened sample costs.
func (k *Keeper) voidContradicted(ctx context.Context, o *opener) error {
	evidence := fmt.Sprintf("%s batch %d draws %d and %d", o.fraud.reason, o.batch.Id, o.fraud.a, o.fraud.b)
	slashed, err := k.punishBatch(ctx, o.batch, o.operator, o.fraud.reason, evidence)
	if err != nil {
		return err
	}
	return k.void(ctx, o.batch, o.fraud.reason, slashed)
}
