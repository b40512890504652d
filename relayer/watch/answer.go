// SPDX-License-Identifier: Apache-2.0

package watch

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/cosmos/cosmos-sdk/types/query"

	"github.com/gpucoord/gpucoord/domain/receipt"
	"github.com/gpucoord/gpucoord/relayer/da"
	"github.com/gpucoord/gpucoord/relayer/loop"
	"github.com/gpucoord/gpucoord/relayer/store"
	"github.com/gpucoord/gpucoord/relayer/submit"
	receiptstypes "github.com/gpucoord/gpucoord/x/receipts/types"
)

// ErrNotOurTree says that an own batch cannot be opened: its file does not give the tree that was committed.
var ErrNotOurTree = errors.New("DA file does not give the batch's tree; restore it from a copy before the demand's last block")

// AnswerConfig says whose demands are answered.
type AnswerConfig struct {
	// Operator is whose batches these are, Sender the account that signs, both bech32.
	Operator, Sender string
	Domain           receipt.Domain
	Interval         time.Duration
}

// AnswerOutbox is where answers wait.
type AnswerOutbox interface {
	Item(ctx context.Context, key string) (store.Item, error)
	Enqueue(ctx context.Context, item store.Item) error
}

// Answerer opens the leaves that others demand of the operator's own batches. A demand that is not answered in time costs what
// fraud costs.
type Answerer struct {
	receipts receiptstypes.QueryClient
	outbox   AnswerOutbox
	files    *da.Dir
	cfg      AnswerConfig
	log      *slog.Logger
}

// NewAnswerer makes an answerer with the operator's own DA files.
func NewAnswerer(receipts receiptstypes.QueryClient, outbox AnswerOutbox, files *da.Dir, cfg AnswerConfig, log *slog.Logger) *Answerer {
	return &Answerer{receipts: receipts, outbox: outbox, files: files, cfg: cfg, log: log}
}

// Run works until ctx ends.
func (a *Answerer) Run(ctx context.Context) error {
	return loop.Every(ctx, a.log, a.cfg.Interval, a.Step)
}

// Step answers every open demand of an own batch. One failure does not keep the others waiting.
func (a *Answerer) Step(ctx context.Context) error {
	var errs []error
	page := &query.PageRequest{Limit: maxKeys}
	for {
		res, err := a.receipts.Demands(ctx, &receiptstypes.QueryDemandsRequest{Pagination: page})
		if err != nil {
			return errors.Join(append(errs, fmt.Errorf("list demands: %w", err))...)
		}
		for i := range res.Demands {
			if err := a.answer(ctx, &res.Demands[i]); err != nil {
				errs = append(errs, fmt.Errorf("demand %d of batch %d: %w", res.Demands[i].Id, res.Demands[i].BatchId, err))
			}
		}
		if res.Pagination == nil || len(res.Pagination.NextKey) == 0 {
			return errors.Join(errs...)
		}
		page = &query.PageRequest{Key: res.Pagination.NextKey, Limit: maxKeys}
	}
}

func (a *Answerer) answer(ctx context.Context, d *receiptstypes.Demand) error {
	key := fmt.Sprintf("answer/%d", d.Id)
	if _, err := a.outbox.Item(ctx, key); !errors.Is(err, store.ErrNoItem) {
		return err // it is on its way, or was refused for good
	}
	res, err := a.receipts.Batch(ctx, &receiptstypes.QueryBatchRequest{BatchId: d.BatchId})
	if err != nil {
		return fmt.Errorf("read the batch: %w", err)
	}
	if res.Batch.Operator != a.cfg.Operator {
		return nil
	}
	msg, err := a.open(&res.Batch, d)
	if err != nil {
		return err
	}
	item, err := submit.ItemOf(key, msg, 0, d.DueHeight)
	if err != nil {
		return err
	}
	a.log.InfoContext(ctx, "answering a demand", slog.Uint64("batch_id", d.BatchId), slog.Uint64("demand_id", d.Id))
	return a.outbox.Enqueue(ctx, item)
}

// open opens the demanded leaf from the operator's own file.
func (a *Answerer) open(b *receiptstypes.Batch, d *receiptstypes.Demand) (*receiptstypes.MsgAnswerData, error) {
	groups, err := b.DomainGroups()
	if err != nil {
		return nil, err
	}
	if uint64(d.Group) >= uint64(len(groups)) || d.Index >= groups[d.Group].Count || len(b.DaSha256) != 32 {
		return nil, fmt.Errorf("%w: group %d, leaf %d", ErrNotOurTree, d.Group, d.Index)
	}
	open := func() (*da.Reader, error) { return a.files.Open([32]byte(b.DaSha256)) }
	file, err := open()
	if err != nil {
		return nil, err
	}
	leaves, err := leavesOf(file, groups, int(d.Group), a.cfg.Domain)
	if err := errors.Join(err, file.Close()); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNotOurTree, err)
	}
	t, err := buildTree(leaves)
	if err != nil || t.root() != groups[d.Group].Root {
		return nil, errors.Join(ErrNotOurTree, err)
	}
	sr1, err := recordAt(open, groups, int(d.Group), d.Index)
	if err != nil {
		return nil, err
	}
	opening := t.open(int(d.Index)) //nolint:gosec // below the number of leaves
	return &receiptstypes.MsgAnswerData{Sender: a.cfg.Sender, DemandId: d.Id, Opening: opening.Append(nil), Record: sr1}, nil
}
