// SPDX-License-Identifier: Apache-2.0

package relayer

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/gpucoord/gpucoord/domain/receipt"
	"github.com/gpucoord/gpucoord/relayer/chain"
	"github.com/gpucoord/gpucoord/relayer/config"
	"github.com/gpucoord/gpucoord/relayer/da"
	"github.com/gpucoord/gpucoord/relayer/sigcheck"
	"github.com/gpucoord/gpucoord/relayer/store"
	"github.com/gpucoord/gpucoord/relayer/submit"
	"github.com/gpucoord/gpucoord/relayer/watch"
)

// watchtower is the part of a relayer that watches; it has no duties where that is off.
type watchtower struct {
	duties     []duty
	collectors []prometheus.Collector
	closers    []func() error
}

func (t *watchtower) close() error {
	var errs []error
	for _, c := range t.closers {
		errs = append(errs, c())
	}
	return errors.Join(errs...)
}

// watchtower builds what watches. The reporter has an outbox and a submitter of its own, since each owns one account's sequence.
func (r *relayer) watchtower(ctx context.Context) (*watchtower, error) {
	t := &watchtower{}
	if !r.cfg.Watch.Enabled {
		return t, nil
	}
	if err := r.buildWatchtower(ctx, t); err != nil {
		return nil, errors.Join(err, t.close())
	}
	return t, nil
}

func (r *relayer) buildWatchtower(ctx context.Context, t *watchtower) error {
	c := &r.cfg.Watch
	dir := filepath.Join(r.cfg.DataDir, "watch")
	policy, err := da.ParsePolicy(c.Allow)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("watch directory: %w", err)
	}
	outbox, err := store.Open(ctx, filepath.Join(dir, "outbox.db"))
	if err != nil {
		return err
	}
	t.closers = append(t.closers, outbox.Close)
	cfg := watch.Config{
		Dir: dir, Operators: c.Operators, MaxBytes: c.MaxBytes, CacheBytes: c.CacheBytes,
		FetchTries: c.FetchTries, FetchWait: c.FetchWait.Std(), Fetches: c.Fetches, Workers: c.Workers, Interval: r.cfg.Interval.Std(),
		Checker: receipt.Checker{Domain: r.domain, Recover: sigcheck.Recover},
	}
	if cfg.Workers == 0 {
		cfg.Workers = runtime.GOMAXPROCS(0)
	}
	reporter, err := r.reporter()
	if err != nil {
		return err
	}
	if reporter != nil {
		cfg.Reporter = [20]byte(reporter.Address())
		t.duties = append(t.duties, submit.New(r.client, reporter, outbox, submit.Config{
			Interval: cfg.Interval, GasPriceMilliUaleph: r.cfg.Submit.GasPriceMilliUaleph, FeeGranter: r.cfg.Submit.FeeGranter,
		}, r.named("report")).Run)
	}
	tower, err := watch.New(ctx, watch.Sources{
		Chain: r.client, Queries: watch.Queries{Operators: r.client.Operators, Receipts: r.client.Receipts}, Outbox: outbox,
		Fetcher: da.NewFetcher(policy, c.FetchTimeout.Std()),
	}, cfg, r.named("watch"))
	if err != nil {
		return err
	}
	t.closers = append(t.closers, tower.Close)
	t.duties = append(t.duties, tower.Run)
	t.collectors = append(t.collectors, watch.Collector{Read: tower.Status})
	r.log.InfoContext(ctx, "watching", slog.Int("operators", len(c.Operators)), slog.Bool("reports", reporter != nil))
	return nil
}

// reporter opens the account that reports; nil without one.
//
// Errors: config.ErrWatchShared, and those of key files.
func (r *relayer) reporter() (*chain.Account, error) {
	if r.cfg.Watch.ReporterKeyFile == "" {
		return nil, nil //nolint:nilnil // no account is an answer
	}
	account, err := chain.LoadAccount(r.cfg.Watch.ReporterKeyFile)
	if err != nil {
		return nil, err
	}
	if r.account != nil && bytes.Equal(account.Address(), r.account.Address()) {
		return nil, config.ErrWatchShared
	}
	return account, nil
}

// pinner hands DA files to a pin endpoint; nil without one.
func (r *relayer) pinner() (*da.Pinner, error) {
	c := &r.cfg.DA
	if c.PinURL == "" || r.cfg.WatchOnly() {
		return nil, nil //nolint:nilnil // no pinner is an answer
	}
	cfg := da.PinConfig{URL: c.PinURL, Interval: c.PinInterval.Std(), Timeout: c.PinTimeout.Std()}
	if c.PinTokenFile != "" {
		token, err := os.ReadFile(c.PinTokenFile)
		if err != nil {
			return nil, fmt.Errorf("pin token: %w", err)
		}
		cfg.Token = strings.TrimSpace(string(token))
	}
	return da.NewPinner(r.files, cfg, r.named("pin")), nil
}
