// SPDX-License-Identifier: Apache-2.0

package apptest

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/gpucoord/gpucoord/domain/receipt"
	"github.com/gpucoord/gpucoord/domain/sumtree"
	receiptstypes "github.com/gpucoord/gpucoord/x/receipts/types"
)

// Served is a record and the account that settles it.
type Served struct {
	Record  receipt.Record
	Settler *Account
}

// Claim is a host's batch of one epoch with all that opens its samples.
type Claim struct {
	Host *Host
	// Msg submits the batch in the operator's name.
	Msg *receiptstypes.MsgSubmitBatch

	groups  []sumtree.Group
	trees   []*sumtree.Tree
	records [][][]byte // by group and position
}

// Claim groups the host's records of an epoch by settler, model and adapter, and builds the batch.
func (c *Chain) Claim(h *Host, epoch uint64, served []Served) (*Claim, error) {
	address := h.KeyAddress()
	claim := &Claim{Host: h, Msg: &receiptstypes.MsgSubmitBatch{
		Sender: h.Operator.String(), HostKey: address[:], Epoch: epoch, DaUri: "https://da.example/batch",
	}}
	byKey := make(map[string][]*Served)
	var keys []string
	for i := range served {
		s := &served[i]
		group := claim.groupOf(s)
		key := string(group.AppendKey(nil))
		if byKey[key] == nil {
			keys = append(keys, key)
		}
		byKey[key] = append(byKey[key], s)
	}
	slices.Sort(keys)
	var da []byte
	for _, key := range keys {
		records, err := claim.add(c.Domain(), byKey[key])
		if err != nil {
			return nil, err
		}
		for _, record := range records {
			da = binary.BigEndian.AppendUint16(da, uint16(len(record)))
			da = append(da, record...)
		}
	}
	hash := sha256.Sum256(da)
	claim.Msg.DaSha256 = hash[:]
	return claim, nil
}

func (c *Claim) groupOf(s *Served) sumtree.Group {
	return sumtree.Group{
		Operator: c.Host.KeyAddress(), HostID: c.Host.ID, Settler: [20]byte(s.Settler.Address),
		ModelID: s.Record.Auth.ModelID, AdapterID: s.Record.Auth.AdapterID,
	}
}

// add appends the group of served, which have one key, and returns their encoded records.
func (c *Claim) add(domain receipt.Domain, served []*Served) ([][]byte, error) {
	slices.SortFunc(served, func(a, b *Served) int { return cmp.Compare(a.Record.Seq, b.Record.Seq) })
	leaves := make([]sumtree.Leaf, len(served))
	records := make([][]byte, len(served))
	for i, s := range served {
		records[i] = s.Record.AppendSR1(nil)
		var err error
		if leaves[i], err = sumtree.LeafOf(&s.Record, s.Record.JobID(domain), records[i]); err != nil {
			return nil, fmt.Errorf("leaf of seq %d: %w", s.Record.Seq, err)
		}
	}
	tree, err := sumtree.Build(leaves)
	if err != nil {
		return nil, fmt.Errorf("build the tree: %w", err)
	}
	group := c.groupOf(served[0])
	group.Count, group.Root = tree.Len(), tree.Root()
	group.FirstSeq, group.LastSeq = leaves[0].Seq, leaves[len(leaves)-1].Seq
	c.groups, c.trees, c.records = append(c.groups, group), append(c.trees, tree), append(c.records, records)
	c.Msg.Groups = append(c.Msg.Groups, messageGroup(&group, tree))
	return records, nil
}

func messageGroup(g *sumtree.Group, tree *sumtree.Tree) receiptstypes.Group {
	group := receiptstypes.Group{
		Settler: bytes.Clone(g.Settler[:]), ModelId: bytes.Clone(g.ModelID[:]), AdapterId: bytes.Clone(g.AdapterID[:]),
		Count: g.Count, AmountUusdc: g.Root.Amount, Tokens: g.Root.Tokens, Ok: g.Root.OK, Fail: g.Root.Fail,
		FirstSeq: g.FirstSeq, LastSeq: g.LastSeq, Root: bytes.Clone(g.Root.Hash[:]),
	}
	if left, right, ok := tree.Top(); ok {
		group.Left, group.Right = left.Append(nil), right.Append(nil)
	}
	return group
}

// Open returns the openings that a beacon seed asks for.
func (c *Claim) Open(seed [32]byte, batchID uint64, samples uint32) (*receiptstypes.MsgOpenSamples, error) {
	msg := &receiptstypes.MsgOpenSamples{Sender: c.Host.Operator.String(), BatchId: batchID}
	for j := range samples {
		draw, err := sumtree.DrawGroup(seed, batchID, j, samples, c.groups)
		if err != nil {
			return nil, fmt.Errorf("draw %d: %w", j, err)
		}
		tree := c.trees[draw.Group]
		index, err := sumtree.Locate(tree, draw.Target)
		if err != nil {
			return nil, fmt.Errorf("draw %d: %w", j, err)
		}
		opening, err := tree.Open(index)
		if err != nil {
			return nil, fmt.Errorf("draw %d: %w", j, err)
		}
		msg.Samples = append(msg.Samples, receiptstypes.SampleOpening{
			Draw: j, Group: uint32(draw.Group), Opening: opening.Append(nil), Record: c.records[draw.Group][index],
		})
	}
	return msg, nil
}
