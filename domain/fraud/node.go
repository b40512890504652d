// SPDX-License-Identifier: Apache-2.0

package fraud

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"

	"github.com/gpucoord/gpucoord/domain/sumtree"
)

const (
	leafPreimage = 100
	nodePreimage = 116
	maxPath      = 64
)

// Node is evidence of kind F3: an entry of the tree that is not what its preimage says.
type Node struct {
	BatchID uint64
	Group   uint32
	// Level counts from the leaves, Index from the left.
	Level uint8
	Index uint64
	// Amount, Tokens, OK and Fail are the entry's sums as the tree has them.
	Amount, Tokens uint64
	OK, Fail       uint32
	// Preimage hashes to the entry's hash.
	Preimage []byte
	// Path holds the siblings bottom up.
	Path []sumtree.Entry
}

// DecodeNode reads evidence of kind F3. Errors: ErrLength.
func DecodeNode(b []byte) (Node, error) {
	r := reader{rest: b}
	e := Node{BatchID: r.u64(), Group: r.u32(), Level: r.take(1)[0], Index: r.u64()}
	e.Amount, e.Tokens, e.OK, e.Fail = r.u64(), r.u64(), r.u32(), r.u32()
	size := r.u8()
	if size != leafPreimage && size != nodePreimage {
		return Node{}, ErrLength
	}
	e.Preimage = r.take(size)
	length := r.u8()
	if length > maxPath {
		return Node{}, ErrLength
	}
	for range length {
		e.Path = append(e.Path, entryOf(r.take(sumtree.EntrySize)))
	}
	return e, r.done()
}

// Append appends the wire form.
func (e *Node) Append(dst []byte) []byte {
	dst = binary.BigEndian.AppendUint64(dst, e.BatchID)
	dst = binary.BigEndian.AppendUint32(dst, e.Group)
	dst = binary.BigEndian.AppendUint64(append(dst, e.Level), e.Index)
	dst = binary.BigEndian.AppendUint64(dst, e.Amount)
	dst = binary.BigEndian.AppendUint64(dst, e.Tokens)
	dst = binary.BigEndian.AppendUint32(dst, e.OK)
	dst = binary.BigEndian.AppendUint32(dst, e.Fail)
	dst = append(append(dst, byte(len(e.Preimage))), e.Preimage...)
	dst = append(dst, byte(len(e.Path)))
	for i := range e.Path {
		dst = e.Path[i].Append(dst)
	}
	return dst
}

// Check returns nil if the entry is in the tree of group and is wrong: its preimage is of the other kind than its level
// asks for, or does not add up to its sums.
//
// Errors: ErrLevel, ErrPromoted, sumtree's ErrBadPathLength, ErrSumOverflow and ErrRootMismatch, ErrAddsUp.
func (e *Node) Check(group *sumtree.Group) error {
	if err := e.place(group.Count); err != nil {
		return err
	}
	entry := sumtree.Entry{Hash: sha256.Sum256(e.Preimage), Amount: e.Amount, Tokens: e.Tokens, OK: e.OK, Fail: e.Fail}
	if err := e.climb(entry, group); err != nil {
		return err
	}
	if e.sound(entry) {
		return ErrAddsUp
	}
	return nil
}

// place says whether a tree of n leaves has an entry of its own at the level and index.
func (e *Node) place(n uint64) error {
	if n == 0 || e.Level >= maxPath || e.Index > (n-1)>>e.Level {
		return ErrLevel
	}
	if e.Level > 0 && e.Index<<1 == (n-1)>>(e.Level-1) {
		return ErrPromoted
	}
	return nil
}

// climb checks that the path leads from entry to the group's root, with every sum above entry right.
func (e *Node) climb(entry sumtree.Entry, group *sumtree.Group) error {
	path := e.Path
	for index, last := e.Index, (group.Count-1)>>e.Level; last > 0; index, last = index/2, last/2 {
		if index%2 == 0 && index == last {
			continue
		}
		if len(path) == 0 {
			return sumtree.ErrBadPathLength
		}
		left, right := entry, path[0]
		if index%2 == 1 {
			left, right = right, left
		}
		var err error
		if entry, err = sumtree.Node(left, right); err != nil {
			return err
		}
		path = path[1:]
	}
	if len(path) > 0 {
		return sumtree.ErrBadPathLength
	}
	if entry != group.Root {
		return sumtree.ErrRootMismatch
	}
	return nil
}

// sound says whether the preimage is of the level's kind and gives entry.
func (e *Node) sound(entry sumtree.Entry) bool {
	if e.Level == 0 {
		if len(e.Preimage) != leafPreimage || !bytes.HasPrefix(e.Preimage, []byte("GCL1")) {
			return false
		}
		sums := e.Preimage[76:]
		return entry.Amount == binary.BigEndian.Uint64(sums) && entry.Tokens == binary.BigEndian.Uint64(sums[8:]) &&
			entry.OK == binary.BigEndian.Uint32(sums[16:]) && entry.Fail == binary.BigEndian.Uint32(sums[20:])
	}
	if len(e.Preimage) != nodePreimage || !bytes.HasPrefix(e.Preimage, []byte("GCN1")) {
		return false
	}
	sum, err := sumtree.Node(entryOf(e.Preimage[4:4+sumtree.EntrySize]), entryOf(e.Preimage[4+sumtree.EntrySize:]))
	return err == nil && sum == entry
}

// entryOf reads an entry from its 56 bytes.
func entryOf(b []byte) sumtree.Entry {
	entry, _ := sumtree.DecodeEntry(b) // it has no error but that of another length
	return entry
}
