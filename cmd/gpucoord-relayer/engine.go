// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/spf13/cobra"

	"github.com/gpucoord/gpucoord/host/enginesim"
)

// engineOptions are what the flags of the engine say.
type engineOptions struct {
	enginesim.Config
	listen    string
	failEvery uint64 // 0: never
}

func newEngineCommand() *cobra.Command {
	var o engineOptions
	cmd := &cobra.Command{
		Use:   "engine",
		Short: "Stand in for an inference engine: simulated output, no model is run",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			log, err := newLogger(cmd, cmd.ErrOrStderr())
			if err != nil {
				return err
			}
			return runEngine(cmd.Context(), &o, log)
		},
	}
	cmd.Flags().StringVar(&o.listen, "listen", "127.0.0.1:8000", "address to serve on")
	cmd.Flags().StringVar(&o.Model, "model", "simulated-model", "name of the base model")
	cmd.Flags().StringSliceVar(&o.Adapters, "adapter", nil, "name of a loaded adapter; may be repeated")
	cmd.Flags().DurationVar(&o.TTFT, "ttft", 20*time.Millisecond, "time to the first token")
	cmd.Flags().DurationVar(&o.PerToken, "per-token", time.Millisecond, "time between two tokens")
	cmd.Flags().Uint64Var(&o.failEvery, "fail-every", 0, "fail one completion in so many; 0 fails none")
	return cmd
}

func runEngine(ctx context.Context, o *engineOptions, log *slog.Logger) error {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", o.listen)
	if err != nil {
		return fmt.Errorf("listen on %s: %w", o.listen, err)
	}
	o.PromptTokensDetails = true
	server := &http.Server{Handler: engineHandler(o), ReadHeaderTimeout: 10 * time.Second}
	context.AfterFunc(ctx, func() { _ = server.Close() }) // it simulates work; nothing is lost
	log.InfoContext(ctx, "simulated engine is serving", slog.String("listen", listener.Addr().String()), slog.String("model", o.Model))
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// engineHandler sends one completion in so many to an engine that fails them all.
func engineHandler(o *engineOptions) http.Handler {
	good, bad := enginesim.New(o.Config), enginesim.New(o.Config)
	bad.SetFault(enginesim.Fault{Kind: enginesim.FaultError})
	var completions atomic.Uint64
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if o.failEvery > 0 && r.Method == http.MethodPost && completions.Add(1)%o.failEvery == 0 {
			bad.ServeHTTP(w, r)
			return
		}
		good.ServeHTTP(w, r)
	})
}
