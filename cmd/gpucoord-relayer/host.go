// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"log/slog"

	"github.com/spf13/cobra"

	"github.com/cosmos/cosmos-sdk/version"

	"github.com/gpucoord/gpucoord/domain/receipt"
	"github.com/gpucoord/gpucoord/host"
	"github.com/gpucoord/gpucoord/relayer/chain"
	"github.com/gpucoord/gpucoord/relayer/config"
	"github.com/gpucoord/gpucoord/relayer/hostview"
	"github.com/gpucoord/gpucoord/relayer/sigcheck"
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
	cfg.Recover = sigcheck.Recover
	view := hostview.New(hostview.Queries{Operators: client.Operators, Royalties: client.Royalties, Receipts: client.Receipts},
		hostview.Options{HostKey: receipt.KeyAddress(key), Operator: file.Operator, Fresh: file.View.Fresh.Std(), Bound: file.View.Bound.Std()})
	h, err := host.New(cfg, host.Deps{Chain: view, Key: key, Logger: log})
	if err != nil {
		return errors.Join(err, client.Close())
	}
	log.InfoContext(ctx, "serving", slog.String("listen", h.PublicAddr()), slog.String("admin_listen", h.AdminAddr()))
	return errors.Join(h.Run(ctx), client.Close())
}
