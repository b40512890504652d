// SPDX-License-Identifier: Apache-2.0

package watch

import (
	"encoding/binary"

	"github.com/gpucoord/gpucoord/domain/sumtree"
)

// tree is a sum tree over leaves as they are, in whatever order: sumtree.Build makes only trees that keep the rules.
type tree struct {
	leaves []sumtree.Leaf
	levels [][]sumtree.Entry // leaves first
}

// buildTree returns the tree over at least one leaf. Errors: sumtree.ErrSumOverflow.
func buildTree(leaves []sumtree.Leaf) (*tree, error) {
	level := make([]sumtree.Entry, len(leaves))
	for i := range leaves {
		level[i] = leaves[i].Entry()
	}
	t := &tree{leaves: leaves, levels: [][]sumtree.Entry{level}}
	for len(level) > 1 {
		above := make([]sumtree.Entry, (len(level)+1)/2)
		for i := range len(level) / 2 {
			var err error
			if above[i], err = sumtree.Node(level[2*i], level[2*i+1]); err != nil {
				return nil, err
			}
		}
		if len(level)%2 == 1 {
			above[len(above)-1] = level[len(level)-1]
		}
		t.levels, level = append(t.levels, above), above
	}
	return t, nil
}

func (t *tree) root() sumtree.Entry { return t.levels[len(t.levels)-1][0] }

// path returns the siblings of the entry at a level and index, bottom up.
func (t *tree) path(level, index int) []sumtree.Entry {
	path := []sumtree.Entry{}
	for ; level < len(t.levels)-1; level, index = level+1, index/2 {
		if sibling := index ^ 1; sibling < len(t.levels[level]) {
			path = append(path, t.levels[level][sibling])
		}
	}
	return path
}

// climb returns the root that the tree would have with another entry at a level and index. Errors: sumtree.ErrSumOverflow.
func (t *tree) climb(level, index int, entry sumtree.Entry) (sumtree.Entry, error) {
	for ; level < len(t.levels)-1; level, index = level+1, index/2 {
		sibling := index ^ 1
		if sibling >= len(t.levels[level]) {
			continue
		}
		left, right := entry, t.levels[level][sibling]
		if index%2 == 1 {
			left, right = right, left
		}
		var err error
		if entry, err = sumtree.Node(left, right); err != nil {
			return sumtree.Entry{}, err
		}
	}
	return entry, nil
}

// open returns the opening of a leaf.
func (t *tree) open(index int) sumtree.Opening {
	return sumtree.Opening{N: uint64(len(t.leaves)), Index: uint64(index), Leaf: t.leaves[index], Path: t.path(0, index)} //nolint:gosec // an index
}

// preimage returns the bytes whose hash the entry at a level and index has.
func (t *tree) preimage(level, index int) []byte {
	if level == 0 {
		l := &t.leaves[index]
		b := binary.BigEndian.AppendUint64([]byte("GCL1"), l.Seq)
		b = append(append(b, l.JobID[:]...), l.RecordHash[:]...)
		b = binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(b, l.Amount), l.Tokens)
		return binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(b, l.OK), l.Fail)
	}
	below := t.levels[level-1]
	return below[2*index+1].Append(below[2*index].Append([]byte("GCN1")))
}

// promoted says whether the entry at a level and index has no children of its own.
func (t *tree) promoted(level, index int) bool {
	return level > 0 && 2*index+1 == len(t.levels[level-1])
}

// maxSearch is the largest tree that is searched for where it was bent: 2^20 leaves take some seconds.
const maxSearch = 1 << 20

// bent is where a committed tree differs from the one that its records give.
type bent struct {
	// level and index say where; leaf is what the committed leaf says, when it is the leaf that differs from its record.
	level, index int
	entry        sumtree.Entry
	leaf         *sumtree.Leaf
}

// findBent looks for the one place at which other sums give the committed root: a leaf that says more than its record, or an
// entry whose sums are not those of what is below it. It returns nil when there is no one such place.
func (t *tree) findBent(committed sumtree.Entry) *bent {
	got := t.root()
	if len(t.leaves) > maxSearch || got.Amount == committed.Amount && got.Tokens == committed.Tokens && got.OK == committed.OK && got.Fail == committed.Fail {
		return nil
	}
	bend := func(e sumtree.Entry) sumtree.Entry { // all four wrap as the difference does
		e.Amount += committed.Amount - got.Amount
		e.Tokens += committed.Tokens - got.Tokens
		e.OK += committed.OK - got.OK
		e.Fail += committed.Fail - got.Fail
		return e
	}
	for i := range t.leaves {
		leaf := t.leaves[i]
		sums := bend(sumtree.Entry{Amount: leaf.Amount, Tokens: leaf.Tokens, OK: leaf.OK, Fail: leaf.Fail})
		leaf.Amount, leaf.Tokens, leaf.OK, leaf.Fail = sums.Amount, sums.Tokens, sums.OK, sums.Fail
		if root, err := t.climb(0, i, leaf.Entry()); err == nil && root == committed {
			return &bent{index: i, leaf: &leaf, entry: leaf.Entry()}
		}
	}
	for level := range t.levels {
		for i := range t.levels[level] {
			if t.promoted(level, i) {
				continue
			}
			entry := bend(t.levels[level][i])
			if root, err := t.climb(level, i, entry); err == nil && root == committed {
				return &bent{level: level, index: i, entry: entry}
			}
		}
	}
	return nil
}
