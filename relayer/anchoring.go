// SPDX-License-Identifier: Apache-2.0

package relayer

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/ethereum/go-ethereum/common"
	"golang.org/x/sync/errgroup"

	"github.com/gpucoord/gpucoord/relayer/chain"
	"github.com/gpucoord/gpucoord/relayer/config"
	"github.com/gpucoord/gpucoord/relayer/evm"
	"github.com/gpucoord/gpucoord/relayer/evm/report"
	"github.com/gpucoord/gpucoord/relayer/serve"
)

// Anchor brings the chain's anchors to EVM chains until ctx ends, and does nothing else: anyone may run it.
//
// Errors: those of the configuration and of key files, what ends the listener, and the context's. Everything else is tried again.
func Anchor(ctx context.Context, cfg config.Anchoring, log *slog.Logger) error {
	if err := cfg.Check(); err != nil {
		return err
	}
	client, err := chain.Dial(cfg.Node, cfg.ChainID)
	if err != nil {
		return err
	}
	return errors.Join(anchor(ctx, cfg, client, log), client.Close())
}

func anchor(ctx context.Context, cfg config.Anchoring, client *chain.Client, log *slog.Logger) error {
	all, err := anchorers(ctx, cfg.EVM, client, log)
	if err != nil {
		return err
	}
	server, err := serve.Listen(ctx, log, serve.Listener{Address: cfg.StatusListen, Handler: serve.Anchoring(cfg.ChainID, reports(all))})
	if err != nil {
		return err
	}
	log.InfoContext(ctx, "anchoring", slog.String("chain_id", cfg.ChainID), slog.Int("evm_contracts", len(all)), slog.String("status_listen", server.Addr(0)))
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return server.Run(ctx) })
	for _, a := range all {
		group.Go(func() error { return a.Run(ctx) })
	}
	return group.Wait()
}

// anchorers builds one anchorer for each contract. Key files are opened now, so that a wrong password is said at the start; a remote
// signer may come later.
func anchorers(ctx context.Context, sections []config.EVM, client *chain.Client, log *slog.Logger) ([]*evm.Anchorer, error) {
	var out []*evm.Anchorer
	for _, section := range sections {
		e := section.Resolve()
		clients, err := evm.DialEndpoints(ctx, e.RPCs)
		if err != nil {
			return nil, fmt.Errorf("evm %s: %w", e.Name, err)
		}
		open, err := opener(&e)
		if err != nil {
			return nil, fmt.Errorf("evm %s: %w", e.Name, err)
		}
		out = append(out, evm.New(evm.NewNode(client), clients, open, evm.Config{
			Name: e.Name, ChainID: e.ChainID, Contract: common.Address(e.Contract), CodeHash: common.Hash(e.CodeHash),
			Limits:   evm.GweiLimits(e.TipGwei, e.MaxFeeGwei, e.HardMaxFeeGwei),
			Interval: e.Interval.Std(), ResendAfter: e.ResendAfter.Std(), RaceWindow: e.RaceWindow.Std(),
			Confirmations: e.Confirmations, MaxLag: e.MaxLagBlocks, WatchOnly: e.WatchOnly,
		}, log))
	}
	return out, nil
}

// opener opens what pays; nil without a key.
func opener(e *config.EVM) (evm.OpenPurse, error) {
	switch {
	case e.KeyFile != "":
		purse, err := evm.OpenKeyFile(e.KeyFile, e.PasswordFile)
		return func(context.Context) (evm.Purse, error) { return purse, nil }, err
	case e.RemoteSigner != "":
		return func(ctx context.Context) (evm.Purse, error) {
			return evm.OpenRemoteSigner(ctx, e.RemoteSigner, common.Address(e.Account))
		}, nil
	default:
		return nil, nil
	}
}

func reports(all []*evm.Anchorer) func() []report.Chain {
	return func() []report.Chain {
		out := make([]report.Chain, len(all))
		for i, a := range all {
			out[i] = a.Report()
		}
		return out
	}
}
