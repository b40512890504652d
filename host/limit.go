// SPDX-License-Identifier: Apache-2.0

package host

import (
	"net/http"
	"net/netip"
	"sync"
	"time"
)

const (
	// maxRemotes bounds how many remote addresses are told apart; further ones share one limit until others fall idle.
	maxRemotes = 1 << 16
	// remoteIdle is how long an address is remembered after its last request.
	remoteIdle = time.Minute
)

// bucket is one address's allowance: spent is the time that its requests have used up, and time pays it off.
type bucket struct {
	spent time.Duration
	seen  time.Time
}

// take uses up cost, unless that exceeds room.
func (b *bucket) take(now time.Time, cost, room time.Duration) bool {
	if elapsed := now.Sub(b.seen); elapsed > 0 {
		b.spent = max(b.spent-elapsed, 0)
	}
	b.seen = now
	if b.spent+cost > room {
		return false
	}
	b.spent += cost
	return true
}

// limiter bounds the requests of each remote address, in memory only.
type limiter struct {
	cost, room time.Duration // of one request, and of a burst of them

	mu      sync.Mutex // guards what follows
	remotes map[netip.Prefix]*bucket
	others  bucket
	swept   time.Time
}

// newLimiter returns a limiter; nil, which allows everything, if perSecond is 0.
func newLimiter(perSecond, burst int) *limiter {
	if perSecond == 0 {
		return nil
	}
	cost := time.Second / time.Duration(perSecond)
	return &limiter{cost: cost, room: cost * time.Duration(burst), remotes: make(map[netip.Prefix]*bucket)}
}

// allow takes one request of a remote address into account.
func (l *limiter) allow(remoteAddr string, now time.Time) bool {
	if l == nil {
		return true
	}
	key, ok := remoteKey(remoteAddr)
	l.mu.Lock()
	defer l.mu.Unlock()
	if now.Sub(l.swept) > remoteIdle {
		l.sweep(now)
	}
	b := l.remotes[key]
	if b == nil {
		if !ok || len(l.remotes) >= maxRemotes {
			return l.others.take(now, l.cost, l.room)
		}
		b = &bucket{seen: now}
		l.remotes[key] = b
	}
	return b.take(now, l.cost, l.room)
}

// giveBack makes a request count for nothing, because a signature showed that it comes from someone who is bounded otherwise.
func (l *limiter) giveBack(remoteAddr string) {
	if l == nil {
		return
	}
	key, _ := remoteKey(remoteAddr)
	l.mu.Lock()
	defer l.mu.Unlock()
	if b := l.remotes[key]; b != nil {
		b.spent = max(b.spent-l.cost, 0)
	}
}

func (l *limiter) sweep(now time.Time) {
	l.swept = now
	for key, b := range l.remotes {
		if now.Sub(b.seen) > remoteIdle {
			delete(l.remotes, key)
		}
	}
}

// remoteKey is the address, or the /64 network of an IPv6 address: one customer has that many.
func remoteKey(remoteAddr string) (netip.Prefix, bool) {
	ap, err := netip.ParseAddrPort(remoteAddr)
	if err != nil {
		return netip.Prefix{}, false
	}
	addr, size := ap.Addr().Unmap(), 32
	if addr.Is6() {
		size = 64
	}
	p, err := addr.WithZone("").Prefix(size)
	return p, err == nil
}

// bounded refuses requests beyond a remote address's rate, and gives every other one its time to arrive. The deadline also ends a body
// that is sent slowly to a handler that does not want it.
func (h *Host) bounded(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		now := time.Now()
		_ = http.NewResponseController(w).SetReadDeadline(now.Add(h.cfg.Timeouts.Body)) // a writer without deadlines is a test's
		if !h.limiter.allow(r.RemoteAddr, now) {
			h.refuse(w, RefuseRateLimited)
			return
		}
		next.ServeHTTP(w, r)
	})
}
