// SPDX-License-Identifier: Apache-2.0

package da_test

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"testing"
	"time"

	"github.com/gpucoord/gpucoord/relayer/da"
)

// endpoint answers like Aleph's storage: with the SHA-256 of what it got.
type endpoint struct {
	t      *testing.T
	refuse int
	lie    bool
	got    [][32]byte
	calls  int
}

func (e *endpoint) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	e.calls++
	part, _, err := r.FormFile("file")
	if err != nil || r.Header.Get("Authorization") != "Bearer token" {
		e.t.Errorf("request has no file or token: %v", err)
		return
	}
	body, err := io.ReadAll(part)
	if err != nil {
		e.t.Error(err)
	}
	if e.calls <= e.refuse {
		http.Error(w, "full", http.StatusInsufficientStorage)
		return
	}
	sum := sha256.Sum256(body)
	e.got = append(e.got, sum)
	if e.lie {
		sum[0]++
	}
	_, _ = w.Write([]byte(`{"status":"success","hash":"` + hex.EncodeToString(sum[:]) + `"}`))
}

func pinner(t *testing.T, dir *da.Dir, e *endpoint) *da.Pinner {
	t.Helper()
	e.t = t
	server := httptest.NewServer(e)
	t.Cleanup(server.Close)
	return da.NewPinner(dir, da.PinConfig{URL: server.URL, Token: "token", Interval: time.Nanosecond, Timeout: time.Minute}, slog.New(slog.DiscardHandler))
}

func TestPinnerHandsEachFileOverOnce(t *testing.T) {
	dir := openDir(t)
	sum, err := dir.Write([][]byte{record(533, 1)})
	if err != nil {
		t.Fatal(err)
	}
	e := &endpoint{refuse: 1}
	p := pinner(t, dir, e)
	if err := p.Step(t.Context()); !errors.Is(err, da.ErrPin) {
		t.Errorf("refusal: got %v, want ErrPin", err)
	}
	for range 3 {
		if err := p.Step(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if len(e.got) != 1 || e.got[0] != sum {
		t.Errorf("endpoint has %x, want %x once", e.got, sum)
	}
	if got := p.Counts(); got != (da.PinCounts{Pinned: 1, Failed: 1}) {
		t.Errorf("counts are %+v", got)
	}
	if err := pinner(t, dir, e).Step(t.Context()); err != nil || len(e.got) != 1 {
		t.Errorf("another run pinned it again (%v)", err)
	}
	if err := dir.Remove(sum); err != nil {
		t.Fatal(err)
	}
	if left, err := os.ReadDir(dirOf(dir)); err != nil || len(left) != 0 {
		t.Errorf("left behind: %v (%v)", left, err)
	}
}

func dirOf(dir *da.Dir) string { return dir.Path([32]byte{})[:len(dir.Path([32]byte{}))-65] }

func TestPinnerNoticesAnEndpointThatKeepsSomethingElse(t *testing.T) {
	dir := openDir(t)
	if _, err := dir.Write([][]byte{record(533, 1)}); err != nil {
		t.Fatal(err)
	}
	if err := pinner(t, dir, &endpoint{lie: true}).Step(t.Context()); !errors.Is(err, da.ErrPinHash) {
		t.Errorf("got %v, want ErrPinHash", err)
	}
}

func TestReaderGivesRecordsOneByOne(t *testing.T) {
	dir := openDir(t)
	want := [][]byte{record(533, 1), record(598, 2), record(533, 3)}
	sum, err := dir.Write(want)
	if err != nil {
		t.Fatal(err)
	}
	r, err := dir.Open(sum)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Close() }()
	if err := r.Skip(1); err != nil {
		t.Fatal(err)
	}
	for _, w := range want[1:] {
		if got, err := r.Next(nil); err != nil || string(got) != string(w) {
			t.Errorf("got %d bytes (%v), want %d of %d", len(got), err, len(w), w[0])
		}
	}
	if _, err := r.Next(nil); !errors.Is(err, io.EOF) {
		t.Errorf("behind the end: got %v, want io.EOF", err)
	}
	for name, bad := range map[string][]byte{"length": {0, 9, 1}, "torn length": {2}, "torn record": {2, 21, 1, 2}} {
		torn := openDir(t)
		sum := sha256.Sum256(bad)
		if err := os.WriteFile(torn.Path(sum), bad, 0o600); err != nil {
			t.Fatal(err)
		}
		r, err := torn.Open(sum)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := r.Next(nil); !errors.Is(err, da.ErrBadFile) {
			t.Errorf("%s: got %v, want ErrBadFile", name, err)
		}
		_ = r.Close()
	}
}
