// SPDX-License-Identifier: Apache-2.0

// Package relayer runs an operator's duties towards the chain: collecting receipts, claiming them, opening samples, stating
// capacity. Each duty is a package of its own; this one builds them and runs them together.
package relayer

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"golang.org/x/sync/errgroup"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/gpucoord/gpucoord/domain/receipt"
	"github.com/gpucoord/gpucoord/relayer/batch"
	"github.com/gpucoord/gpucoord/relayer/capacity"
	"github.com/gpucoord/gpucoord/relayer/chain"
	"github.com/gpucoord/gpucoord/relayer/collect"
	"github.com/gpucoord/gpucoord/relayer/config"
	"github.com/gpucoord/gpucoord/relayer/da"
	"github.com/gpucoord/gpucoord/relayer/evm"
	"github.com/gpucoord/gpucoord/relayer/probe"
	"github.com/gpucoord/gpucoord/relayer/sample"
	"github.com/gpucoord/gpucoord/relayer/serve"
	"github.com/gpucoord/gpucoord/relayer/sigcheck"
	"github.com/gpucoord/gpucoord/relayer/store"
	"github.com/gpucoord/gpucoord/relayer/submit"
	"github.com/gpucoord/gpucoord/relayer/watch"
	operatorstypes "github.com/gpucoord/gpucoord/x/operators/types"
)

// relayer is what the duties share.
type relayer struct {
	cfg     *config.Relayer
	log     *slog.Logger
	client  *chain.Client
	account *chain.Account
	store   *store.Store
	files   *da.Dir
	domain  receipt.Domain
}

// duty runs until its context ends.
type duty func(ctx context.Context) error

// Run does all duties until ctx ends.
//
// Errors: those of the configuration, of key files, chain.ErrWrongChain, store.ErrVersion; after that only what ends
// a listener, and the context's. Everything else is tried again.
func Run(ctx context.Context, cfg config.Relayer, log *slog.Logger) error {
	if err := cfg.Check(); err != nil {
		return err
	}
	account, err := loadOperator(&cfg)
	if err != nil {
		return err
	}
	client, err := chain.Dial(cfg.Node, cfg.ChainID)
	if err != nil {
		return err
	}
	r := &relayer{cfg: &cfg, log: log, client: client, account: account}
	return errors.Join(r.run(ctx), client.Close())
}

// loadOperator opens the account that signs for the operator; nil where the relayer serves none.
func loadOperator(cfg *config.Relayer) (*chain.Account, error) {
	if cfg.WatchOnly() {
		return nil, nil //nolint:nilnil // no account is an answer
	}
	if _, err := chain.ParseBech32(cfg.Operator); err != nil {
		return nil, fmt.Errorf("operator: %w", err)
	}
	return chain.LoadAccount(cfg.AccountKeyFile)
}

func (r *relayer) run(ctx context.Context) (err error) {
	if err := os.MkdirAll(r.cfg.DataDir, 0o700); err != nil {
		return fmt.Errorf("data directory: %w", err)
	}
	if r.store, err = store.Open(ctx, filepath.Join(r.cfg.DataDir, "relayer.db")); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.store.Close()) }()
	if r.files, err = da.OpenDir(filepath.Join(r.cfg.DataDir, "da")); err != nil {
		return err
	}
	if r.domain, err = r.client.WaitDomain(ctx, r.log); err != nil {
		return err
	}
	tower, err := r.watchtower(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, tower.close()) }()
	duties, err := r.duties(ctx, tower)
	if err != nil {
		return err
	}
	group, ctx := errgroup.WithContext(ctx)
	for _, d := range duties {
		group.Go(func() error { return d(ctx) })
	}
	return group.Wait()
}

// duties builds everything that runs.
func (r *relayer) duties(ctx context.Context, tower *watchtower) ([]duty, error) {
	collectors, err := r.collectors()
	if err != nil {
		return nil, err
	}
	staters, err := r.staters()
	if err != nil {
		return nil, err
	}
	anchorers, err := anchorers(ctx, r.cfg.EVM, r.client, r.named("evm"))
	if err != nil {
		return nil, err
	}
	pinner, err := r.pinner()
	if err != nil {
		return nil, err
	}
	server, err := r.server(ctx, collectors, anchorers, tower)
	if err != nil {
		return nil, err
	}
	duties := append(tower.duties, server.Run)
	if !r.cfg.WatchOnly() {
		duties = append(duties, r.operatorDuties(collectors)...)
	}
	if pinner != nil {
		duties = append(duties, pinner.Run)
	}
	for _, c := range collectors {
		duties = append(duties, c.Run)
	}
	for _, s := range staters {
		duties = append(duties, s.Run)
	}
	for _, a := range anchorers {
		duties = append(duties, a.Run)
	}
	r.log.InfoContext(ctx, "relaying", slog.String("chain_id", r.cfg.ChainID), slog.String("operator", r.cfg.Operator),
		slog.String("account", r.sender()), slog.Int("hosts", len(r.cfg.Hosts)),
		slog.Int("evm_contracts", len(anchorers)), slog.Bool("watching", r.cfg.Watch.Enabled), slog.Bool("libsecp256k1", sigcheck.Native),
		slog.Any("listen", server.Addrs()))
	return duties, nil
}

// sender is the account that signs for the operator, "" where the relayer serves none.
func (r *relayer) sender() string {
	if r.account == nil {
		return ""
	}
	return r.account.Bech32()
}

