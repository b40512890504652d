// SPDX-License-Identifier: Apache-2.0

package deterrence_test

import (
	"flag"
	"fmt"
	"math/big"
	"os"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/gpucoord/gpucoord/domain/deterrence"
)

// casesVariable is rapid's own variable: `make test-nightly` sets it.
const casesVariable = "RAPID_CHECKS"

// TestMain gives every game 500 cases, unless the variable or the flag -rapid.checks asks for another number.
func TestMain(m *testing.M) {
	flag.Parse()
	asked := os.Getenv(casesVariable) != ""
	flag.Visit(func(f *flag.Flag) { asked = asked || f.Name == "rapid.checks" })
	if !asked {
		if err := flag.Set("rapid.checks", "500"); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(2)
		}
	}
	os.Exit(m.Run())
}

// mostBack is the part of the take, in bps, that may come back.
const mostBack = 9_500

// rounds is the number of rounds that games of chance play: those of rapid, but enough for chance to even out.
func rounds(t *testing.T) int {
	t.Helper()
	n, err := strconv.Atoi(flag.Lookup("rapid.checks").Value.String())
	if err != nil {
		t.Fatal(err)
	}
	return max(n, 500)
}

// rates are parameters of the take.
type rates struct {
	take, pool, probers, aleph, payback uint64
}

func (r rates) check() error {
	if err := deterrence.CheckTake(r.take); err != nil {
		return err
	}
	return deterrence.CheckPayback(r.payback, r.probers, r.aleph)
}

// defaults are the rates of a new chain.
var defaults = rates{take: 1_000, pool: 6_000, probers: 500, aleph: 1_500, payback: 7_500}

// drawRates draws rates that the inequalities accept, often the most generous ones.
func drawRates(t *rapid.T) rates {
	r := rates{
		take:    rapid.Uint64Range(1, 7_000).Draw(t, "take_bps"),
		probers: rapid.Uint64Range(0, mostBack).Draw(t, "probers_bps"),
	}
	r.aleph = rapid.Uint64Range(0, mostBack-r.probers).Draw(t, "aleph_bps")
	r.pool = rapid.Uint64Range(0, 10_000-r.probers-r.aleph).Draw(t, "pool_bps")
	room := deterrence.PaybackRoom(r.probers, r.aleph)
	r.payback = rapid.OneOf(rapid.Just(room), rapid.Uint64Range(0, room)).Draw(t, "payback_cap_bps")
	if err := r.check(); err != nil {
		t.Fatalf("%+v: %v", r, err)
	}
	return r
}

// refused checks that an inequality refuses parameters and says why.
func refused(t *testing.T, err error, words ...string) {
	t.Helper()
	if err == nil {
		t.Fatalf("accepted, want a refusal with %q", words)
	}
	for _, w := range words {
		if !strings.Contains(err.Error(), w) {
			t.Errorf("refused with %q, want it to say %q", err, w)
		}
	}
}

func rat(a, b uint64) *big.Rat {
	return new(big.Rat).SetFrac(new(big.Int).SetUint64(a), new(big.Int).SetUint64(b))
}

func whole(a uint64) *big.Rat { return rat(a, 1) }

func minus(a, b *big.Rat) *big.Rat { return new(big.Rat).Sub(a, b) }

func plus(a, b *big.Rat) *big.Rat { return new(big.Rat).Add(a, b) }

func times(a, b *big.Rat) *big.Rat { return new(big.Rat).Mul(a, b) }
