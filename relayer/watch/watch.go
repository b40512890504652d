// SPDX-License-Identifier: Apache-2.0

package watch

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/cosmos/cosmos-sdk/types/query"

	"github.com/gpucoord/gpucoord/domain/epoch"
	"github.com/gpucoord/gpucoord/domain/receipt"
	"github.com/gpucoord/gpucoord/relayer/chain"
	"github.com/gpucoord/gpucoord/relayer/da"
	"github.com/gpucoord/gpucoord/relayer/loop"
	"github.com/gpucoord/gpucoord/relayer/store"
	"github.com/gpucoord/gpucoord/relayer/watch/index"
	operatorstypes "github.com/gpucoord/gpucoord/x/operators/types"
	receiptstypes "github.com/gpucoord/gpucoord/x/receipts/types"
)

// Chain is what the watchtower asks of a node besides queries.
type Chain interface {
	Head(ctx context.Context) (chain.Head, error)
	Tx(ctx context.Context, hash string) (chain.TxResult, error)
}

// Outbox is where transactions wait; the one who sends them owns the reporter's key and sequence (package submit).
type Outbox interface {
	Item(ctx context.Context, key string) (store.Item, error)
	Enqueue(ctx context.Context, item store.Item) error
	Replace(ctx context.Context, key string, items []store.Item) error
}

// Config says what is watched and how.
type Config struct {
	// Dir holds the store, the index and the files.
	Dir string
	// Operators are those whose batches are watched, bech32; none means all.
	Operators []string
	// Reporter is the account that reports; the zero address finds and reports nothing to the chain.
	Reporter [20]byte
	// MaxBytes is the largest DA file that is fetched, CacheBytes about the most that all of them may take.
	MaxBytes, CacheBytes int64
	// FetchTries is how often a file is asked for before it counts as withheld, FetchWait the time between two tries.
	FetchTries int
	FetchWait  time.Duration
	// Fetches is how many files are asked for, and Workers how many records are checked, at the same time.
	Fetches, Workers int
	Interval         time.Duration
	Checker          receipt.Checker
}

// Watcher is a watchtower.
type Watcher struct {
	chain   Chain
	q       Queries
	outbox  Outbox
	fetcher *da.Fetcher
	cfg     Config
	log     *slog.Logger

	store *Store
	index *index.Index // owned by Check and Prune, which run one after the other
	files *da.Dir

	pruned uint64 // owned by Prune: the epoch before which everything was forgotten
}

// Sources are what a watchtower works with.
type Sources struct {
	Chain   Chain
	Queries Queries
	Outbox  Outbox
	Fetcher *da.Fetcher
}

// New opens a watchtower's directory. Close it in the end.
func New(ctx context.Context, src Sources, cfg Config, log *slog.Logger) (*Watcher, error) {
	if err := os.MkdirAll(cfg.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("watch directory: %w", err)
	}
	w := &Watcher{chain: src.Chain, q: src.Queries, outbox: src.Outbox, fetcher: src.Fetcher, cfg: cfg, log: log}
	var err error
	if w.files, err = da.OpenDir(filepath.Join(cfg.Dir, "files")); err != nil {
		return nil, err
	}
	if w.store, err = OpenStore(ctx, filepath.Join(cfg.Dir, "watch.db")); err != nil {
		return nil, err
	}
	if w.index, err = index.Open(filepath.Join(cfg.Dir, "index")); err != nil {
		return nil, errors.Join(err, w.store.Close())
	}
	return w, nil
}

// Close ends what New opened.
func (w *Watcher) Close() error { return errors.Join(w.index.Close(), w.store.Close()) }

// Status reads what was done so far. It may be called at any time.
func (w *Watcher) Status(ctx context.Context) (Status, error) { return w.store.Status(ctx) }

// Run works until ctx ends. Fetching, checking and filing do not wait for each other: a slow server delays its own batch alone.
func (w *Watcher) Run(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	for _, steps := range [][]loop.Step{{w.Follow, w.Fetch}, {w.Check, w.Prune}, {w.Resolve, w.File}} {
		group.Go(func() error {
			return loop.Every(ctx, w.log, w.cfg.Interval, func(ctx context.Context) error {
				var errs []error
				for _, step := range steps {
					errs = append(errs, step(ctx))
				}
				return errors.Join(errs...)
			})
		})
	}
	return group.Wait()
}

