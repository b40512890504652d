// SPDX-License-Identifier: Apache-2.0

package sumtree

import "errors"

// Errors of trees and their top.
var (
	ErrEmptyTree    = errors.New("tree has no leaves: a group needs at least one record")
	ErrBadSeqOrder  = errors.New("leaves do not ascend strictly by seq: sort them and drop repeats")
	ErrRootMismatch = errors.New("computed entry differs from the root: open the leaf of the committed tree, sums included")
	ErrTopNotZero   = errors.New("group of one leaf has no children: leave left and right zero")
)

// Tree is a sum tree with all its entries, in one piece of memory.
type Tree struct {
	leaves  []Leaf
	entries []Entry // the levels one after the other, leaves first
	starts  []int   // where each level begins in entries, and the end
}

// Build returns the tree over leaves in their order. It keeps leaves, which must not change afterwards, and takes their members as they
// are. It allocates a constant number of times.
//
// Errors, in order: ErrEmptyTree, ErrBadSeqOrder, ErrSumOverflow.
func Build(leaves []Leaf) (*Tree, error) {
	if len(leaves) == 0 {
		return nil, ErrEmptyTree
	}
	for i := 1; i < len(leaves); i++ {
		if leaves[i].Seq <= leaves[i-1].Seq {
			return nil, ErrBadSeqOrder
		}
	}
	starts := levelStarts(len(leaves))
	t := &Tree{leaves: leaves, starts: starts, entries: make([]Entry, starts[len(starts)-1])}
	for i := range leaves {
		t.entries[i] = leaves[i].Entry()
	}
	for level := 1; level < t.levels(); level++ {
		below, here := t.level(level-1), t.level(level)
		for i := range len(below) / 2 {
			if err := setNode(&here[i], &below[2*i], &below[2*i+1]); err != nil {
				return nil, err
			}
		}
		if len(below)%2 == 1 {
			here[len(here)-1] = below[len(below)-1]
		}
	}
	return t, nil
}

// levelStarts returns the running sums of the level sizes n, ceil(n/2), ..., 1.
func levelStarts(n int) []int {
	starts := make([]int, 1, 66)
	for end := 0; ; n = (n + 1) / 2 {
		end += n
		starts = append(starts, end)
		if n == 1 {
			return starts
		}
	}
}

func (t *Tree) levels() int { return len(t.starts) - 1 }

func (t *Tree) level(i int) []Entry { return t.entries[t.starts[i]:t.starts[i+1]] }

// Root returns the root entry.
func (t *Tree) Root() Entry { return t.entries[len(t.entries)-1] }

// Len returns the number of leaves.
func (t *Tree) Len() uint64 { return uint64(len(t.leaves)) }

// Top returns the two children of the root; ok is false, and both are zero, for the tree of one leaf, whose root has none.
func (t *Tree) Top() (left, right Entry, ok bool) {
	if t.levels() == 1 {
		return Entry{}, Entry{}, false
	}
	top := t.level(t.levels() - 2)
	return top[0], top[1], true
}

// Open returns the opening of the leaf at index, counted from 0.
//
// Errors: ErrBadIndex.
func (t *Tree) Open(index uint64) (Opening, error) {
	if index >= t.Len() {
		return Opening{}, ErrBadIndex
	}
	o := Opening{N: t.Len(), Index: index, Leaf: t.leaves[index], Path: make([]Entry, 0, pathLength(t.Len(), index))}
	for level := range t.levels() - 1 {
		entries := t.level(level)
		if sibling := index ^ 1; sibling < uint64(len(entries)) {
			o.Path = append(o.Path, entries[sibling])
		}
		index /= 2
	}
	return o, nil
}

// Locate returns the index of the leaf that a target asks for.
//
// Errors: ErrNotCovered if the target lies outside the tree, so it was drawn from other sums than the tree's.
func Locate(t *Tree, target Target) (index uint64, err error) {
	if target.ByIndex {
		if target.R >= t.Len() {
			return 0, ErrNotCovered
		}
		return target.R, nil
	}
	if target.R >= t.Root().Amount {
		return 0, ErrNotCovered
	}
	r := target.R
	for level := t.levels() - 2; level >= 0; level-- {
		entries := t.level(level)
		index *= 2
		// A promoted entry has no right sibling, and its amount is its parent's, so r stays below it.
		if left := entries[index].Amount; r >= left {
			r -= left
			index++
		}
	}
	return index, nil
}
