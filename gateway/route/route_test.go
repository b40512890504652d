// SPDX-License-Identifier: Apache-2.0

package route_test

import (
	"context"
	"errors"
	"reflect"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gpucoord/gpucoord/gateway/route"
)

var (
	base    = route.Asset{ModelID: [32]byte{1}}
	adapter = route.Asset{ModelID: [32]byte{1}, AdapterID: [32]byte{2}}
)

func host(n byte, operator string, reputation, ucs uint64) route.Host {
	return route.Host{
		ID: [32]byte{n}, Key: [20]byte{n}, Operator: operator, Region: "eu", Endpoint: "https://host.example", ReputationPPM: reputation, UCS: ucs,
		Offers: []route.Offer{{Asset: base, Name: "base", PriceInUusdc: 1, PriceOutUusdc: 100}},
	}
}

func keys(candidates []route.Candidate) []byte {
	var out []byte
	for _, c := range candidates {
		out = append(out, c.Host.Key[0])
	}
	return out
}

func TestFilters(t *testing.T) {
	hosts := []route.Host{host(1, "a", 1, 1), host(2, "b", 1, 1), host(3, "c", 1, 1), host(4, "d", 1, 1), host(5, "e", 1, 1)}
	hosts[1].Offers[0].PriceOutUusdc = 101
	hosts[2].Simulated = true
	hosts[3].Region = "us"
	hosts[4].Endpoint = "http://host.example"
	hosts[0].Offers = append(hosts[0].Offers, route.Offer{Asset: adapter, Name: "ada", PriceOutUusdc: 100})
	limit := uint64(100)
	for name, c := range map[string]struct {
		want route.Want
		keys []byte
	}{
		"model":              {route.Want{Asset: base}, []byte{1, 2, 4}},
		"adapter":            {route.Want{Asset: adapter}, []byte{1}},
		"unknown":            {route.Want{Asset: route.Asset{ModelID: [32]byte{9}}}, nil},
		"price":              {route.Want{Asset: base, MaxPriceOutUusdc: &limit}, []byte{1, 4}},
		"region":             {route.Want{Asset: base, Region: "us"}, []byte{4}},
		"simulated, no tls":  {route.Want{Asset: base, AllowSimulated: true, AllowHTTP: true}, []byte{1, 2, 3, 4, 5}},
		"simulated, but tls": {route.Want{Asset: base, AllowSimulated: true}, []byte{1, 2, 3, 4}},
	} {
		if got := keys(route.Candidates(hosts, c.want)); !slices.Equal(got, c.keys) {
			t.Errorf("%s: got %v, want %v", name, got, c.keys)
		}
	}
}

// draws counts which host is drawn first in n choices.
func draws(t *testing.T, hosts []route.Host, n int) map[byte]int {
	t.Helper()
	counts := make(map[byte]int)
	for range n {
		choice, err := route.NewChoice(route.Candidates(hosts, route.Want{Asset: base}))
		if err != nil {
			t.Fatal(err)
		}
		c, ok, err := choice.Next()
		if err != nil || !ok {
			t.Fatalf("got %v, %v", ok, err)
		}
		counts[c.Host.Key[0]]++
	}
	return counts
}

// within fails unless a count is at most six standard deviations (at most half the square root of n each) from its share.
func within(t *testing.T, got, n, sharePercent int) {
	t.Helper()
	const n10000SixSigma = 300
	if want := n * sharePercent / 100; got < want-n10000SixSigma || got > want+n10000SixSigma {
		t.Errorf("got %d of %d, want about %d", got, n, want)
	}
}

func TestOperatorsAreDrawnByWeight(t *testing.T) {
	const n = 10_000
	// 3 parts of reputation 1 against 1 part, and one of three times the score at a third of the reputation
	counts := draws(t, []route.Host{host(1, "a", 900_000, 400_000), host(2, "b", 300_000, 400_000), host(3, "c", 300_000, 1_200_000)}, n)
	within(t, counts[1], n, 43)
	within(t, counts[2], n, 14)
	within(t, counts[3], n, 43)
}

func TestSplittingAnOperatorGainsNothing(t *testing.T) {
	const n = 10_000
	hosts := []route.Host{host(1, "a", 500_000, 1000), host(2, "b", 500_000, 1000), host(3, "b", 500_000, 1000), host(4, "b", 500_000, 1000)}
	counts := draws(t, hosts, n)
	within(t, counts[1], n, 50)
	within(t, counts[2], n, 17)
}

func TestNewcomersAreTried(t *testing.T) {
	const n = 10_000 // a twentieth of the median against it: 1 in 21
	counts := draws(t, []route.Host{host(1, "a", 1_000_000, 1_000_000), host(2, "b", 1_000_000, 0)}, n)
	within(t, counts[2], n, 5)
	if counts[2] == 0 {
		t.Error("the newcomer was never drawn")
	}
	within(t, draws(t, []route.Host{host(1, "a", 0, 0), host(2, "b", 0, 0)}, n)[1], n, 50)
}

func TestDrawingIsWithoutReplacement(t *testing.T) {
	hosts := []route.Host{host(1, "a", 1_000_000, 1_000_000), host(2, "a", 1_000_000, 1_000_000), host(3, "b", 0, 1_000_000), host(4, "c", 1_000_000, 1)}
	choice, err := route.NewChoice(route.Candidates(hosts, route.Want{Asset: base}))
	if err != nil {
		t.Fatal(err)
	}
	var seen []byte
	for range hosts {
		c, ok, err := choice.Next()
		if err != nil || !ok {
			t.Fatalf("got %v, %v", ok, err)
		}
		seen = append(seen, c.Host.Key[0])
	}
	if seen[3] != 3 {
		t.Errorf("the host of weight 0 came before the others: %v", seen)
	}
	slices.Sort(seen)
	if !slices.Equal(seen, []byte{1, 2, 3, 4}) {
		t.Errorf("got %v", seen)
	}
	if _, ok, err := choice.Next(); ok || err != nil {
		t.Errorf("drawn from nothing: %v, %v", ok, err)
	}
}

