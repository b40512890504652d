// SPDX-License-Identifier: Apache-2.0

package host

import (
	"context"
	"log/slog"
	"strings"
)

// withoutAddresses passes net/http's error log on without the first line of a text, which names remote addresses and panic values; what
// is left is the stack of a panic.
type withoutAddresses struct{ slog.Handler }

// Handle implements slog.Handler.
func (d withoutAddresses) Handle(ctx context.Context, r slog.Record) error {
	_, stack, _ := strings.Cut(r.Message, "\n")
	clean := slog.NewRecord(r.Time, r.Level, "connection error", r.PC)
	if stack != "" {
		clean.AddAttrs(slog.String("stack", stack))
	}
	return d.Handler.Handle(ctx, clean)
}
