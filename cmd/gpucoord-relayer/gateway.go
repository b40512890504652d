// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"log/slog"

	"github.com/spf13/cobra"

	"github.com/gpucoord/gpucoord/gateway"
	"github.com/gpucoord/gpucoord/gateway/route"
	"github.com/gpucoord/gpucoord/relayer/chain"
	"github.com/gpucoord/gpucoord/relayer/config"
	"github.com/gpucoord/gpucoord/relayer/sigcheck"
)

func newGatewayCommand() *cobra.Command {
	var path string
	return addConfigFlag(&cobra.Command{
		Use:   "gateway",
		Short: "Take customers' requests to hosts: API keys, credit, routing, countersignatures",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			file, err := config.Load(path, config.DefaultGateway())
			if err != nil {
				return err
			}
			log, err := newLogger(cmd, cmd.ErrOrStderr())
			if err != nil {
				return err
			}
			return runGateway(cmd.Context(), &file, log)
		},
	}, &path)
}

func runGateway(ctx context.Context, file *config.Gateway, log *slog.Logger) error {
	client, err := chain.Dial(file.Node, file.ChainID)
	if err != nil {
		return err
	}
	domain, err := client.WaitDomain(ctx, log)
	if err != nil {
		return errors.Join(err, client.Close())
	}
	cfg := file.Config
	cfg.EVMChainID = domain.ChainID() // the chain's to say, whatever the file has
	reader := route.NewChain(client)
	g, err := gateway.New(cfg, gateway.Deps{Hosts: reader.Snapshot, ValidFrom: reader.ValidFrom, Recover: sigcheck.Recover, Logger: log})
	if err != nil {
		return errors.Join(err, client.Close())
	}
	log.InfoContext(ctx, "gateway is serving", slog.String("listen", file.Listen), slog.String("admin_listen", file.AdminListen))
	return errors.Join(g.Run(ctx), client.Close())
}
