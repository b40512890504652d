// SPDX-License-Identifier: Apache-2.0

package demo

import (
	"fmt"
	"io"
	"sync"
	"time"
)

// progress writes what is being done and since when.
type progress struct {
	began time.Time
	mu    sync.Mutex
	out   io.Writer
}

func newProgress(out io.Writer) *progress {
	if out == nil {
		out = io.Discard
	}
	return &progress{began: time.Now(), out: out}
}

func (p *progress) say(format string, args ...any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	// A progress line that cannot be written hurts nobody.
	_, _ = fmt.Fprintf(p.out, "[%5.1f s] %s\n", time.Since(p.began).Seconds(), fmt.Sprintf(format, args...))
}
