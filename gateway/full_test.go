// SPDX-License-Identifier: Apache-2.0

package gateway_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/gpucoord/gpucoord/gateway"
)

// busy refuses every job for want of room.
func busy(code string) func(http.ResponseWriter, *http.Request, *fakeJob) {
	return func(w http.ResponseWriter, _ *http.Request, _ *fakeJob) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusTooManyRequests)
		_, _ = w.Write([]byte(`{"error":{"code":"` + code + `","message":"full"}}`))
	}
}

func TestAFullHostIsLeftAloneForAMoment(t *testing.T) {
	for _, code := range []string{"TOO_MANY_OPEN", "HOST_BUSY", "ENGINE_BUSY", "TOO_MANY_ARRIVING"} {
		t.Run(code, func(t *testing.T) {
			f := newFixture(t, 1, func(c *gateway.Config) { c.Hosts.FullPause = gateway.Duration(time.Hour) })
			f.hosts[0].set(func(h *fakeHost) { h.serve = busy(code) })
			k := f.newKey(1_000_000)
			f.complete(k.Key, chat(5))
			for range 5 { // the only host there is: it is not asked again, and nothing is written
				if a := f.complete(k.Key, chat(5)); a.status != http.StatusServiceUnavailable || a.code() != "HOSTS_FULL" {
					t.Fatalf("got %d %s", a.status, a.body)
				}
			}
			if got := len(f.hosts[0].sent()); got != 1 {
				t.Errorf("a full host was asked %d times, want once", got)
			}
			f.wantCredit(k, 1_000_000, 0, 0)
		})
	}
}

func TestAHostGetsNoMoreOpenJobsThanItTakes(t *testing.T) {
	f := newFixture(t, 1, func(c *gateway.Config) { c.Hosts.MaxOpen = 2 })
	k := f.newKey(1_000_000)
	for range 2 { // served, and not countersigned: nothing sends, for Run does not run here
		if a := f.complete(k.Key, chat(5)); a.status != http.StatusOK {
			t.Fatalf("got %d %s", a.status, a.body)
		}
	}
	if a := f.complete(k.Key, chat(5)); a.code() != "HOSTS_FULL" {
		t.Fatalf("third open job: got %d %s", a.status, a.body)
	}
	if got := len(f.hosts[0].sent()); got != 2 {
		t.Fatalf("the host was sent %d jobs, want 2", got)
	}
	f.lateUntil(func() bool { return f.hosts[0].countersigned() == 2 })
	if a := f.complete(k.Key, chat(5)); a.status != http.StatusOK {
		t.Fatalf("after the countersignatures: got %d %s", a.status, a.body)
	}
}

func TestWhatIsReleasedMakesRoom(t *testing.T) {
	f := newFixture(t, 1, func(c *gateway.Config) {
		c.Hosts.MaxOpen = 1
		c.Hosts.Pause, c.Hosts.MaxPause = gateway.Duration(time.Nanosecond), gateway.Duration(time.Nanosecond)
	})
	k := f.newKey(1_000_000)
	f.hosts[0].set(func(h *fakeHost) {
		h.serve = func(w http.ResponseWriter, _ *http.Request, _ *fakeJob) {
			w.WriteHeader(http.StatusInternalServerError)
		}
	})
	for range 3 {
		if a := f.complete(k.Key, chat(5)); a.code() != "HOSTS_FAILED" {
			t.Fatalf("got %d %s", a.status, a.body)
		}
	}
	if got := len(f.hosts[0].sent()); got != 3 {
		t.Fatalf("the host was asked %d times, want 3", got)
	}
}
