// SPDX-License-Identifier: Apache-2.0

package hostview

import (
	"context"
	"fmt"
	"sync"
	"time"
)

const (
	// maxEntries bounds a cache: payer keys come from clients.
	maxEntries = 10_000
	// refreshTimeout bounds an answer that nobody waits for.
	refreshTimeout = 5 * time.Second
)

// cache keeps answers of the chain for a while. Up to fresh an answer is returned as it is; from then on it is asked for
// again while the old one is still returned; from bound on it is no answer any more and the caller waits for a new one.
type cache[K comparable, V any] struct {
	fresh, bound time.Duration
	fetch        func(ctx context.Context, key K) (V, error)

	mu      sync.Mutex // guards what follows
	entries map[K]*entry[V]
}

type entry[V any] struct {
	asking sync.Mutex // held by whoever asks the chain

	mu         sync.Mutex // guards what follows
	value      V
	at         time.Time // zero: no answer yet
	refreshing bool
}

func newCache[K comparable, V any](fresh, bound time.Duration, fetch func(context.Context, K) (V, error)) *cache[K, V] {
	return &cache[K, V]{fresh: fresh, bound: bound, fetch: fetch, entries: make(map[K]*entry[V])}
}

// get returns an answer that is younger than the bound.
//
// Errors: the chain's, when there is no such answer.
func (c *cache[K, V]) get(ctx context.Context, key K) (V, error) {
	e := c.entry(key)
	if value, age, ok := e.read(); ok && age < c.bound {
		if age >= c.fresh && e.beginRefresh() {
			go c.refresh(context.WithoutCancel(ctx), key, e)
		}
		return value, nil
	}
	return c.ask(ctx, key, e)
}

// entry returns the key's entry. A full cache forgets what is past its bound, then anything: it is only a cache.
func (c *cache[K, V]) entry(key K) *entry[V] {
	c.mu.Lock()
	defer c.mu.Unlock()
	if e := c.entries[key]; e != nil {
		return e
	}
	if len(c.entries) >= maxEntries {
		c.evict()
	}
	e := &entry[V]{}
	c.entries[key] = e
	return e
}

// evict makes room for a tenth of the cache at least; mu is held.
func (c *cache[K, V]) evict() {
	for key, e := range c.entries {
		if _, age, ok := e.read(); !ok || age >= c.bound {
			delete(c.entries, key)
		}
	}
	for key := range c.entries {
		if len(c.entries) <= maxEntries-maxEntries/10 {
			return
		}
		delete(c.entries, key)
	}
}

// ask waits for the chain. Of several callers one asks and the others take its answer.
func (c *cache[K, V]) ask(ctx context.Context, key K, e *entry[V]) (V, error) {
	e.asking.Lock()
	defer e.asking.Unlock()
	if value, age, ok := e.read(); ok && age < c.fresh {
		return value, nil
	}
	at := time.Now() // before the call, so that the answer is never taken for younger than it is
	value, err := c.fetch(ctx, key)
	if err != nil {
		var none V
		return none, fmt.Errorf("the chain does not answer: %w", err)
	}
	e.write(value, at)
	return value, nil
}

// refresh asks the chain in the background. A failure leaves the old answer, whose age speaks for itself.
func (c *cache[K, V]) refresh(ctx context.Context, key K, e *entry[V]) {
	defer e.endRefresh()
	ctx, cancel := context.WithTimeout(ctx, refreshTimeout)
	defer cancel()
	at := time.Now()
	if value, err := c.fetch(ctx, key); err == nil {
		e.write(value, at)
	}
}

func (e *entry[V]) read() (value V, age time.Duration, ok bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.value, time.Since(e.at), !e.at.IsZero()
}

func (e *entry[V]) write(value V, at time.Time) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if at.After(e.at) {
		e.value, e.at = value, at
	}
}

func (e *entry[V]) beginRefresh() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	begun := !e.refreshing
	e.refreshing = true
	return begun
}

func (e *entry[V]) endRefresh() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.refreshing = false
}
