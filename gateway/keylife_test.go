// SPDX-License-Identifier: Apache-2.0

package gateway_test

import (
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/gpucoord/gpucoord/gateway/route"
)

// TestNoAuthorisationBeginsBeforeItsKey: the chain resolves a payer by issuedAt, so one second too early is nobody's job.
func TestNoAuthorisationBeginsBeforeItsKey(t *testing.T) {
	now := uint64(time.Now().Unix())
	for name, c := range map[string]struct{ from, least, most uint64 }{
		"a key registered long ago":   {now - 1_000, now - 5, now + 60}, // dated back, for hosts whose clock is behind
		"a key registered just now":   {now - 2, now - 2, now + 60},
		"a chain whose clock is fast": {now + 100, now + 100, now + 100},
		"a key not known yet":         {0, now, now + 60},
	} {
		t.Run(name, func(t *testing.T) {
			f := newUnregistered(t)
			if c.from != 0 {
				f.from = c.from
				if err := f.g.Refresh(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			if a := f.complete(f.newKey(1_000_000).Key, chat(5)); a.status != http.StatusOK {
				t.Fatalf("got %d %s", a.status, a.body)
			}
			auth := f.hosts[0].sent()[0].auth
			if auth.IssuedAt < c.least || auth.IssuedAt > c.most {
				t.Errorf("issued at %d, want %d to %d", auth.IssuedAt, c.least, c.most)
			}
			if c.from == now-1_000 && auth.IssuedAt > uint64(time.Now().Unix())-5 {
				t.Errorf("issued at %d: a host whose clock is behind refuses it", auth.IssuedAt)
			}
		})
	}
}

// newUnregistered is a gateway whose key the chain does not know yet.
func newUnregistered(t *testing.T) *fixture {
	t.Helper()
	f := newFixture(t, 1, nil)
	f.stop()
	f.from = 0
	f.open()
	if err := f.g.Refresh(t.Context()); !errors.Is(err, route.ErrNotRegistered) {
		t.Fatalf("refresh with a key that is not registered: got %v", err)
	}
	return f
}
