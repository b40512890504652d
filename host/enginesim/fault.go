// SPDX-License-Identifier: Apache-2.0

package enginesim

import (
	"context"
	"time"
)

// FaultKind says how completions go wrong.
type FaultKind uint8

// The faults.
const (
	FaultNone       FaultKind = iota
	FaultError                // answers 500 in vLLM's shape
	FaultOverloaded           // answers 503
	FaultDrop                 // closes the connection before any header
	FaultCut                  // closes the connection after Fault.After tokens
	FaultErrorEvent           // after Fault.After tokens sends an error event, then [DONE], as vLLM does
	FaultHang                 // stops after Fault.After tokens and keeps the connection open
	FaultNoUsage              // leaves the usage out
	FaultNegative             // reports a negative token count
	FaultGiantEvent           // sends one event of 4 MiB
	FaultRedirect             // answers with a redirect
)

// Fault is a fault of the completions that begin while it is set.
type Fault struct {
	Kind FaultKind
	// After is how many tokens are written first.
	After uint64
	// Location is where FaultRedirect points.
	Location string
}

// SetFault sets the fault of all completions that begin from now on.
func (e *Engine) SetFault(f Fault) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.fault = f
}

func (e *Engine) currentFault() Fault {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.fault
}

// wait waits for d or until ctx ends; it reports whether the time has passed.
func wait(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return ctx.Err() == nil
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
