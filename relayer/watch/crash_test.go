// SPDX-License-Identifier: Apache-2.0

package watch_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/gpucoord/gpucoord/relayer/store"
	"github.com/gpucoord/gpucoord/relayer/watch"
)

var errDied = errors.New("the program died here")

// dyingOutbox has each message, and then the program dies before it knows.
type dyingOutbox struct {
	*store.Store
	deaths int
}

func (o *dyingOutbox) Enqueue(ctx context.Context, item store.Item) error {
	if err := o.Store.Enqueue(ctx, item); err != nil {
		return err
	}
	o.deaths++
	return errDied
}

func TestDeathAfterEachMessageSendsNoneTwice(t *testing.T) {
	for _, fraud := range frauds {
		t.Run(fraud.name, func(t *testing.T) {
			f := newFixture(t)
			fraud.commit(f)
			for range 6 {
				for _, step := range []func(context.Context) error{f.w.Follow, f.w.Fetch, f.w.Check, f.w.Resolve} {
					if err := step(t.Context()); err != nil {
						t.Fatal(err)
					}
				}
				dying := &dyingOutbox{Store: f.outbox}
				if err := f.w.Close(); err != nil {
					t.Fatal(err)
				}
				f.openWith(dying)
				if err := f.w.File(t.Context()); err != nil && !errors.Is(err, errDied) || (err != nil) != (dying.deaths > 0) {
					t.Fatalf("%d deaths: %v", dying.deaths, err)
				}
				f.chain.block(f.outbox)
			}
			f.want(fraud.kind, watch.ResultProven)
			for message, n := range f.chain.sent {
				if n != 1 {
					t.Errorf("%s was sent %d times", message, n)
				}
			}
		})
	}
}

// TestWithheldRecordsAreAskedForAgainBeforeTheyAreDemanded needs time, so nothing in it uses the network.
func TestWithheldRecordsAreAskedForAgainBeforeTheyAreDemanded(t *testing.T) {
	f := newFixture(t)
	f.server.Close()
	synctest.Test(t, func(t *testing.T) {
		if err := f.w.Close(); err != nil {
			t.Fatal(err)
		}
		f.t = t
		f.cfg.FetchTries, f.cfg.FetchWait = 3, time.Minute
		f.cfg.Dir = t.TempDir()
		f.open()
		b := f.claim(part{records: f.records(1)})
		b.DaUri = "no address"
		tries := func() uint64 {
			f.rounds(2)
			st, err := f.w.Status(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			return st.FetchErrors
		}
		for want := uint64(1); want <= 3; want++ {
			if got := tries(); got != want || (want < 3) != (len(f.chain.demands) == 0) {
				t.Fatalf("%d tries and %d demands, want %d tries and a demand after the third", got, len(f.chain.demands), want)
			}
			time.Sleep(time.Minute + time.Millisecond)
		}
		if got := tries(); got != 3 {
			t.Errorf("%d tries a minute after the demand, want that it is waited longer", got)
		}
		time.Sleep(10 * time.Minute)
		if got := tries(); got != 4 || len(f.chain.demands) != 1 {
			t.Errorf("%d tries and %d demands, want a fourth try and no second demand", got, len(f.chain.demands))
		}
		if err := f.w.Close(); err != nil {
			t.Fatal(err)
		}
	})
}

func TestEndOfTheWindowHastensADemand(t *testing.T) {
	f := newFixture(t)
	f.cfg.FetchTries, f.cfg.FetchWait, f.reopen = 100, time.Hour, true
	f.claim(part{records: f.records(1)})
	clear(f.files)
	windows, err := schedule().Windows(f.chain.batches[0].Epoch)
	if err != nil {
		t.Fatal(err)
	}
	f.chain.height = windows.Challenge.Last - 5
	f.rounds(2)
	if len(f.chain.demands) != 1 {
		t.Errorf("%d demands, want 1", len(f.chain.demands))
	}
}

func TestMetricsShowWhatWasDone(t *testing.T) {
	f := newFixture(t)
	f.claim(part{records: f.records(1, 3, 2, 4)})
	f.rounds(4)
	registry := prometheus.NewPedanticRegistry()
	if err := registry.Register(watch.Collector{Read: f.w.Status}); err != nil {
		t.Fatal(err)
	}
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	got := make(map[string]float64)
	for _, family := range families {
		for _, m := range family.GetMetric() {
			name := strings.TrimPrefix(family.GetName(), "gpucoord_watch_")
			for _, l := range m.GetLabel() {
				name += "/" + l.GetValue()
			}
			got[name] = m.GetCounter().GetValue() + m.GetGauge().GetValue()
		}
	}
	for name, want := range map[string]float64{
		"batches_checked_total": 1, "receipts_checked_total": 4, "frauds_found_total/order": 1, "frauds_found_total/record": 0,
		"challenges_filed_total/order/proven": 1, "challenges_filed_total/order/refused": 0, "da_fetch_errors_total": 0, "lag_batches": 0,
	} {
		if value, ok := got[name]; !ok || value != want {
			t.Errorf("%s is %v, want %v", name, value, want)
		}
	}
}
