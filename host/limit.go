// SPDX-License-Identifier: Apache-2.0

package host

import (
	"net/http"
	"net/netip"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

const (
	// maxRemotes bounds how many remote addresses are told apart; further ones share one limit until others fall idle.
	maxRemotes = 1 << 16
	// remoteIdle is how long an address is remembered after its last request.
	remoteIdle = time.Minute
)

// remote is one address's limiter.
type remote struct {
	limiter *rate.Limiter
	seen    time.Time
}

// limiter bounds the requests of each remote address, in memory only.
type limiter struct {
	every rate.Limit
	burst int

	mu      sync.Mutex // guards what follows
	remotes map[netip.Prefix]*remote
	others  *rate.Limiter
	swept   time.Time
}

// newLimiter returns a limiter; nil, which allows everything, if perSecond is 0.
func newLimiter(perSecond, burst int) *limiter {
	if perSecond == 0 {
		return nil
	}
	every := rate.Limit(perSecond)
	return &limiter{every: every, burst: burst, remotes: make(map[netip.Prefix]*remote), others: rate.NewLimiter(every, burst)}
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
	r := l.remotes[key]
	if r == nil {
		if !ok || len(l.remotes) >= maxRemotes {
			return l.others.AllowN(now, 1)
		}
		r = &remote{limiter: rate.NewLimiter(l.every, l.burst)}
		l.remotes[key] = r
	}
	r.seen = now
	return r.limiter.AllowN(now, 1)
}

func (l *limiter) sweep(now time.Time) {
	l.swept = now
	for key, r := range l.remotes {
		if now.Sub(r.seen) > remoteIdle {
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
