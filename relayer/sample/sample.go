// SPDX-License-Identifier: Apache-2.0

// Package sample opens the samples that the chain draws of the relayer's batches. Not opening one costs what fraud costs,
// so every batch in its open window is looked at again and again until the chain has all of its samples.
package sample

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/cosmos/cosmos-sdk/types/query"

	"github.com/gpucoord/gpucoord/domain/epoch"
	"github.com/gpucoord/gpucoord/domain/receipt"
	"github.com/gpucoord/gpucoord/relayer/chain"
	"github.com/gpucoord/gpucoord/relayer/da"
	"github.com/gpucoord/gpucoord/relayer/loop"
	"github.com/gpucoord/gpucoord/relayer/store"
	"github.com/gpucoord/gpucoord/relayer/submit"
	operatorstypes "github.com/gpucoord/gpucoord/x/operators/types"
	receiptstypes "github.com/gpucoord/gpucoord/x/receipts/types"
)

// pageLimit is the most batches that the chain returns at a time.
const pageLimit = 200

// Store is where batches are and transactions go.
type Store interface {
	Batches(ctx context.Context, fromEpoch uint64) ([]store.Batch, error)
	SetBatchID(ctx context.Context, hostKey [20]byte, epoch, id uint64) error
	SetOpened(ctx context.Context, hostKey [20]byte, epoch uint64) error
	Item(ctx context.Context, key string) (store.Item, error)
	Enqueue(ctx context.Context, item store.Item) error
	Replace(ctx context.Context, key string, items []store.Item) error
}

// Queries are the chain's answers that samples need.
type Queries struct {
	Operators operatorstypes.QueryClient
	Receipts  receiptstypes.QueryClient
}

// HeadOf returns the newest block of the chain.
type HeadOf func(ctx context.Context) (chain.Head, error)

// Config says who opens samples.
type Config struct {
	// Sender is the account that signs, bech32.
	Sender   string
	Domain   receipt.Domain
	Interval time.Duration
}

// Sampler opens samples.
type Sampler struct {
	head  HeadOf
	q     Queries
	store Store
	files *da.Dir
	cfg   Config
	log   *slog.Logger
}

// New makes a sampler.
func New(head HeadOf, q Queries, s Store, files *da.Dir, cfg Config, log *slog.Logger) *Sampler {
	return &Sampler{head: head, q: q, store: s, files: files, cfg: cfg, log: log}
}

// Run works until ctx ends.
func (s *Sampler) Run(ctx context.Context) error {
	return loop.Every(ctx, s.log, s.cfg.Interval, s.Step)
}

// Step looks after every batch whose samples can be opened now. One batch's failure does not keep the others from theirs.
func (s *Sampler) Step(ctx context.Context) error {
	head, err := s.head(ctx)
	if err != nil {
		return err
	}
	ctx = chain.AtHeight(ctx, head.Height)
	params, err := s.q.Operators.Params(ctx, &operatorstypes.QueryParamsRequest{})
	if err != nil {
		return fmt.Errorf("read the operators' parameters: %w", err)
	}
	schedule := params.Params.Schedule.Domain()
	batches, err := s.store.Batches(ctx, firstEpoch(schedule, head.Height))
	if err != nil {
		return err
	}
	var errs []error
	for i := range batches {
		b := &batches[i]
		windows, err := schedule.Windows(b.Epoch)
		if err != nil {
			return err
		}
		if b.Opened || head.Height < windows.Beacon.Last || head.Height >= windows.Open.Last {
			continue
		}
		if err := s.openBatch(ctx, b, head.Height, windows.Open); err != nil {
			errs = append(errs, fmt.Errorf("samples of epoch %d, host key %x: %w", b.Epoch, b.HostKey, err))
		}
	}
	return errors.Join(errs...)
}

// firstEpoch returns an epoch before which every open window is over.
func firstEpoch(s epoch.Schedule, height uint64) uint64 {
	span := s.EpochBlocks + s.SubmitBlocks + s.BeaconBlocks + s.OpenBlocks
	if height < span {
		return 0
	}
	e, err := s.Of(height - span)
	if err != nil {
		return 0 // before the chain's first epoch
	}
	return e
}

