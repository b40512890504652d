// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/cosmos/cosmos-sdk/types/query"

	"github.com/gpucoord/gpucoord/domain/receipt"
	"github.com/gpucoord/gpucoord/domain/sumtree"
	operatorstypes "github.com/gpucoord/gpucoord/x/operators/types"
	receiptstypes "github.com/gpucoord/gpucoord/x/receipts/types"
)

// Errors of looking for a receipt.
var (
	errNoReceipt = errors.New("no settled batch whose records can be read has this receipt")
	errNoLeaf    = errors.New("the batch has no such group or leaf: both count from 0")
	errDAContent = errors.New("the DA file does not hold the batch's records")
)

// claim is one receipt in its settled batch.
type claim struct {
	batch   receiptstypes.Batch
	group   int
	record  []byte
	opening sumtree.Opening
}

// find returns the receipt that was asked for.
func (b *bundler) find(ctx context.Context, want wanted) (*claim, error) {
	params, err := b.operators.Params(ctx, &operatorstypes.QueryParamsRequest{})
	if err != nil {
		return nil, fmt.Errorf("ask for the parameters: %w", err)
	}
	status, err := b.node.Status(ctx)
	if err != nil {
		return nil, fmt.Errorf("ask for the chain's id: %w", err)
	}
	domain := receipt.NewDomain(status.NodeInfo.Network, params.Params.EvmChainId)
	if b.options.batch != 0 {
		answer, err := b.receipts.Batch(ctx, &receiptstypes.QueryBatchRequest{BatchId: b.options.batch})
		if err != nil {
			return nil, fmt.Errorf("ask for batch %d: %w", b.options.batch, err)
		}
		return b.open(ctx, answer.Batch, want, domain)
	}
	return b.search(ctx, want, domain)
}

// search looks through the settled batches, those of one epoch where it is known. A batch whose records cannot be had is left out.
func (b *bundler) search(ctx context.Context, want wanted, domain receipt.Domain) (*claim, error) {
	request := &receiptstypes.QueryBatchesRequest{Pagination: &query.PageRequest{Limit: receiptstypes.MaxPageLimit}}
	switch {
	case want.record != nil:
		request.ByEpoch, request.Epoch = true, want.record.Epoch
	case b.options.epoch >= 0:
		request.ByEpoch, request.Epoch = true, uint64(b.options.epoch) //nolint:gosec // not negative
	}
	var left error
	for {
		page, err := b.receipts.Batches(ctx, request)
		if err != nil {
			return nil, fmt.Errorf("ask for the batches: %w", err)
		}
		for _, batch := range page.Batches {
			if batch.LogIndex == 0 || want.record != nil && !bytes.Equal(batch.HostKey, want.record.Auth.Operator[:]) {
				continue
			}
			found, err := b.open(ctx, batch, want, domain)
			if err == nil {
				return found, nil
			}
			left = err
		}
		if page.Pagination == nil || len(page.Pagination.NextKey) == 0 {
			return nil, errors.Join(errNoReceipt, left)
		}
		request.Pagination = &query.PageRequest{Key: page.Pagination.NextKey, Limit: receiptstypes.MaxPageLimit}
	}
}

// open reads a batch's records, rebuilds the tree of each group, checks it against the chain's root and opens the leaf asked for.
func (b *bundler) open(ctx context.Context, batch receiptstypes.Batch, want wanted, domain receipt.Domain) (*claim, error) {
	if batch.LogIndex == 0 {
		return nil, fmt.Errorf("batch %d: %w (%s)", batch.Id, errNotSettled, batch.Status)
	}
	groups, err := batchGroups(&batch)
	if err != nil {
		return nil, err
	}
	records, err := b.records(ctx, &batch, want)
	if err != nil {
		return nil, fmt.Errorf("batch %d: %w", batch.Id, err)
	}
	place := func(group int, leaf uint64, _ []byte) bool {
		return group == int(b.options.group) && leaf == b.options.leaf
	}
	switch {
	case want.record != nil:
		place = func(_ int, _ uint64, record []byte) bool { return bytes.Equal(record, want.sr1) }
	case want.job != nil:
		place = func(_ int, _ uint64, record []byte) bool {
			r, err := receipt.Decode(record)
			return err == nil && r.JobID(domain) == *want.job
		}
	}
	for i := range groups {
		count := groups[i].Count
		if uint64(len(records)) < count {
			return nil, fmt.Errorf("batch %d: %w", batch.Id, errDAContent)
		}
		mine := records[:count]
		records = records[count:]
		for leaf, record := range mine {
			if !place(i, uint64(leaf), record) {
				continue
			}
			opening, err := openLeaf(&groups[i], mine, uint64(leaf), domain)
			if err != nil {
				return nil, fmt.Errorf("batch %d, group %d: %w", batch.Id, i, err)
			}
			return &claim{batch: batch, group: i, record: record, opening: opening}, nil
		}
	}
	return nil, fmt.Errorf("batch %d: %w", batch.Id, errNoLeaf)
}

// openLeaf rebuilds a group's tree, which must have the root that the chain has.
func openLeaf(g *sumtree.Group, records [][]byte, index uint64, domain receipt.Domain) (sumtree.Opening, error) {
	leaves := make([]sumtree.Leaf, len(records))
	for i, sr1 := range records {
		record, err := receipt.Decode(sr1)
		if err != nil {
			return sumtree.Opening{}, err
		}
		if leaves[i], err = sumtree.LeafOf(&record, record.JobID(domain), sr1); err != nil {
			return sumtree.Opening{}, err
		}
	}
	tree, err := sumtree.Build(leaves)
	if err != nil {
		return sumtree.Opening{}, err
	}
	if tree.Root() != g.Root {
		return sumtree.Opening{}, fmt.Errorf("%w: %w", errDAContent, sumtree.ErrRootMismatch)
	}
	return tree.Open(index)
}

// batchGroups returns a batch's groups as the formats define them.
func batchGroups(batch *receiptstypes.Batch) ([]sumtree.Group, error) {
	if len(batch.HostKey) != 20 || len(batch.HostId) != 32 || len(batch.Groups) == 0 {
		return nil, fmt.Errorf("%w: batch %d", errNodeAnswer, batch.Id)
	}
	groups := make([]sumtree.Group, len(batch.Groups))
	for i, g := range batch.Groups {
		if len(g.Settler) != 20 || len(g.ModelId) != 32 || len(g.AdapterId) != 32 || len(g.Root) != 32 {
			return nil, fmt.Errorf("%w: group %d of batch %d", errNodeAnswer, i, batch.Id)
		}
		groups[i] = sumtree.Group{
			Operator: [20]byte(batch.HostKey), HostID: [32]byte(batch.HostId), Settler: [20]byte(g.Settler),
			ModelID: [32]byte(g.ModelId), AdapterID: [32]byte(g.AdapterId),
			Count: g.Count, FirstSeq: g.FirstSeq, LastSeq: g.LastSeq,
			Root: sumtree.Entry{Hash: [32]byte(g.Root), Amount: g.AmountUusdc, Tokens: g.Tokens, OK: g.Ok, Fail: g.Fail},
		}
	}
	return groups, nil
}
