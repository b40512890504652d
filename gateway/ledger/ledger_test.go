// SPDX-License-Identifier: Apache-2.0

package ledger_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"github.com/gpucoord/gpucoord/domain/receipt"
	"github.com/gpucoord/gpucoord/gateway/ledger"
	"github.com/gpucoord/gpucoord/gateway/review"
)

var (
	keyHash = [32]byte{0xab, 1, 2, 3, 4, 5, 6, 7, 8}
	keyID   = "ab01020304050607"
)

func open(t testing.TB, path string) *ledger.Ledger {
	t.Helper()
	l, err := ledger.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return l
}

// funded is a ledger with one key.
func funded(t testing.TB, credit uint64) *ledger.Ledger {
	t.Helper()
	l := open(t, filepath.Join(t.TempDir(), "ledger.db"))
	if _, err := l.CreateKey(t.Context(), keyHash, credit, 0, 100); err != nil {
		t.Fatal(err)
	}
	return l
}

func job(n uint64, maxAmount uint64) *ledger.Job {
	j := &ledger.Job{
		CallID: "call", Try: int(n), KeyID: keyID, CreatedAt: 1000,
		Host: ledger.HostRef{Key: [20]byte{7}, Endpoint: "https://host.example", SPKI: bytes.Repeat([]byte{9}, 32)},
		Terms: review.Job{
			Auth:   receipt.JobAuth{Payer: [20]byte{1}, Operator: [20]byte{7}, MaxAmount: maxAmount, Nonce: math.MaxUint64 - n, IssuedAt: 995, ExpiresAt: 2000},
			HostID: [32]byte{8}, PriceInUusdc: 3, PriceOutUusdc: 4, Epoch: 5,
		},
		State: ledger.StateOpen,
	}
	binary.BigEndian.PutUint64(j.ID[:], n+1)
	return j
}