// operatorDuties are what an operator's own batches ask for.
func (r *relayer) operatorDuties(collectors []*collect.Collector) []duty {
	interval := r.cfg.Interval.Std()
	submitter := submit.New(r.client, r.account, r.store, submit.Config{
		Interval: interval, GasPriceMilliUaleph: r.cfg.Submit.GasPriceMilliUaleph, FeeGranter: r.cfg.Submit.FeeGranter,
	}, r.named("submit"))
	sampler := sample.New(r.client.Head, sample.Queries{Operators: r.client.Operators, Receipts: r.client.Receipts}, r.store, r.files,
		sample.Config{Sender: r.account.Bech32(), Domain: r.domain, Interval: interval}, r.named("sample"))
	answerer := watch.NewAnswerer(r.client.Receipts, r.store, r.files, watch.AnswerConfig{
		Operator: r.cfg.Operator, Sender: r.account.Bech32(), Domain: r.domain, Interval: interval,
	}, r.named("answer"))
	return []duty{submitter.Run, r.batcher(collectors).Run, sampler.Run, answerer.Run}
}

func (r *relayer) named(duty string) *slog.Logger { return r.log.With(slog.String("duty", duty)) }

func (r *relayer) batcher(collectors []*collect.Collector) *batch.Batcher {
	hosts := make([]batch.Host, len(collectors))
	for i, c := range collectors {
		hosts[i] = batch.Host{ID: c.HostID(), Drain: c.Drain}
	}
	queries := batch.Queries{Operators: r.client.Operators, Royalties: r.client.Royalties, Receipts: r.client.Receipts}
	return batch.New(r.client.Head, queries, r.store, r.files, hosts, batch.Config{
		Operator: r.cfg.Operator, Sender: r.account.Bech32(), PublicURL: strings.TrimRight(r.cfg.Serve.PublicURL, "/"),
		Interval: r.cfg.Interval.Std(), GraceBlocks: r.cfg.Batch.GraceBlocks, MarginBlocks: r.cfg.Batch.MarginBlocks,
	}, r.named("batch"))
}

func (r *relayer) collectors() ([]*collect.Collector, error) {
	workers := r.cfg.Collect.Workers
	if workers == 0 {
		workers = runtime.GOMAXPROCS(0)
	}
	var out []*collect.Collector
	for i := range r.cfg.Hosts {
		h := &r.cfg.Hosts[i]
		source, err := collect.NewHTTPSource(h.AdminURL, h.AdminTokenFile)
		if err != nil {
			return nil, err
		}
		out = append(out, collect.New(source, r.keyOwner, r.store, collect.Config{
			HostID: h.HostID, Interval: r.cfg.Interval.Std(), MaxFrames: r.cfg.Collect.MaxFrames, Workers: workers,
			Checker: receipt.Checker{Domain: r.domain, Recover: sigcheck.Recover},
		}, r.named("collect")))
	}
	return out, nil
}

// keyOwner returns the host that the chain has registered a receipt key for.
func (r *relayer) keyOwner(ctx context.Context, key [20]byte) ([32]byte, error) {
	res, err := r.client.Operators.HostKey(ctx, &operatorstypes.QueryHostKeyRequest{Address: hex.EncodeToString(key[:])})
	if status.Code(err) == codes.NotFound {
		return [32]byte{}, collect.ErrUnknownKey
	}
	if err != nil {
		return [32]byte{}, fmt.Errorf("read receipt key %x: %w", key, err)
	}
	var host [32]byte
	copy(host[:], res.Key.HostId)
	return host, nil
}

// staters states the capacity of every host whose GPUs are to be declared.
func (r *relayer) staters() ([]*capacity.Stater, error) {
	var out []*capacity.Stater
	for i := range r.cfg.Hosts {
		h := &r.cfg.Hosts[i]
		if !h.Probes() {
			continue
		}
		raw, err := chain.ReadKeyFile(h.KeyFile)
		if err != nil {
			return nil, err
		}
		key, err := receipt.ParsePrivateKey(raw[:])
		if err != nil {
			return nil, fmt.Errorf("%s: %w", h.KeyFile, err)
		}
		out = append(out, capacity.New(r.client.Head, r.client.Operators, r.store, prober(h), capacity.Config{
			HostID: h.HostID, Key: key, Sender: r.account.Bech32(), Domain: r.domain, Interval: r.cfg.Interval.Std(),
		}, r.named("capacity")))
	}
	return out, nil
}

// prober reads the devices that a host's configuration names.
func prober(h *config.RelayedHost) capacity.Probe {
	return func() ([]probe.Device, bool, error) {
		var machine probe.Machine
		var err error
		if h.Simulated == "" {
			machine, err = probe.Local()
		} else {
			machine, err = probe.Simulated(h.Simulated, h.HostID)
		}
		return machine.Only(h.GPUIndices), machine.Simulated, err
	}
}

func (r *relayer) server(
	ctx context.Context, collectors []*collect.Collector, anchorers []*evm.Anchorer, tower *watchtower,
) (*serve.Server, error) {
	src := serve.Sources{
		ChainID: r.cfg.ChainID, Account: r.sender(), Head: r.client.Head, Operators: r.client.Operators, Store: r.store.Status,
		Collecting: func() []serve.Collecting {
			out := make([]serve.Collecting, len(collectors))
			for i, c := range collectors {
				health := c.Health()
				out[i] = serve.Collecting{HostID: c.HostID(), CaughtUp: health.CaughtUp, Err: health.Err}
			}
			return out
		},
		EVM: reports(anchorers), Collectors: tower.collectors,
	}
	for i := range r.cfg.Hosts {
		src.Simulated = src.Simulated || r.cfg.Hosts[i].Simulated != ""
	}
	private := serve.Listener{Address: r.cfg.Serve.StatusListen, Handler: serve.Private(src)}
	if r.cfg.WatchOnly() {
		return serve.Listen(ctx, r.named("serve"), private)
	}
	return serve.Listen(ctx, r.named("serve"), serve.Listener{Address: r.cfg.Serve.Listen, Handler: serve.Public(r.files)}, private)
}