// openBatch sees to it that the samples of a batch that the chain has are on their way.
func (s *Sampler) openBatch(ctx context.Context, b *store.Batch, height uint64, window epoch.Window) error {
	if err := s.identify(ctx, b); err != nil || b.ID == 0 {
		return err
	}
	res, err := s.q.Receipts.Batch(ctx, &receiptstypes.QueryBatchRequest{BatchId: b.ID})
	if err != nil {
		return fmt.Errorf("read batch %d: %w", b.ID, err)
	}
	if res.Batch.Status == receiptstypes.BatchStatus_BATCH_STATUS_VOID { // samples that contradict each other are no failed transaction
		s.log.ErrorContext(ctx, "the chain voided the batch: its receipts pay nothing, and the operator may be slashed and jailed",
			slog.Uint64("batch_id", b.ID), slog.Uint64("epoch", b.Epoch), slog.String("reason", res.Batch.Reason))
	}
	if res.Batch.Status != receiptstypes.BatchStatus_BATCH_STATUS_SUBMITTED || res.Batch.AllOpened() {
		return s.store.SetOpened(ctx, b.HostKey, b.Epoch)
	}
	if len(res.Seed) == 0 {
		return nil
	}
	wanted, err := s.wanted(ctx, b.ID, height)
	if err != nil || wanted == nothing {
		return err
	}
	records, err := s.files.Read(b.DASHA256)
	if err != nil {
		return err
	}
	opener, err := NewOpener(&res.Batch, res.Seed, records, s.cfg.Domain)
	if err != nil {
		return err
	}
	return s.enqueue(ctx, opener, wanted, window)
}

// identify finds the chain's id of a batch. It stays 0 when the chain does not have the batch.
func (s *Sampler) identify(ctx context.Context, b *store.Batch) error {
	page := &query.PageRequest{Limit: pageLimit}
	for b.ID == 0 {
		res, err := s.q.Receipts.Batches(ctx, &receiptstypes.QueryBatchesRequest{Epoch: b.Epoch, ByEpoch: true, Pagination: page})
		if err != nil {
			return fmt.Errorf("list batches of epoch %d: %w", b.Epoch, err)
		}
		for i := range res.Batches {
			if on := &res.Batches[i]; bytes.Equal(on.HostKey, b.HostKey[:]) && bytes.Equal(on.DaSha256, b.DASHA256[:]) {
				b.ID = on.Id
				return s.store.SetBatchID(ctx, b.HostKey, b.Epoch, b.ID)
			}
		}
		if res.Pagination == nil || len(res.Pagination.NextKey) == 0 {
			return nil
		}
		page = &query.PageRequest{Key: res.Pagination.NextKey, Limit: pageLimit}
	}
	return nil
}

// form says in how many transactions the missing samples go.
type form int

const (
	nothing  form = iota // they are on their way
	together             // in one
	singly               // each in one of its own, because the chain refused them together
)

// wanted decides in which form the missing samples are to be sent, from what became of them before.
func (s *Sampler) wanted(ctx context.Context, batchID, height uint64) (form, error) {
	item, err := s.store.Item(ctx, Key(batchID))
	switch {
	case errors.Is(err, store.ErrNoItem):
		return together, nil
	case err != nil:
		return nothing, err
	case item.State == store.Sending, item.State == store.Pending && item.Log == "":
		return nothing, nil
	case item.State == store.Done:
		if height <= item.Height { // the state that was read may be older than the block that holds them
			return nothing, nil
		}
	}
	return singly, nil
}

// Key is the outbox key of a batch's samples, KeyOne that of one of them.
func Key(batchID uint64) string { return fmt.Sprintf("open/%d", batchID) }

// KeyOne is the outbox key of one sample.
func KeyOne(batchID uint64, draw uint32) string { return fmt.Sprintf("open/%d/%d", batchID, draw) }

func (s *Sampler) enqueue(ctx context.Context, o *Opener, wanted form, window epoch.Window) error {
	var samples []receiptstypes.SampleOpening
	var errs []error
	for _, draw := range o.Missing() {
		sample, err := o.Open(draw)
		if err != nil {
			errs = append(errs, fmt.Errorf("draw %d: %w", draw, err))
			continue
		}
		samples = append(samples, sample)
	}
	if len(samples) == 0 {
		return errors.Join(errs...)
	}
	parts := map[string][]receiptstypes.SampleOpening{Key(o.batch.Id): samples}
	if wanted == singly {
		parts = make(map[string][]receiptstypes.SampleOpening)
		for i := range samples {
			parts[KeyOne(o.batch.Id, samples[i].Draw)] = samples[i : i+1]
		}
	}
	items := make([]store.Item, 0, len(parts))
	for key, part := range parts {
		item, err := submit.ItemOf(key, &receiptstypes.MsgOpenSamples{Sender: s.cfg.Sender, BatchId: o.batch.Id, Samples: part}, window.First, window.Last)
		if err != nil {
			return err
		}
		items = append(items, item)
	}
	if wanted == singly {
		return errors.Join(append(errs, s.store.Replace(ctx, Key(o.batch.Id), items))...)
	}
	s.log.InfoContext(ctx, "opening samples", slog.Uint64("batch_id", o.batch.Id), slog.Uint64("epoch", o.batch.Epoch), slog.Int("samples", len(samples)))
	return errors.Join(append(errs, s.store.Enqueue(ctx, items[0]))...)
}
