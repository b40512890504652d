// SPDX-License-Identifier: Apache-2.0

package submit_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gpucoord/gpucoord/relayer/chain"
	"github.com/gpucoord/gpucoord/relayer/store"
	"github.com/gpucoord/gpucoord/relayer/submit"
	receiptstypes "github.com/gpucoord/gpucoord/x/receipts/types"
)

const deadline = 500

func testAccount() *chain.Account { return chain.NewAccount([32]byte{31: 7}) }

func openStore(t *testing.T) *store.Store {
	t.Helper()
	s, err := store.Open(t.Context(), filepath.Join(t.TempDir(), "relayer.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// enqueue adds messages that the fake chain tells apart by their batch id.
func enqueue(t *testing.T, s *store.Store, deadline uint64, ids ...uint64) {
	t.Helper()
	for _, id := range ids {
		item, err := submit.ItemOf(fmt.Sprint("open/", id), &receiptstypes.MsgOpenSamples{BatchId: id}, 0, deadline)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Enqueue(t.Context(), item); err != nil {
			t.Fatal(err)
		}
	}
}

func newSubmitter(c submit.Chain, o submit.Outbox) *submit.Submitter {
	return submit.New(c, testAccount(), o, submit.Config{Interval: time.Second, GasPriceMilliUaleph: 25}, slog.New(slog.DiscardHandler))
}

// drive steps and makes blocks until every message has ended, or fails the test.
func drive(t *testing.T, c *fakeChain, s *store.Store, step func(context.Context) error, ids ...uint64) {
	t.Helper()
	for range 200 {
		_ = step(t.Context()) // what fails is tried again; the outcome counts
		c.mine()
		if allEnded(t, s, ids) {
			return
		}
	}
	t.Fatalf("not all of %v have ended after 200 blocks", ids)
}

func allEnded(t *testing.T, s *store.Store, ids []uint64) bool {
	t.Helper()
	for _, id := range ids {
		if state := stateOf(t, s, id).State; state != store.Done && state != store.Failed {
			return false
		}
	}
	return true
}

func stateOf(t *testing.T, s *store.Store, id uint64) store.Item {
	t.Helper()
	item, err := s.Item(t.Context(), fmt.Sprint("open/", id))
	if err != nil {
		t.Fatal(err)
	}
	return item
}

func expectOnce(t *testing.T, c *fakeChain, s *store.Store, ids ...uint64) {
	t.Helper()
	for _, id := range ids {
		if c.executed[id] != 1 {
			t.Errorf("message %d was carried out %d times, want once", id, c.executed[id])
		}
		if item := stateOf(t, s, id); item.State != store.Done {
			t.Errorf("message %d is %s (%s), want done", id, item.State, item.Log)
		}
	}
}

func TestMessagesLandOnceInOrderOfDeadline(t *testing.T) {
	c, s := newFakeChain(), openStore(t)
	enqueue(t, s, 0, 1)
	enqueue(t, s, 90, 2)
	enqueue(t, s, 80, 3)
	drive(t, c, s, newSubmitter(c, s).Step, 1, 2, 3)
	expectOnce(t, c, s, 1, 2, 3)
	if got := fmt.Sprint(c.order); got != "[3 2 1]" {
		t.Errorf("order is %s, want the nearest deadline first", got)
	}
	if c.paid != 3*(gasUsed*130/100*25/1000+1) {
		t.Errorf("paid %d, want three times the fee of 130%% of %d gas", c.paid, gasUsed)
	}
}

func TestTransactionDroppedByTheMempoolIsSentAgain(t *testing.T) {
	c, s := newFakeChain(), openStore(t)
	enqueue(t, s, deadline, 1)
	sub := newSubmitter(c, s)
	for range 3 {
		if err := sub.Step(t.Context()); err != nil {
			t.Fatal(err)
		}
		c.mempool = nil // the node restarts, or evicts
		c.height++
	}
	hash := stateOf(t, s, 1).TxHash
	drive(t, c, s, sub.Step, 1)
	expectOnce(t, c, s, 1)
	if item := stateOf(t, s, 1); item.TxHash != hash || item.Tries != 1 {
		t.Errorf("it was signed %d times, want once", item.Tries)
	}
}

func TestSequenceUsedByAnotherTransactionIsSignedAnew(t *testing.T) {
	c, s := newFakeChain(), openStore(t)
	enqueue(t, s, deadline, 1)
	sub := newSubmitter(c, s)
	if err := sub.Step(t.Context()); err != nil {
		t.Fatal(err)
	}
	c.mempool = nil
	c.sequence++ // someone else's transaction with our sequence is in a block
	drive(t, c, s, sub.Step, 1)
	expectOnce(t, c, s, 1)
	if tries := stateOf(t, s, 1).Tries; tries != 2 {
		t.Errorf("it was signed %d times, want twice", tries)
	}
}

func TestSlowIndexIsNotMistakenForALostTransaction(t *testing.T) {
	c, s := newFakeChain(), openStore(t)
	c.indexLag = 2
	enqueue(t, s, deadline, 1, 2)
	drive(t, c, s, newSubmitter(c, s).Step, 1, 2)
	expectOnce(t, c, s, 1, 2)
	if tries := stateOf(t, s, 1).Tries; tries != 1 {
		t.Errorf("it was signed %d times, want once", tries)
	}
}

func TestTransactionThatNoNodeTakesExpiresAndIsSignedAnew(t *testing.T) {
	c, s := newFakeChain(), openStore(t)
	c.refuse = func() error { return errors.New("mempool is full") }
	enqueue(t, s, deadline, 1)
	sub := newSubmitter(c, s)
	for range 40 {
		_ = sub.Step(t.Context())
		c.mine()
	}
	c.refuse = nil
	drive(t, c, s, sub.Step, 1)
	expectOnce(t, c, s, 1)
	if tries := stateOf(t, s, 1).Tries; tries < 2 {
		t.Errorf("it was signed %d times, want again after the first expired", tries)
	}
}

func TestRefusalThatPassesIsTriedAgainUntilTheDeadline(t *testing.T) {
	c, s := newFakeChain(), openStore(t)
	c.fails[1] = 12 // the chain refuses it up to this height
	enqueue(t, s, deadline, 1, 2)
	drive(t, c, s, newSubmitter(c, s).Step, 1, 2)
	expectOnce(t, c, s, 1, 2)
	if len(c.order) != 2 || c.order[0] != 2 {
		t.Errorf("order is %v: a refused message held the other one up", c.order)
	}
}

func TestRefusalForGood(t *testing.T) {
	c, s := newFakeChain(), openStore(t)
	c.fails[1], c.fails[2] = 1_000, 1_000
	enqueue(t, s, 0, 1)
	enqueue(t, s, 30, 2)
	enqueue(t, s, deadline, 3)
	drive(t, c, s, newSubmitter(c, s).Step, 1, 2, 3)
	expectOnce(t, c, s, 3)
	for _, id := range []uint64{1, 2} {
		item := stateOf(t, s, id)
		if item.State != store.Failed || !strings.Contains(item.Log, "refused by the chain") {
			t.Errorf("message %d is %s (%s), want failed with the chain's reason", id, item.State, item.Log)
		}
	}
	if item := stateOf(t, s, 2); item.Height != 30 {
		t.Errorf("message 2 was given up at %d, want at its deadline 30", item.Height)
	}
	if c.paid > 2*(gasUsed*130/100*25/1000+1) {
		t.Errorf("paid %d for one message", c.paid)
	}
}

func TestRefusalOnlyInTheBlockIsTriedAgain(t *testing.T) {
	c, s := newFakeChain(), openStore(t)
	c.failsInBlock[1] = 2
	enqueue(t, s, deadline, 1)
	drive(t, c, s, newSubmitter(c, s).Step, 1)
	expectOnce(t, c, s, 1)
	if tries := stateOf(t, s, 1).Tries; tries != 3 {
		t.Errorf("it was signed %d times, want 3: two failed in their blocks", tries)
	}
}

func TestDeadlinePassedBeforeSending(t *testing.T) {
	c, s := newFakeChain(), openStore(t)
	enqueue(t, s, c.height, 1) // what is sent now is in the next block
	if err := newSubmitter(c, s).Step(t.Context()); err != nil {
		t.Fatal(err)
	}
	if item := stateOf(t, s, 1); item.State != store.Failed || c.broadcasts != 0 {
		t.Errorf("message is %s after %d broadcasts, want failed and none", item.State, c.broadcasts)
	}
}

func TestNoAnswerChangesNothing(t *testing.T) {
	c, s := newFakeChain(), openStore(t)
	enqueue(t, s, 0, 1)
	sub := newSubmitter(c, s)
	for call := range 4 { // head, sequence, simulation, broadcast
		c.failCall = call + 1
		if err := sub.Step(t.Context()); err == nil {
			t.Fatalf("call %d fails and the step says nothing", call)
		}
	}
	drive(t, c, s, sub.Step, 1)
	expectOnce(t, c, s, 1)
}

// TestCrashBetweenAnyTwoSteps ends the process before or after each call of chain and store, and starts a new one.
func TestCrashBetweenAnyTwoSteps(t *testing.T) {
	for _, when := range []string{"before", "after"} {
		for at := 1; ; at++ {
			crashed := false
			t.Run(fmt.Sprintf("%s call %d", when, at), func(t *testing.T) {
				c, s := newFakeChain(), openStore(t)
				c.indexLag = 1
				enqueue(t, s, deadline, 1, 2)
				f := &faults{at: at, after: when == "after"}
				sub := newSubmitter(&crashingChain{c, f}, &crashingOutbox{s, f})
				drive(t, c, s, func(ctx context.Context) error {
					err := step(ctx, sub)
					if f.crashed && !crashed { // the next process
						crashed = true
						sub = newSubmitter(c, s)
						if at%2 == 0 {
							c.mempool = nil // and the node restarted with it
						}
					}
					return err
				}, 1, 2)
				expectOnce(t, c, s, 1, 2)
			})
			if !crashed {
				if at < 20 {
					t.Fatalf("only %d calls were made: the faults reach nothing", at)
				}
				break
			}
		}
	}
}

func TestRunStepsUntilItsContextEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, s := newFakeChain(), openStore(t)
		enqueue(t, s, deadline, 1, 2)
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- newSubmitter(c, s).Run(ctx) }()
		for range 20 {
			synctest.Wait()
			c.mine()
			time.Sleep(time.Second) // the bubble's time
		}
		cancel()
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Errorf("got %v, want the context's end", err)
		}
		expectOnce(t, c, s, 1, 2)
	})
}
