// SPDX-License-Identifier: Apache-2.0

package demo

import (
	"reflect"
	"slices"
	"testing"
)

func TestWorldNamesOnlyWhatItHas(t *testing.T) {
	if len(operators) != 3 || len(gateways) != 2 || len(bases) != 2 || len(adapters) != 5 {
		t.Errorf("%d operators, %d gateways, %d bases, %d adapters", len(operators), len(gateways), len(bases), len(adapters))
	}
	earning := 0
	for _, b := range bases {
		if !slices.Contains(authors, b.author) {
			t.Errorf("%s is by %s, who is no author", b.name, b.author)
		}
		if b.proof {
			earning++
		}
	}
	if earning != 1 {
		t.Errorf("%d bases earn, want 1", earning)
	}
	nested := 0
	for _, a := range adapters {
		whole := uint64(0)
		for _, p := range a.payees {
			whole += p.bps
			if !slices.Contains(authors, p.author) {
				t.Errorf("%s pays %s, who is no author", a.name, p.author)
			}
		}
		if whole != 10_000 || baseOf(a.base).name != a.base || !slices.Contains(authors, a.owner) {
			t.Errorf("%s: payees get %d bps, base %q, owner %q", a.name, whole, a.base, a.owner)
		}
		for _, name := range a.parents {
			if parent := adapterNamed(name); parent == nil || parent.base != a.base {
				t.Errorf("%s: parent %q is unknown or on another base", a.name, name)
			}
		}
		if len(a.parents) > 1 {
			nested++
		}
	}
	if nested == 0 {
		t.Error("no adapter has a parent with a parent")
	}
	for _, o := range operators {
		if baseOf(o.base).name == "" || len(adaptersOf(o.base)) == 0 {
			t.Errorf("%s serves %q", o.name, o.base)
		}
	}
	for _, dish := range menu {
		if a := adapterNamed(dish[1]); baseOf(dish[0]).name == "" || dish[1] != "" && (a == nil || a.base != dish[0]) {
			t.Errorf("the menu has %v", dish)
		}
	}
}

func TestJobsAreTheSameEveryTimeAndMeetEveryWay(t *testing.T) {
	var ways [4]int
	models, perGateway := make(map[string]int), make([]int, len(gateways))
	for n := range 500 {
		j := jobOf(n, Request{ContextTokens: 3, GeneratedTokens: 2})
		if again := jobOf(n, Request{ContextTokens: 3, GeneratedTokens: 2}); !reflect.DeepEqual(j, again) {
			t.Fatalf("job %d: %+v, then %+v", n, j, again)
		}
		ways[j.route]++
		models[j.model()]++
		perGateway[j.gateway]++
		if _, o := directOperator(); (j.route == routeDirect || j.route == routeExpired) && j.base != o.base {
			t.Errorf("job %d goes to %s, who does not serve %s", n, o.name, j.base)
		}
	}
	for way, n := range ways {
		if n == 0 {
			t.Errorf("no job goes way %d", way)
		}
	}
	if len(models) != len(menu) {
		t.Errorf("models asked for: %v", models)
	}
	if perGateway[0] < perGateway[1] || perGateway[1] == 0 {
		t.Errorf("jobs per gateway: %v, weights 2 and 1", perGateway)
	}
}

func TestThousandsAndUSD(t *testing.T) {
	for n, want := range map[uint64]string{0: "0", 999: "999", 1_000: "1,000", 1_234_567: "1,234,567", 1<<64 - 1: "18,446,744,073,709,551,615"} {
		if got := thousands(n); got != want {
			t.Errorf("thousands(%d) = %s, want %s", n, got, want)
		}
	}
	for n, want := range map[uint64]string{0: "0.000000", 1: "0.000001", 1_000_000: "1.000000", 1_234_567_890: "1,234.567890"} {
		if got := usd(n); got != want {
			t.Errorf("usd(%d) = %s, want %s", n, got, want)
		}
	}
}