func TestNamesGoToTheAssetMostOperatorsOffer(t *testing.T) {
	squatter := route.Asset{ModelID: [32]byte{0xee}}
	hosts := []route.Host{host(1, "a", 1, 1), host(2, "b", 1, 1), host(3, "c", 1, 1), host(4, "c", 1, 1), host(5, "c", 1, 1)}
	for i := 2; i < 5; i++ {
		hosts[i].Offers = []route.Offer{{Asset: squatter, Name: "base"}, {Asset: squatter, Name: "other"}, {Asset: squatter, Name: ""}}
	}
	names := route.NamesOf(hosts, nil)
	if got, ok := names.Find("base"); !ok || got != base {
		t.Errorf("got %v, %v", got, ok)
	}
	if want := []string{"base", "other"}; !slices.Equal(names.Sorted(), want) {
		t.Errorf("got %v", names.Sorted())
	}
	aliased := route.NamesOf(hosts, map[string]route.Asset{"mine": adapter})
	if got, ok := aliased.Find("mine"); !ok || got != adapter || !slices.Equal(aliased.Sorted(), []string{"mine"}) {
		t.Errorf("got %v of %v", got, aliased.Sorted())
	}
}

func TestFailedHostsCoolDown(t *testing.T) {
	c := route.NewCooldowns(route.Pause{First: 10 * time.Second, Most: 35 * time.Second, Wrong: time.Hour})
	hosts := []route.Host{host(1, "a", 1, 1), host(2, "b", 1, 1)}
	all := route.Candidates(hosts, route.Want{Asset: base})
	now := time.Unix(1_800_000_000, 0)
	ready := func(after time.Duration) []byte { return keys(c.Ready(all, now.Add(after))) }
	step := func(after time.Duration, want ...byte) {
		t.Helper()
		if got := ready(after); !slices.Equal(got, want) {
			t.Fatalf("after %s: got %v, want %v", after, got, want)
		}
	}
	c.Failed([20]byte{1}, now)
	step(9*time.Second, 2)
	step(10*time.Second, 1, 2)
	c.Failed([20]byte{1}, now) // 20 s
	step(19*time.Second, 2)
	c.Failed([20]byte{1}, now) // 40 s, at most 35
	step(34*time.Second, 2)
	step(35*time.Second, 1, 2)
	c.Served([20]byte{1}, now)
	step(0, 1, 2)
	c.Failed([20]byte{1}, now)
	c.Failed([20]byte{2}, now)
	step(0, 1, 2) // all there is
	c.Lied([20]byte{2}, now)
	step(0, 1)
	c.Lied([20]byte{1}, now)
	step(0)
	c.Served([20]byte{1}, now)
	step(59 * time.Minute)
	if got := c.Cooling(now); got != 2 {
		t.Fatalf("got %d cooling", got)
	}
	step(time.Hour, 1, 2)
}

func TestTableKeepsTheLastGoodSnapshotForAWhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var fail error
		snapshot := route.Snapshot{Epoch: 3, Hosts: []route.Host{host(1, "a", 1, 1)}}
		table := route.NewTable(func(context.Context) (route.Snapshot, error) { return snapshot, fail }, time.Minute)
		if _, err := table.Snapshot(); !errors.Is(err, route.ErrStale) || table.Age() >= 0 {
			t.Fatalf("before the first: got %v", err)
		}
		if _, err := table.Refresh(t.Context()); err != nil {
			t.Fatal(err)
		}
		fail = errors.New("node is away")
		time.Sleep(time.Minute)
		if _, err := table.Refresh(t.Context()); !errors.Is(err, fail) {
			t.Fatalf("got %v", err)
		}
		got, err := table.Snapshot()
		if err != nil || !reflect.DeepEqual(got, snapshot) {
			t.Fatalf("got %+v, %v", got, err)
		}
		time.Sleep(time.Second)
		if _, err := table.Snapshot(); !errors.Is(err, route.ErrStale) {
			t.Fatalf("after max_age: got %v", err)
		}
		if h, ok := table.Host([20]byte{1}); !ok || h.Operator != "a" {
			t.Fatalf("got %+v, %v", h, ok)
		}
		if _, ok := table.Host([20]byte{9}); ok {
			t.Fatal("found a host that is not there")
		}
	})
}

func TestEndpointsThatMayBeCalled(t *testing.T) {
	for text, want := range map[string]string{
		"https://a.example":              "https://a.example",
		"https://a.example:8443/gpu//":   "https://a.example:8443/gpu",
		"http://127.0.0.1:80":            "http://127.0.0.1:80",
		"ftp://a.example":                "",
		"file:///etc/passwd":             "",
		"https://user:pass@a.example":    "",
		"https://a.example/?x=1":         "",
		"https://a.example/?":            "",
		"https://a.example#f":            "",
		"https://":                       "",
		"https://:443":                   "",
		"//a.example":                    "",
		"a.example":                      "",
		"https://a.example\r\nX-Evil: 1": "",
	} {
		got, err := route.ParseEndpoint(text)
		if got != want || (want == "") != errors.Is(err, route.ErrBadEndpoint) {
			t.Errorf("%q: got %q, %v", text, got, err)
		}
	}
}
