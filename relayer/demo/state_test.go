// SPDX-License-Identifier: Apache-2.0

package demo

import (
	"errors"
	"net"
	"os"
	"path/filepath"
	"testing"
)

func TestOpenHome(t *testing.T) {
	t.Run("fresh", func(t *testing.T) {
		if _, s, err := openHome(filepath.Join(t.TempDir(), "new")); err != nil || s != nil {
			t.Errorf("got %v, %v", s, err)
		}
	})
	t.Run("somebody else's", func(t *testing.T) {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "thesis.txt"), nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, _, err := openHome(dir); !errors.Is(err, ErrHome) {
			t.Errorf("got %v, want ErrHome", err)
		}
	})
	t.Run("damaged", func(t *testing.T) {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, stateFile), []byte("{"), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, _, err := openHome(dir); !errors.Is(err, ErrHome) {
			t.Errorf("got %v, want ErrHome", err)
		}
	})
}

func TestUnfinishedHomeIsEmptiedAndAReadyOneKept(t *testing.T) {
	dir := t.TempDir()
	h, _, err := openHome(dir)
	if err != nil {
		t.Fatal(err)
	}
	s, err := newState(t.Context(), h)
	if err != nil {
		t.Fatal(err)
	}
	if err := h.write(s); err != nil {
		t.Fatal(err)
	}
	if _, unfinished, err := openHome(dir); err != nil || unfinished != nil {
		t.Fatalf("an unfinished directory: %v, %v", unfinished, err)
	}
	if _, err := os.Stat(h.keyFile("operator-north")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the keys of an unfinished directory are kept: %v", err)
	}
	if s, err = newState(t.Context(), h); err != nil {
		t.Fatal(err)
	}
	s.Ready = true
	if err := h.write(s); err != nil {
		t.Fatal(err)
	}
	_, again, err := openHome(dir)
	if err != nil || again == nil {
		t.Fatalf("a ready directory: %v, %v", again, err)
	}
	for _, name := range accountNames() {
		if again.Accounts[name].Address != s.Accounts[name].Address || again.Accounts[name].hot.Bech32() != s.Accounts[name].Address {
			t.Errorf("%s has another address", name)
		}
	}
}

func TestPortsFallBackToFreeOnes(t *testing.T) {
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	taken := l.Addr().(*net.TCPAddr).Port //nolint:forcetypeassert // a TCP listener has a TCP address
	port, err := freePort(t.Context(), taken, map[int]bool{})
	if err != nil || port == taken {
		t.Errorf("got %d, %v for a taken port", port, err)
	}
	ports, err := choosePorts(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	seen := make(map[int]bool)
	for _, list := range ports {
		for _, p := range list {
			if seen[p] {
				t.Errorf("port %d is given twice", p)
			}
			seen[p] = true
		}
	}
	if err := ports.check(t.Context()); err != nil {
		t.Errorf("free ports: %v", err)
	}
	ports["rpc"][0] = taken
	if err := ports.check(t.Context()); !errors.Is(err, ErrPortTaken) {
		t.Errorf("got %v, want ErrPortTaken", err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestOptionsNameTheirFault(t *testing.T) {
	nan := 0.0
	nan /= nan
	for name, tc := range map[string]struct {
		opts Options
		want error
	}{
		"no requests":    {Options{Requests: 0}, ErrRequests},
		"too many":       {Options{Requests: 1_000_001}, ErrRequests},
		"negative speed": {Options{Requests: 1, Speedup: -1}, ErrSpeedup},
		"no number":      {Options{Requests: 1, Speedup: nan}, ErrSpeedup},
		"too fast":       {Options{Requests: 1, Speedup: 1e9}, ErrSpeedup},
	} {
		if err := tc.opts.check(); !errors.Is(err, tc.want) {
			t.Errorf("%s: got %v, want %v", name, err, tc.want)
		}
	}
	t.Setenv("PATH", t.TempDir())
	o := Options{Requests: 1, Home: t.TempDir(), Relayer: filepath.Join(t.TempDir(), "gpucoord-relayer")}
	if err := o.check(); !errors.Is(err, ErrNoBinary) {
		t.Errorf("without a node: got %v, want ErrNoBinary", err)
	}
}
