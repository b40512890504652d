// SPDX-License-Identifier: Apache-2.0

package host

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

// refusalLogEvery is how often one code is logged at most: what clients send must not fill the log.
const refusalLogEvery = 10 * time.Second

// refusalLog writes refusals to the operator's log, by code alone: whom they were told is nobody's business. There are as many codes as
// this package has refusals, so it is bounded.
type refusalLog struct {
	logger *slog.Logger

	mu    sync.Mutex // guards codes
	codes map[string]*toldCode
}

type toldCode struct {
	at      time.Time // of the line written last
	skipped int       // refusals since
}

func newRefusalLog(logger *slog.Logger) *refusalLog {
	return &refusalLog{logger: logger, codes: make(map[string]*toldCode)}
}

// note logs a refusal, unless its code was logged just now; the next line then says how many were passed over.
func (l *refusalLog) note(ref *Refusal, now time.Time) {
	skipped, due := l.due(ref.Code, now)
	if due {
		l.logger.LogAttrs(context.Background(), slog.LevelInfo, "refused",
			slog.String("code", ref.Code), slog.Int("status", ref.Status), slog.Int("more_since_last", skipped))
	}
}

func (l *refusalLog) due(code string, now time.Time) (skipped int, due bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	c := l.codes[code]
	if c == nil {
		l.codes[code] = &toldCode{at: now}
		return 0, true
	}
	if now.Sub(c.at) < refusalLogEvery {
		c.skipped++
		return 0, false
	}
	skipped, c.skipped, c.at = c.skipped, 0, now
	return skipped, true
}