// Follow reads the batches that are new since the last time.
func (w *Watcher) Follow(ctx context.Context) error {
	cursor, err := w.store.cursor(ctx)
	if err != nil {
		return err
	}
	for {
		// The key of a page is the id that it begins with.
		page := &query.PageRequest{Key: binary.BigEndian.AppendUint64(nil, cursor+1), Limit: pageLimit}
		res, err := w.q.Receipts.Batches(ctx, &receiptstypes.QueryBatchesRequest{Pagination: page})
		if err != nil {
			return fmt.Errorf("list batches: %w", err)
		}
		var watched []*receiptstypes.Batch
		for i := range res.Batches {
			b := &res.Batches[i]
			if b.Id <= cursor || len(b.DaSha256) != 32 {
				return fmt.Errorf("list batches: the node answers with batch %d after batch %d", b.Id, cursor)
			}
			cursor = b.Id
			if len(w.cfg.Operators) == 0 || slices.Contains(w.cfg.Operators, b.Operator) {
				watched = append(watched, b)
			}
		}
		if len(res.Batches) > 0 {
			if err := w.store.follow(ctx, watched, cursor); err != nil {
				return err
			}
		}
		if res.Pagination == nil || len(res.Pagination.NextKey) == 0 {
			return nil
		}
	}
}

// schedule reads the epoch grid and the newest height.
func (w *Watcher) schedule(ctx context.Context) (epoch.Schedule, *operatorstypes.Params, chain.Head, error) {
	head, err := w.chain.Head(ctx)
	if err != nil {
		return epoch.Schedule{}, nil, head, err
	}
	res, err := w.q.Operators.Params(ctx, &operatorstypes.QueryParamsRequest{})
	if err != nil {
		return epoch.Schedule{}, nil, head, fmt.Errorf("read the operators' parameters: %w", err)
	}
	return res.Params.Schedule.Domain(), &res.Params, head, nil
}

// hastyBlocks is how long before the end of its challenge window a batch that cannot be read is demanded whatever the tries.
const hastyBlocks = 10

// unreadWaits is how many times longer than before a demand a file is waited for after it.
const unreadWaits = 10

// Fetch asks for every DA file whose time has come, some at a time.
func (w *Watcher) Fetch(ctx context.Context) error {
	schedule, _, head, err := w.schedule(ctx)
	if err != nil {
		return err
	}
	for now := time.Now(); ; {
		rows, err := w.store.due(ctx, stateNew, stateUnread, now, 64)
		if err != nil || len(rows) == 0 {
			return err
		}
		group, gctx := errgroup.WithContext(ctx)
		group.SetLimit(max(1, w.cfg.Fetches))
		for i := range rows {
			group.Go(func() error { return w.fetch(gctx, &rows[i], head.Height, schedule) })
		}
		if err := group.Wait(); err != nil {
			return err
		}
	}
}

// fetch gets one file, or decides when to try again and whether to demand it.
func (w *Watcher) fetch(ctx context.Context, r *row, height uint64, schedule epoch.Schedule) error {
	b := &r.batch
	err := w.download(ctx, b)
	switch {
	case err == nil:
		return w.store.fetched(ctx, b.Id, sizeOf(w.files, [32]byte(b.DaSha256)))
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.Is(err, da.ErrNotAllowed), errors.Is(err, errTooLarge):
		w.log.WarnContext(ctx, "batch is not checked", slog.Uint64("batch_id", b.Id), slog.String("err", err.Error()))
		return w.store.postpone(ctx, b.Id, stateSkipped, time.Now(), err)
	}
	w.log.WarnContext(ctx, "records cannot be fetched", slog.Uint64("batch_id", b.Id), slog.Int("try", r.tries+1), slog.String("err", err.Error()))
	windows, werr := schedule.Windows(b.Epoch)
	if werr != nil {
		return werr
	}
	hasty := height+hastyBlocks >= windows.Challenge.Last
	if r.state == stateNew && r.tries+1 < w.cfg.FetchTries && !hasty {
		return w.store.unread(ctx, b.Id, stateNew, time.Now().Add(w.cfg.FetchWait), err, nil)
	}
	groups, gerr := b.DomainGroups()
	if gerr != nil || len(groups) == 0 {
		return w.store.postpone(ctx, b.Id, stateSkipped, time.Now(), errors.Join(err, gerr))
	}
	found := demandUnread(&facts{batch: b, groups: groups}, w.index.Key)
	return w.store.unread(ctx, b.Id, stateUnread, time.Now().Add(unreadWaits*w.cfg.FetchWait), err, []Finding{found})
}

// errTooLarge says that the configuration does not let a file of this size be fetched.
var errTooLarge = errors.New("DA file may be larger than watch.max_bytes; raise it to have such batches checked")

// download makes sure that a batch's file is here.
func (w *Watcher) download(ctx context.Context, b *receiptstypes.Batch) error {
	sum := [32]byte(b.DaSha256)
	if w.files.Has(sum) {
		return nil
	}
	if b.Count > uint64(w.cfg.MaxBytes)/da.MaxRecordBytes {
		return fmt.Errorf("%w: %d receipts", errTooLarge, b.Count)
	}
	return w.fetcher.Fetch(ctx, b.DaUri, sum, int64(b.Count)*da.MaxRecordBytes, w.files) //nolint:gosec // bounded above
}

func sizeOf(files *da.Dir, sum [32]byte) int64 {
	info, err := os.Stat(files.Path(sum))
	if err != nil {
		return 0
	}
	return info.Size()
}
