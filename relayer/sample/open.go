// SPDX-License-Identifier: Apache-2.0

package sample

import (
	"errors"
	"fmt"

	"github.com/gpucoord/gpucoord/domain/receipt"
	"github.com/gpucoord/gpucoord/domain/sumtree"
	receiptstypes "github.com/gpucoord/gpucoord/x/receipts/types"
)

// Errors of openings.
var (
	// ErrWrongRecords says that the records are not those of the batch.
	ErrWrongRecords = errors.New("DA file does not hold the batch's records")
	// ErrNoSeed says that the seed has not been drawn.
	ErrNoSeed = errors.New("the epoch's seed is not drawn yet")
)

// Opener opens the leaves of one batch.
type Opener struct {
	batch  *receiptstypes.Batch
	seed   [32]byte
	groups []sumtree.Group
	domain receipt.Domain
	parts  [][][]byte            // the records of each group
	trees  map[int]*sumtree.Tree // built when a draw asks for the group
}

// NewOpener makes an opener of a batch as the chain has it, with the records of its DA file.
//
// Errors: ErrNoSeed, ErrWrongRecords, or those of the batch's shape.
func NewOpener(batch *receiptstypes.Batch, seed []byte, records [][]byte, domain receipt.Domain) (*Opener, error) {
	if len(seed) != 32 {
		return nil, ErrNoSeed
	}
	groups, err := batch.DomainGroups()
	if err != nil {
		return nil, err
	}
	o := &Opener{batch: batch, seed: [32]byte(seed), groups: groups, domain: domain, trees: make(map[int]*sumtree.Tree)}
	for i := range groups {
		if uint64(len(records)) < groups[i].Count {
			return nil, fmt.Errorf("%w: group %d", ErrWrongRecords, i)
		}
		o.parts, records = append(o.parts, records[:groups[i].Count]), records[groups[i].Count:]
	}
	if len(records) > 0 {
		return nil, fmt.Errorf("%w: %d are left over", ErrWrongRecords, len(records))
	}
	return o, nil
}

// Missing returns the draws that the chain has no sample of, ascending.
func (o *Opener) Missing() []uint32 {
	var draws []uint32
	for j := range o.batch.Samples {
		if o.batch.Opened&(1<<j) == 0 {
			draws = append(draws, j)
		}
	}
	return draws
}

// Open returns the sample of a draw. It has passed the chain's own check of samples.
//
// Errors: ErrWrongRecords, or those of package sumtree.
func (o *Opener) Open(draw uint32) (receiptstypes.SampleOpening, error) {
	none := receiptstypes.SampleOpening{}
	d, err := sumtree.DrawGroup(o.seed, o.batch.Id, draw, o.batch.Samples, o.groups)
	if err != nil {
		return none, err
	}
	tree, err := o.tree(d.Group)
	if err != nil {
		return none, err
	}
	index, err := sumtree.Locate(tree, d.Target)
	if err != nil {
		return none, err
	}
	opening, err := tree.Open(index)
	if err != nil {
		return none, err
	}
	if err := sumtree.CheckSample(o.seed, o.batch.Id, draw, o.batch.Samples, o.groups, d.Group, &opening); err != nil {
		return none, err
	}
	return receiptstypes.SampleOpening{
		Draw: draw, Group: uint32(d.Group), Opening: opening.Append(nil), Record: o.parts[d.Group][index], //nolint:gosec // at most 256 groups
	}, nil
}

// tree returns the sum tree of a group, which must have the root that the chain has.
func (o *Opener) tree(group int) (*sumtree.Tree, error) {
	if tree := o.trees[group]; tree != nil {
		return tree, nil
	}
	leaves := make([]sumtree.Leaf, len(o.parts[group]))
	for i, sr1 := range o.parts[group] {
		record, err := receipt.Decode(sr1)
		if err != nil {
			return nil, fmt.Errorf("%w: group %d, record %d: %w", ErrWrongRecords, group, i, err)
		}
		if leaves[i], err = sumtree.LeafOf(&record, record.JobID(o.domain), sr1); err != nil {
			return nil, fmt.Errorf("%w: group %d, record %d: %w", ErrWrongRecords, group, i, err)
		}
	}
	tree, err := sumtree.Build(leaves)
	if err != nil {
		return nil, fmt.Errorf("%w: group %d: %w", ErrWrongRecords, group, err)
	}
	if tree.Root() != o.groups[group].Root {
		return nil, fmt.Errorf("%w: group %d has another root", ErrWrongRecords, group)
	}
	o.trees[group] = tree
	return tree, nil
}
