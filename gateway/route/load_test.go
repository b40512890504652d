// SPDX-License-Identifier: Apache-2.0

package route_test

import (
	"testing"
	"time"

	"github.com/gpucoord/gpucoord/gateway/route"
)

func TestLoadKeepsHostsWithinTheirLimits(t *testing.T) {
	now := time.Unix(1_000, 0)
	first, second := &route.Host{Key: [20]byte{1}}, &route.Host{Key: [20]byte{2}}
	candidates := []route.Candidate{{Host: first}, {Host: second}}
	l := route.NewLoad(3)
	free := func(at time.Time) (keys string) {
		for _, c := range l.Free(candidates, at) {
			keys += string('0' + rune(c.Host.Key[0]))
		}
		return keys
	}
	for n := byte(1); n <= 3; n++ {
		if !l.Enter(first.Key, [32]byte{n}, now) {
			t.Fatalf("job %d of 3 refused", n)
		}
	}
	if l.Enter(first.Key, [32]byte{4}, now) || free(now) != "2" {
		t.Fatalf("a full host takes more: free are %q", free(now))
	}
	l.Leave([32]byte{3})
	l.Leave([32]byte{3}) // twice, or one that never was, changes nothing
	l.Leave([32]byte{99})
	if free(now) != "12" || l.Open() != 2 {
		t.Fatalf("free are %q, %d open", free(now), l.Open())
	}

	l.Full([32]byte{2}, now) // it had one besides this one
	if free(now) != "2" || l.Open() != 1 {
		t.Fatalf("a limit of one was not learned: free are %q, %d open", free(now), l.Open())
	}
	if later := now.Add(time.Minute); free(later) != "12" {
		t.Fatalf("what was learned stays for good: free are %q", free(later))
	}
	l.Leave([32]byte{1})
	if free(now) != "12" || l.Open() != 0 {
		t.Fatalf("free are %q, %d open", free(now), l.Open())
	}
}

func TestFullHostsAreNotTriedThoughAllAreCooling(t *testing.T) {
	now := time.Unix(1_000, 0)
	c := route.NewCooldowns(route.Pause{First: time.Second, Most: time.Minute, Wrong: time.Hour, Full: 2 * time.Second})
	full, failed := &route.Host{Key: [20]byte{1}}, &route.Host{Key: [20]byte{2}}
	candidates := []route.Candidate{{Host: full}, {Host: failed}}
	c.Full(full.Key, now)
	c.Failed(failed.Key, now)
	if got := c.Ready(candidates, now); len(got) != 1 || got[0].Host != failed {
		t.Fatalf("got %d hosts, want the one that only failed", len(got))
	}
	c.Served(full.Key, now) // a job that it took before it was full
	if got := c.Ready(candidates[:1], now.Add(2*time.Second-1)); len(got) != 0 {
		t.Fatal("a full host is tried before its pause is over")
	}
	if got := c.Ready(candidates[:1], now.Add(2*time.Second)); len(got) != 1 {
		t.Fatal("a host stays full for good")
	}
}
