// SPDX-License-Identifier: Apache-2.0

package gateway

import (
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// keyIdle is how long an API key's limiter is remembered after its last request.
const keyIdle = 10 * time.Minute

// keyLimits bounds the requests of each API key, in memory only. Only keys of the ledger get here, so their number is bounded.
type keyLimits struct {
	every      rate.Limit
	burst      int
	concurrent int

	mu    sync.Mutex // guards what follows
	keys  map[string]*keyLimit
	swept time.Time
}

type keyLimit struct {
	bucket  *rate.Limiter
	running int
	used    time.Time
}

func newKeyLimits(l *Limits) *keyLimits {
	return &keyLimits{every: rate.Limit(l.RatePerSecond), burst: l.RateBurst, concurrent: l.MaxConcurrentPerKey, keys: make(map[string]*keyLimit)}
}

// enter takes one request of a key into account; leave ends it and must be called unless there is a refusal.
func (k *keyLimits) enter(id string, now time.Time) (leave func(), ref *refusal) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if now.Sub(k.swept) > keyIdle {
		k.sweep(now)
	}
	l := k.keys[id]
	if l == nil {
		l = &keyLimit{bucket: rate.NewLimiter(k.every, k.burst)}
		k.keys[id] = l
	}
	l.used = now
	switch {
	case l.running >= k.concurrent:
		return nil, refuseKeyConcurrent
	case !l.bucket.AllowN(now, 1):
		return nil, refuseRate
	}
	l.running++
	return func() {
		k.mu.Lock()
		defer k.mu.Unlock()
		l.running--
	}, nil
}

func (k *keyLimits) sweep(now time.Time) {
	k.swept = now
	for id, l := range k.keys {
		if l.running == 0 && now.Sub(l.used) > keyIdle {
			delete(k.keys, id)
		}
	}
}