func key(t testing.TB, l *ledger.Ledger) ledger.Key {
	t.Helper()
	k, err := l.KeyByHash(context.WithoutCancel(t.Context()), keyHash)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func wantCredit(t testing.TB, l *ledger.Ledger, available, reserved, spent uint64) {
	t.Helper()
	k := key(t, l)
	if k.Available != available || k.Reserved != reserved || k.Spent != spent || k.Granted != available+reserved+spent {
		t.Fatalf("got %+v, want available %d, reserved %d, spent %d", k, available, reserved, spent)
	}
}

func wantErr(t testing.TB, got, want error) {
	t.Helper()
	if !errors.Is(got, want) || want == nil && got != nil {
		t.Fatalf("got %v, want %v", got, want)
	}
}

func TestMoneyMovesOncePerJob(t *testing.T) {
	ctx := t.Context()
	l := funded(t, 100)
	wantErr(t, l.Reserve(ctx, job(0, 101)), ledger.ErrInsufficientCredits)
	wantErr(t, l.Reserve(ctx, job(1, 60)), nil)
	wantErr(t, l.Reserve(ctx, job(2, 41)), ledger.ErrInsufficientCredits)
	wantErr(t, l.Reserve(ctx, job(3, 40)), nil)
	wantCredit(t, l, 0, 100, 0)
	one, three := job(1, 0).ID, job(3, 0).ID
	settlement := ledger.Settlement{Amount: 25, SR1: make([]byte, 533), SendFrom: 50}
	wantErr(t, l.Settle(ctx, one, settlement), nil)
	wantCredit(t, l, 35, 40, 25)
	for range 2 { // nothing pays twice
		wantErr(t, l.Settle(ctx, one, settlement), ledger.ErrNotOpen)
		wantErr(t, l.Release(ctx, one, review.Seen{}, "X"), ledger.ErrNotOpen)
		wantErr(t, l.Reject(ctx, one, review.Seen{}, nil, "X"), ledger.ErrNotOpen)
		wantErr(t, l.Ended(ctx, one, review.Seen{}, 1), ledger.ErrNotOpen)
	}
	wantErr(t, l.Release(ctx, three, review.Seen{Delivery: review.None}, "NOT_SERVED"), nil)
	wantErr(t, l.Settle(ctx, three, settlement), ledger.ErrNotOpen)
	wantCredit(t, l, 75, 0, 25)
	wantErr(t, l.Release(ctx, [32]byte{9}, review.Seen{}, "X"), ledger.ErrNotOpen)
}

func TestAmountOverTheMaximumIsRefusedWhole(t *testing.T) {
	l := funded(t, 100)
	wantErr(t, l.Reserve(t.Context(), job(1, 60)), nil)
	if err := l.Settle(t.Context(), job(1, 0).ID, ledger.Settlement{Amount: 61}); err == nil {
		t.Fatal("settled over the maximum")
	}
	wantCredit(t, l, 40, 60, 0)
}

func TestNonceAndJobAreUsedOnce(t *testing.T) {
	l := funded(t, 100)
	wantErr(t, l.Reserve(t.Context(), job(1, 10)), nil)
	again := job(2, 10)
	again.Terms.Auth.Nonce = job(1, 0).Terms.Auth.Nonce
	wantErr(t, l.Reserve(t.Context(), again), ledger.ErrNonceUsed)
	wantErr(t, l.Reserve(t.Context(), job(1, 10)), ledger.ErrNonceUsed)
	wantCredit(t, l, 90, 10, 0)
	other := job(3, 10)
	other.KeyID = "0000000000000000"
	wantErr(t, l.Reserve(t.Context(), other), ledger.ErrNoKey)
}

func TestGrantsAreIdempotentAndBounded(t *testing.T) {
	ctx := t.Context()
	l := funded(t, 5)
	for range 2 {
		if _, err := l.Grant(ctx, keyID, "invoice 1", 10, 100); err != nil {
			t.Fatal(err)
		}
		wantCredit(t, l, 15, 0, 0)
	}
	_, err := l.Grant(ctx, keyID, "invoice 1", 11, 100)
	wantErr(t, err, ledger.ErrGrantDiffers)
	_, err = l.Grant(ctx, "0000000000000000", "invoice 2", 1, 100)
	wantErr(t, err, ledger.ErrNoKey)
	_, err = l.Grant(ctx, keyID, "invoice 3", math.MaxInt64, 100)
	wantErr(t, err, ledger.ErrAmountTooLarge)
	_, err = l.Grant(ctx, keyID, "invoice 4", math.MaxUint64, 100)
	wantErr(t, err, ledger.ErrAmountTooLarge)
	_, err = l.CreateKey(ctx, keyHash, 1, 0, 100)
	wantErr(t, err, ledger.ErrKeyExists)
	wantCredit(t, l, 15, 0, 0)
}

func TestKeysExpireAndAreRevoked(t *testing.T) {
	ctx := t.Context()
	l := funded(t, 5)
	if _, err := l.CreateKey(ctx, [32]byte{1}, 0, 500, 100); err != nil {
		t.Fatal(err)
	}
	k, err := l.KeyByHash(ctx, [32]byte{1})
	if err != nil || !k.Works(499) || k.Works(500) {
		t.Fatalf("got %+v, %v", k, err)
	}
	wantErr(t, l.Revoke(ctx, keyID), nil)
	if k := key(t, l); k.Works(0) {
		t.Fatal("a revoked key works")
	}
	wantErr(t, l.Revoke(ctx, "none"), ledger.ErrNoKey)
	_, err = l.KeyByHash(ctx, [32]byte{2})
	wantErr(t, err, ledger.ErrNoKey)
	keys, err := l.Keys(ctx, "", 10)
	if err != nil || len(keys) != 2 || keys[0].ID >= keys[1].ID {
		t.Fatalf("got %+v, %v", keys, err)
	}
}

func TestJobsSurviveARestart(t *testing.T) {
	ctx := t.Context()
	path := filepath.Join(t.TempDir(), "led ger#1?%41.db") // a URL would read another name
	l, err := ledger.Open(ctx, path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := l.CreateKey(ctx, keyHash, 100, 0, 100); err != nil {
		t.Fatal(err)
	}
	for n := range uint64(3) {
		wantErr(t, l.Reserve(ctx, job(n, 10)), nil)
	}
	seen := review.Seen{Delivery: review.Cancelled, Usage: &review.Usage{Prompt: 3, Cached: 1, Output: 2}, OutputCommit: [32]byte{4}}
	wantErr(t, l.Ended(ctx, job(1, 0).ID, seen, 1010), nil)
	sig := [65]byte{1, 2}
	wantErr(t, l.Settle(ctx, job(2, 0).ID, ledger.Settlement{Amount: 4, SR1: []byte{5}, SigFinal: sig, SendFrom: 1020}), nil)
	if got, err := l.OpenJobs(ctx, 1000, 9999, 10); err != nil || len(got) != 1 {
		t.Fatalf("a job in progress is listed: %+v, %v", got, err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path); err != nil {
		t.Fatal(err)
	}
	l = open(t, path)
	if n, err := l.Interrupted(ctx, 1100); err != nil || n != 1 {
		t.Fatalf("got %d, %v", n, err)
	}
	got, err := l.OpenJobs(ctx, 0, 9999, 10)
	if err != nil || len(got) != 2 {
		t.Fatalf("got %+v, %v", got, err)
	}
	first, second := *job(0, 10), *job(1, 10)
	first.EndedAt, second.EndedAt, second.Seen = 1100, 1010, seen
	if want := []ledger.Job{first, second}; !reflect.DeepEqual(got, want) {
		t.Fatalf("got %+v\nwant %+v", got, want)
	}
	if pending, err := l.Pending(ctx, 1019, 10); err != nil || len(pending) != 0 {
		t.Fatalf("before its turn: %+v, %v", pending, err)
	}
	pending, err := l.Pending(ctx, 1020, 10)
	if err != nil || len(pending) != 1 || pending[0].SigFinal != sig || pending[0].Amount != 4 || pending[0].State != ledger.StateSettled {
		t.Fatalf("got %+v, %v", pending, err)
	}
	wantErr(t, l.Retry(ctx, pending[0].ID, 1050), nil)
	if pending, err := l.Pending(ctx, 1049, 10); err != nil || len(pending) != 0 {
		t.Fatalf("put off: %+v, %v", pending, err)
	}
	wantErr(t, l.Sent(ctx, pending[0].ID), nil)
	if pending, err := l.Pending(ctx, 9999, 10); err != nil || len(pending) != 0 {
		t.Fatalf("sent: %+v, %v", pending, err)
	}
	hosts, err := l.Hosts(ctx, 1000, 10)
	if err != nil || len(hosts) != 1 || hosts[0].Endpoint != "https://host.example" || hosts[0].Key != ([20]byte{7}) {
		t.Fatalf("got %+v, %v", hosts, err)
	}
	totals, err := l.Totals(ctx)
	if want := (ledger.Totals{Granted: 100, Available: 76, Reserved: 20, Spent: 4, OpenJobs: 2}); err != nil || totals != want {
		t.Fatalf("got %+v, %v", totals, err)
	}
	usage, err := l.Usage(ctx, keyID, 0, 10)
	if err != nil || len(usage) != 3 || usage[2].AmountUusdc != 4 || usage[2].ReservedUusdc != 10 || usage[2].State != ledger.StateSettled {
		t.Fatalf("got %+v, %v", usage, err)
	}
}

// TestCreditIsConservedUnderConcurrency lets many goroutines reserve, settle, release and reject at once. What a key was granted stays the
// sum of its parts, no part goes below 0, and what is spent is the sum of the amounts that were settled.
func TestCreditIsConservedUnderConcurrency(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		const workers, jobsEach = 4, 3
		credit := rapid.Uint64Range(0, 300).Draw(r, "credit")
		amounts := rapid.SliceOfN(rapid.Uint64Range(0, 40), workers*jobsEach, workers*jobsEach).Draw(r, "max amounts")
		ends := rapid.SliceOfN(rapid.IntRange(0, 4), workers*jobsEach, workers*jobsEach).Draw(r, "ends")
		l := funded(t, credit)
		ctx := context.WithoutCancel(t.Context())
		var mu sync.Mutex
		var spent, reserved uint64
		var wg sync.WaitGroup
		for w := range workers {
			wg.Go(func() {
				for i := range jobsEach {
					n := w*jobsEach + i
					j := job(uint64(n), amounts[n])
					err := l.Reserve(ctx, j)
					if errors.Is(err, ledger.ErrInsufficientCredits) {
						continue
					}
					pay, hold := uint64(0), uint64(0)
					switch ends[n] {
					case 0:
						hold = amounts[n]
					case 1:
						err = errors.Join(err, l.Release(ctx, j.ID, review.Seen{}, "X"))
					case 2:
						err = errors.Join(err, l.Reject(ctx, j.ID, review.Seen{}, []byte{1}, "X"))
					default:
						pay = amounts[n] / 2
						err = errors.Join(err, l.Settle(ctx, j.ID, ledger.Settlement{Amount: pay}))
					}
					if err != nil {
						t.Errorf("job %d: %v", n, err)
					}
					mu.Lock()
					spent, reserved = spent+pay, reserved+hold
					mu.Unlock()
				}
			})
		}
		wg.Wait()
		k := key(t, l)
		if k.Granted != credit || k.Spent != spent || k.Reserved != reserved || k.Available+reserved+spent != credit {
			t.Fatalf("got %+v, want spent %d, reserved %d of %d", k, spent, reserved, credit)
		}
	})
}

func TestForeignFilesAreRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger.db")
	l := open(t, path)
	wantErr(t, ledger.SetVersion(t.Context(), l, 2), nil)
	_, err := ledger.Open(t.Context(), path)
	wantErr(t, err, ledger.ErrVersion)
}
