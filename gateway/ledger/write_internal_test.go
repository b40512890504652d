// SPDX-License-Identifier: Apache-2.0

package ledger

import (
	"context"
	"errors"
	"path/filepath"
	"sync"
	"testing"

	"github.com/gpucoord/gpucoord/gateway/review"
)

var errOnPurpose = errors.New("on purpose")

func openTest(t *testing.T) *Ledger {
	t.Helper()
	l, err := Open(t.Context(), filepath.Join(t.TempDir(), "ledger.db"))
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

// grantOf is a change that gives the key one micro-USD, and then fails with err.
func grantOf(ctx context.Context, err error) *change {
	return &change{ctx: ctx, done: make(chan error, 1), fn: func(ctx context.Context, w *tx) error {
		if err := one(ctx, w, ErrNoKey, `UPDATE keys SET granted = granted + 1, available = available + 1`); err != nil {
			return err
		}
		return err
	}}
}

func TestAChangeThatFailsTakesNoOtherWithIt(t *testing.T) {
	l := openTest(t)
	key, err := l.CreateKey(t.Context(), [32]byte{1}, 0, 0, 1)
	if err != nil {
		t.Fatal(err)
	}
	w, err := newTx(t.Context(), l.db)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := w.close(); err != nil {
			t.Error(err)
		}
	}()
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	twice := &change{ctx: t.Context(), fn: func(ctx context.Context, w *tx) error { // a constraint refuses it after another write
		if _, err := w.exec(ctx, `UPDATE keys SET granted = granted + 1, available = available + 1`); err != nil {
			return err
		}
		_, err := w.exec(ctx, `UPDATE keys SET spent = spent + 1`)
		return err
	}}
	errs := w.commit([]*change{
		grantOf(t.Context(), nil), grantOf(t.Context(), errOnPurpose), twice, grantOf(gone, nil), grantOf(t.Context(), nil),
	})
	for i, want := range []error{nil, errOnPurpose, nil, context.Canceled, nil} {
		if i == 2 {
			if errs[i] == nil {
				t.Error("a row that breaks the ledger's sum was taken")
			}
			continue
		}
		if !errors.Is(errs[i], want) {
			t.Errorf("change %d: got %v, want %v", i, errs[i], want)
		}
	}
	if k, err := l.KeyByID(t.Context(), key.ID); err != nil || k.Available != 2 {
		t.Fatalf("got %+v, %v, want the two that succeeded", k, err)
	}
}

// SQLite itself ends a transaction when the disk is full, say. Then nothing of the group is on disk, everybody is told, and the next
// group is written as ever.
func TestALostTransactionIsEverybodysError(t *testing.T) {
	for name, failed := range map[string]error{"and the change says so": errOnPurpose, "and the change does not notice": nil} {
		t.Run(name, func(t *testing.T) {
			l := openTest(t)
			key, err := l.CreateKey(t.Context(), [32]byte{1}, 0, 0, 1)
			if err != nil {
				t.Fatal(err)
			}
			w, err := newTx(t.Context(), l.db)
			if err != nil {
				t.Fatal(err)
			}
			defer func() {
				if err := w.close(); err != nil {
					t.Error(err)
				}
			}()
			lose := &change{ctx: t.Context(), fn: func(ctx context.Context, w *tx) error {
				return errors.Join(w.do(ctx, "ROLLBACK"), failed)
			}}
			for i, err := range w.commit([]*change{grantOf(t.Context(), nil), lose, grantOf(t.Context(), nil)}) {
				if err == nil {
					t.Errorf("change %d is told that it is on disk", i)
				}
			}
			if errs := w.commit([]*change{grantOf(t.Context(), nil)}); errs[0] != nil {
				t.Errorf("the next group: %v", errs[0])
			}
			if k, err := l.KeyByID(t.Context(), key.ID); err != nil || k.Available != 1 {
				t.Errorf("got %+v, %v, want the next group's grant alone", k, err)
			}
		})
	}
}

func TestManyWritersSpendNoMoreThanThereIs(t *testing.T) {
	l := openTest(t)
	key, err := l.CreateKey(t.Context(), [32]byte{1}, 1_000, 0, 1)
	if err != nil {
		t.Fatal(err)
	}
	const writers, each = 200, 10 // twice what the credit covers
	errs := make([]error, writers)
	var wait sync.WaitGroup
	for i := range writers {
		wait.Go(func() {
			j := Job{ID: [32]byte{1, byte(i)}, CallID: "c", KeyID: key.ID, Terms: review.Job{}}
			j.Terms.Auth.MaxAmount, j.Terms.Auth.Nonce = each, uint64(i)
			errs[i] = l.Reserve(t.Context(), &j)
		})
	}
	wait.Wait()
	reserved := 0
	for _, err := range errs {
		switch {
		case err == nil:
			reserved++
		case !errors.Is(err, ErrInsufficientCredits):
			t.Fatal(err)
		}
	}
	k, err := l.KeyByID(t.Context(), key.ID)
	if err != nil || reserved != 100 || k.Reserved != 1_000 || k.Available != 0 {
		t.Fatalf("%d reserved, %+v, %v", reserved, k, err)
	}
}

func TestAClosedLedgerTakesNothing(t *testing.T) {
	l := openTest(t)
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := l.CreateKey(t.Context(), [32]byte{1}, 0, 0, 1); !errors.Is(err, ErrClosed) {
		t.Fatalf("got %v, want ErrClosed", err)
	}
}
