// SPDX-License-Identifier: Apache-2.0

// Package route knows the hosts of the chain and chooses among them.
//
// Operators are drawn in proportion to their routing weight (domain/score.Routing), then one of the operator's hosts uniformly, so that
// splitting one machine into many hosts gains nothing. Price, region and simulation are filters, never weights.
package route

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"sync"
	"time"
)

// Asset is what a customer asks for: a base model, with an adapter unless AdapterID is zero.
type Asset struct{ ModelID, AdapterID [32]byte }

// Offer is one asset that a host serves.
type Offer struct {
	Asset
	// Name is what the host's API calls it.
	Name string
	// PriceInUusdc and PriceOutUusdc are the prices of 10^6 prompt and output tokens.
	PriceInUusdc, PriceOutUusdc uint64
}

// Host is one host that may take work.
type Host struct {
	ID [32]byte
	// Key is the address of its receipt key.
	Key [20]byte
	// Operator is the account behind it, bech32; Region where it says it is.
	Operator, Region string
	// Endpoint is its base URL without a slash at the end, SPKI the SHA-256 of its TLS key, empty where none is pinned.
	Endpoint string
	SPKI     []byte
	// Simulated says that its last capacity statement declared stand-ins.
	Simulated bool
	// ReputationPPM and UCS are the operator's.
	ReputationPPM, UCS uint64
	Offers             []Offer
}

// Snapshot is the chain's hosts at one height.
type Snapshot struct {
	// Epoch is the chain's present epoch.
	Epoch uint64
	Hosts []Host
}

// Fetch reads a snapshot from the chain.
type Fetch func(ctx context.Context) (Snapshot, error)

// ErrStale means that the chain could not be read for too long, or never yet.
var ErrStale = errors.New("table of hosts is too old: the node does not answer")

// ErrBadEndpoint means that an endpoint is no base URL that may be called.
var ErrBadEndpoint = errors.New("endpoint must be an absolute http or https URL without user, query and fragment")

// Table keeps the newest snapshot. Its methods may be called from several goroutines.
type Table struct {
	fetch  Fetch
	maxAge time.Duration

	mu   sync.RWMutex // guards what follows
	now  Snapshot
	read time.Time
}

// NewTable returns an empty table. A snapshot older than maxAge is not used any more.
func NewTable(fetch Fetch, maxAge time.Duration) *Table { return &Table{fetch: fetch, maxAge: maxAge} }

// Refresh reads a new snapshot and returns it; on an error the last one stays in use until it is too old.
func (t *Table) Refresh(ctx context.Context) (Snapshot, error) {
	began := time.Now() // the snapshot is at least as new as this
	s, err := t.fetch(ctx)
	if err != nil {
		return Snapshot{}, fmt.Errorf("read hosts: %w", err)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.now, t.read = s, began
	return s, nil
}

// Snapshot returns the newest snapshot, which nobody may change.
//
// Errors: ErrStale.
func (t *Table) Snapshot() (Snapshot, error) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	if t.read.IsZero() || time.Since(t.read) > t.maxAge {
		return Snapshot{}, ErrStale
	}
	return t.now, nil
}

// Age is how old the newest snapshot is; negative before the first one.
func (t *Table) Age() time.Duration {
	t.mu.RLock()
	defer t.mu.RUnlock()
	if t.read.IsZero() {
		return -1
	}
	return time.Since(t.read)
}

// Host finds a host of the newest snapshot by its receipt key, however old the snapshot is.
func (t *Table) Host(key [20]byte) (Host, bool) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	for i := range t.now.Hosts {
		if t.now.Hosts[i].Key == key {
			return t.now.Hosts[i], true
		}
	}
	return Host{}, false
}

// ParseEndpoint checks a base URL and takes the slash off its end.
//
// Errors: ErrBadEndpoint.
func ParseEndpoint(text string) (string, error) {
	u, err := url.Parse(text)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Hostname() == "" || u.User != nil || u.RawQuery != "" || u.ForceQuery ||
		u.Fragment != "" || u.Opaque != "" {
		return "", fmt.Errorf("%w: %q", ErrBadEndpoint, text)
	}
	for len(u.Path) > 0 && u.Path[len(u.Path)-1] == '/' {
		u.Path = u.Path[:len(u.Path)-1]
	}
	u.RawPath = ""
	return u.String(), nil
}
