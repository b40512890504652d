// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e_test

import (
	"context"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/gpucoord/gpucoord/relayer/demo"
)

const (
	// killSeed decides what is killed and when; $GPUCOORD_SEED replaces it.
	killSeed = 20_231_116
	kills    = 10
	// playLimit is far above what replaying and settling takes on two cores.
	playLimit = 4 * time.Minute
)

// played is the end of a replay.
type played struct {
	outcome *demo.Outcome
	err     error
}

// play replays requests in the background.
func play(t *testing.T, w *demo.World, requests int) <-chan played {
	t.Helper()
	done := make(chan played, 1)
	ctx, cancel := context.WithTimeout(t.Context(), playLimit)
	go func() {
		defer cancel()
		outcome, err := w.Play(ctx, demo.BuiltinTrace(requests))
		done <- played{outcome, err}
	}()
	return done
}

// checkHeld fails for every check that did not hold, but for those named.
func checkHeld(t *testing.T, p played, but ...string) {
	t.Helper()
	if p.err != nil {
		t.Fatalf("replay: %v", p.err)
	}
	excused := make(map[string]bool)
	for _, name := range but {
		excused[name] = true
	}
	for _, c := range p.outcome.Report.Checks {
		if !c.OK && !excused[c.Name] {
			t.Errorf("%s: %s", c.Name, c.Detail)
		}
	}
	if p.outcome.Report.Receipts == 0 || len(p.outcome.Report.Checks) == 0 {
		t.Error("nothing was served")
	}
	t.Logf("%d requests: %d served, refused %v, %d receipts settled", p.outcome.Report.Requests, p.outcome.Report.Served,
		p.outcome.Report.Refused, p.outcome.Report.Receipts)
}

// Given requests under way, when hosts and relayers are killed with SIGKILL at random moments and started again, then every receipt that
// is payable (countersigned by its gateway, or the operator's own) is in exactly one settled batch, and all money adds up.
func TestKillHostAndRelayer(t *testing.T) {
	w := sharedWorld(t)
	seed := uint64(killSeed)
	if text := os.Getenv("GPUCOORD_SEED"); text != "" {
		var err error
		if seed, err = strconv.ParseUint(text, 10, 64); err != nil {
			t.Fatalf("GPUCOORD_SEED: %v", err)
		}
	}
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 1)) //nolint:gosec // repeatable, not secret
	done := play(t, w, 140)
	for n := range kills {
		pause(t, time.Duration(300+random.IntN(1_500))*time.Millisecond)
		operator := demo.Operators()[random.IntN(len(demo.Operators()))]
		name := demo.HostOf(operator)
		if random.IntN(2) == 0 {
			name = demo.RelayerOf(operator)
		}
		killAndRestart(t, w, name, time.Duration(random.IntN(300))*time.Millisecond)
		t.Logf("kill %d: %s", n+1, name)
	}
	// A host that dies takes its answers with it: customers see that, and a receipt it signed last may stay without a countersignature.
	checkHeld(t, <-done, demo.CheckCustomers, demo.CheckCountersigned)
}

// Given requests under way, when the node is killed with SIGKILL and started again, then it goes on from where it was, and so does all.
func TestNodeRestart(t *testing.T) {
	w := sharedWorld(t)
	before, err := w.Chain().Head(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	done := play(t, w, 60)
	pause(t, 6*time.Second)
	killAndRestart(t, w, demo.NodeProgram, time.Second)
	after, err := w.Chain().Head(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if after.Height <= before.Height {
		t.Errorf("the node stands at %d, was at %d", after.Height, before.Height)
	}
	checkHeld(t, <-done, demo.CheckCustomers)
}

// killAndRestart kills a program, waits, starts it again and waits until it serves.
func killAndRestart(t *testing.T, w *demo.World, name string, dead time.Duration) {
	t.Helper()
	if err := w.Kill(name); err != nil {
		t.Fatal(err)
	}
	pause(t, dead)
	if err := w.Restart(t.Context(), name); err != nil {
		t.Fatal(err)
	}
	if err := w.WaitServes(t.Context(), name); err != nil {
		t.Fatal(err)
	}
}
