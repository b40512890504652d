// SPDX-License-Identifier: Apache-2.0

package sumtree

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"math/bits"
)

const (
	groupPreimageSize = 220
	groupKeySize      = 84
)

// Errors of batches.
var (
	ErrEmptyBatch    = errors.New("batch has no groups or no records: claim at least one record")
	ErrMixedHost     = errors.New("groups are of different operators or hosts: make one batch per host")
	ErrBadGroupOrder = errors.New("groups do not ascend strictly by settler, model, adapter: sort them and merge equal keys")
	ErrBadGroupPath  = errors.New("path does not lead from the group to the batch root: use the path of this group in this batch")
)

// Group is the claim of one host for one (settler, model, adapter) in one epoch.
type Group struct {
	// Operator is the address of the host's receipt key.
	Operator [20]byte
	HostID   [32]byte
	// Settler is the account that pays royalties and take.
	Settler            [20]byte
	ModelID, AdapterID [32]byte
	// Count is the number of leaves, FirstSeq and LastSeq the seq of the first and last one.
	Count, FirstSeq, LastSeq uint64
	Root                     Entry
}

// Hash returns the group hash, SHA256 of the 220-byte group preimage.
func (g *Group) Hash() [32]byte {
	b := make([]byte, 0, groupPreimageSize)
	b = append(b, "GCT1"...)
	b = append(b, g.Operator[:]...)
	b = append(b, g.HostID[:]...)
	b = g.AppendKey(b)
	b = binary.BigEndian.AppendUint64(b, g.Count)
	b = binary.BigEndian.AppendUint64(b, g.FirstSeq)
	b = binary.BigEndian.AppendUint64(b, g.LastSeq)
	return sha256.Sum256(g.Root.Append(b))
}

// AppendKey appends the 84 bytes that order groups in a batch: settler | modelId | adapterId.
func (g *Group) AppendKey(dst []byte) []byte {
	dst = append(dst, g.Settler[:]...)
	dst = append(dst, g.ModelID[:]...)
	return append(dst, g.AdapterID[:]...)
}

// Batch is the commitment to the groups of one host and epoch. Amount is in micro-USD.
type Batch struct {
	Root          [32]byte
	Count, Amount uint64
}

// BatchOf returns the commitment to groups in their order.
//
// Errors, in order: ErrEmptyBatch, ErrMixedHost, ErrBadGroupOrder, ErrSumOverflow.
func BatchOf(groups []Group) (Batch, error) {
	if len(groups) == 0 {
		return Batch{}, ErrEmptyBatch
	}
	for i := 1; i < len(groups); i++ {
		if groups[i].Operator != groups[0].Operator || groups[i].HostID != groups[0].HostID {
			return Batch{}, ErrMixedHost
		}
	}
	var previous, key [groupKeySize]byte
	groups[0].AppendKey(previous[:0])
	for i := 1; i < len(groups); i++ {
		groups[i].AppendKey(key[:0])
		if bytes.Compare(previous[:], key[:]) >= 0 {
			return Batch{}, ErrBadGroupOrder
		}
		previous = key
	}
	count, amount, err := batchSums(groups)
	if err != nil {
		return Batch{}, err
	}
	return Batch{Root: batchRoot(batchLeaves(groups)), Count: count, Amount: amount}, nil
}

func batchSums(groups []Group) (count, amount uint64, err error) {
	for i := range groups {
		var countCarry, amountCarry uint64
		count, countCarry = bits.Add64(count, groups[i].Count, 0)
		amount, amountCarry = bits.Add64(amount, groups[i].Root.Amount, 0)
		if countCarry|amountCarry != 0 {
			return 0, 0, ErrSumOverflow
		}
	}
	return count, amount, nil
}

func batchLeaves(groups []Group) [][32]byte {
	leaves := make([][32]byte, len(groups))
	for i := range groups {
		leaves[i] = batchLeaf(groups[i].Hash())
	}
	return leaves
}

func batchLeaf(groupHash [32]byte) [32]byte {
	var b [36]byte
	copy(b[:], "GCB0")
	copy(b[4:], groupHash[:])
	return sha256.Sum256(b[:])
}

func batchNode(l, r [32]byte) [32]byte {
	var b [68]byte
	copy(b[:], "GCB1")
	copy(b[4:], l[:])
	copy(b[36:], r[:])
	return sha256.Sum256(b[:])
}

// batchLevel replaces a level of more than one hash by the level above it, in place.
func batchLevel(level [][32]byte) [][32]byte {
	n := len(level)
	for i := range n / 2 {
		level[i] = batchNode(level[2*i], level[2*i+1])
	}
	if n%2 == 1 {
		level[n/2] = level[n-1]
	}
	return level[:(n+1)/2]
}

func batchRoot(level [][32]byte) [32]byte {
	for len(level) > 1 {
		level = batchLevel(level)
	}
	return level[0]
}

// GroupPath returns the path from the group at index, counted from 0, to the root of the batch of groups.
//
// Errors: ErrBadIndex.
func GroupPath(groups []Group, index int) ([][32]byte, error) {
	if index < 0 || index >= len(groups) {
		return nil, ErrBadIndex
	}
	var path [][32]byte
	for level := batchLeaves(groups); len(level) > 1; index /= 2 {
		if sibling := index ^ 1; sibling < len(level) {
			path = append(path, level[sibling])
		}
		level = batchLevel(level)
	}
	return path, nil
}

// VerifyGroup checks that the group hash is at index, counted from 0, of a batch of n groups. The root does not bind n: for another n of
// the same path shape the proof is accepted too. What it proves is that the group, with its key and sums, is in the batch.
//
// Errors, in order: ErrBadIndex, ErrBadPathLength, ErrBadGroupPath.
func VerifyGroup(batchRoot [32]byte, n, index uint64, groupHash [32]byte, path [][32]byte) error {
	if index >= n {
		return ErrBadIndex
	}
	if len(path) != pathLength(n, index) {
		return ErrBadPathLength
	}
	h := batchLeaf(groupHash)
	for last := n - 1; last > 0; index, last = index/2, last/2 {
		switch {
		case index%2 == 1:
			h, path = batchNode(path[0], h), path[1:]
		case index < last:
			h, path = batchNode(h, path[0]), path[1:]
		}
	}
	if h != batchRoot {
		return ErrBadGroupPath
	}
	return nil
}
