// SPDX-License-Identifier: Apache-2.0

package loop_test

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gpucoord/gpucoord/relayer/loop"
)

func TestEveryRunsAtOnceThenAtEachTickAndSurvivesErrors(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 35*time.Second)
		defer cancel()
		var at []time.Duration
		start := time.Now()
		err := loop.Every(ctx, slog.New(slog.DiscardHandler), 10*time.Second, func(context.Context) error {
			at = append(at, time.Since(start))
			return errors.New("fault")
		})
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Fatalf("got %v, want the context's error", err)
		}
		want := []time.Duration{0, 10 * time.Second, 20 * time.Second, 30 * time.Second}
		if len(at) != len(want) {
			t.Fatalf("ran at %v, want %v", at, want)
		}
		for i := range want {
			if at[i] != want[i] {
				t.Fatalf("ran at %v, want %v", at, want)
			}
		}
	})
}
