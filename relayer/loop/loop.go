// SPDX-License-Identifier: Apache-2.0

// Package loop holds the one ticker loop that every duty of the relayer runs in.
package loop

import (
	"context"
	"log/slog"
	"time"
)

// Step is one pass of a duty. It returns when the pass is done or ctx ends.
type Step func(ctx context.Context) error

// Every runs step at once and then every interval until ctx ends. A failed step is logged and tried again at the
// next tick; a step that takes longer than interval delays the next one, ticks do not pile up.
//
// Errors: the context's error, always.
func Every(ctx context.Context, log *slog.Logger, interval time.Duration, step Step) error {
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	for {
		if err := step(ctx); err != nil && ctx.Err() == nil {
			log.WarnContext(ctx, "step failed, will try again", slog.String("err", err.Error()))
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-ticker.C:
		}
	}
}
