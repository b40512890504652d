// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/spf13/cobra"

	"github.com/cosmos/cosmos-sdk/version"

	"github.com/gpucoord/gpucoord/domain/receipt"
	"github.com/gpucoord/gpucoord/host"
	"github.com/gpucoord/gpucoord/relayer/chain"
	"github.com/gpucoord/gpucoord/relayer/config"
	"github.com/gpucoord/gpucoord/relayer/hostview"
	"github.com/gpucoord/gpucoord/relayer/sigcheck"
	operatorstypes "github.com/gpucoord/gpucoord/x/operators/types"
)

func newHostCommand() *cobra.Command {
	var path string
	return addConfigFlag(&cobra.Command{
		Use:   "host",
		Short: "Serve an inference engine and sign a receipt for each job",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			file, err := config.Load(path, config.DefaultHost())
			if err != nil {
				return err
			}
			log, err := newLogger(cmd, cmd.ErrOrStderr())
			if err != nil {
				return err
			}
			return runHost(cmd.Context(), &file, log)
		},
	}, &path)
}

func runHost(ctx context.Context, file *config.Host, log *slog.Logger) error {
	raw, err := chain.ReadKeyFile(file.KeyFile)
	if err != nil {
		return err
	}
	key, err := receipt.ParsePrivateKey(raw[:])
	if err != nil {
		return err
	}
	client, err := chain.Dial(file.Node, file.ChainID)
	if err != nil {
		return err
	}
	domain, err := client.WaitDomain(ctx, log)
	if err != nil {
		return errors.Join(err, client.Close())
	}
	cfg, err := file.Config(domain.ChainID(), version.Version)
	if err != nil {
		return errors.Join(err, client.Close())
	}
	ages, err := viewOf(ctx, client, file.View)
	if err != nil {
		return errors.Join(err, client.Close())
	}
	cfg.Recover, cfg.Sign = sigcheck.Recover, sigcheck.Sign
	view := hostview.New(hostview.Queries{Operators: client.Operators, Royalties: client.Royalties, Receipts: client.Receipts},
		hostview.Options{HostKey: receipt.KeyAddress(key), Operator: file.Operator, Fresh: ages.Fresh.Std(), Bound: ages.Bound.Std()})
	h, err := host.New(cfg, host.Deps{Chain: view, Key: key, Logger: log})
	if err != nil {
		return errors.Join(err, client.Close())
	}
	log.InfoContext(ctx, "serving", slog.String("listen", h.PublicAddr()), slog.String("admin_listen", h.AdminAddr()))
	return errors.Join(h.Run(ctx), client.Close())
}

// viewOf gives the host's view of the chain its ages, by the length of the chain's blocks.
func viewOf(ctx context.Context, client *chain.Client, view config.HostView) (config.HostView, error) {
	res, err := client.Operators.Params(ctx, &operatorstypes.QueryParamsRequest{})
	if err != nil {
		return view, fmt.Errorf("read the chain's block time: %w", err)
	}
	return view.Resolve(time.Duration(res.Params.BlockTimeMs) * time.Millisecond) //nolint:gosec // at most an hour
}
