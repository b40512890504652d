// SPDX-License-Identifier: Apache-2.0

package collect_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"github.com/gpucoord/gpucoord/host/wire"
	"github.com/gpucoord/gpucoord/relayer/collect"
)

func newSource(t *testing.T, handler http.HandlerFunc) *collect.HTTPSource {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	token := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(token, []byte("a token of the host\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	source, err := collect.NewHTTPSource(server.URL+"/", token)
	if err != nil {
		t.Fatal(err)
	}
	return source
}

func TestHTTPSourceReads(t *testing.T) {
	var query, auth string
	source := newSource(t, func(w http.ResponseWriter, r *http.Request) {
		query, auth = r.URL.String(), r.Header.Get("Authorization")
		w.Header().Set(wire.HeaderNextOffset, "70")
		w.Header().Set(wire.HeaderEndOffset, "99")
		_, _ = w.Write([]byte("frames"))
	})
	got, err := source.Read(t.Context(), 50, 8)
	if err != nil || string(got.Frames) != "frames" || got.Next != 70 || got.End != 99 {
		t.Errorf("got %+v (%v)", got, err)
	}
	if query != "/internal/v1/log?offset=50&limit=8" || auth != "Bearer a token of the host" {
		t.Errorf("asked for %q with %q", query, auth)
	}
}

func TestHTTPSourceErrors(t *testing.T) {
	for name, c := range map[string]struct {
		handler http.HandlerFunc
		want    error
	}{
		"beyond the end": {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusRequestedRangeNotSatisfiable) }, collect.ErrLogShrank},
		"deleted":        {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusGone) }, collect.ErrPruned},
		"wrong token":    {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusUnauthorized) }, collect.ErrAnswer},
		"no offset":      {func(w http.ResponseWriter, _ *http.Request) { w.Header().Set(wire.HeaderEndOffset, "1") }, collect.ErrAnswer},
		"no end":         {func(w http.ResponseWriter, _ *http.Request) { w.Header().Set(wire.HeaderNextOffset, "1") }, collect.ErrAnswer},
		"elsewhere": {func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://127.0.0.1:1/", http.StatusFound)
		}, collect.ErrAnswer},
		"no end of bytes": {func(w http.ResponseWriter, _ *http.Request) {
			for range 17 {
				_, _ = w.Write(make([]byte, 1<<20))
			}
		}, collect.ErrAnswer},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := newSource(t, c.handler).Read(t.Context(), 0, 1); !errors.Is(err, c.want) {
				t.Errorf("got %v, want %v", err, c.want)
			}
		})
	}
}

func TestHTTPSourceFirst(t *testing.T) {
	for body, want := range map[string]int64{`{"first_offset": 42, "end_offset": 50}`: 42, `{}`: -1, `[`: -1} {
		source := newSource(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(body)) })
		got, err := source.First(t.Context())
		if want < 0 && !errors.Is(err, collect.ErrAnswer) || want >= 0 && (err != nil || got != want) {
			t.Errorf("%s: got %d, %v", body, got, err)
		}
	}
	if _, err := collect.NewHTTPSource("http://127.0.0.1:1", filepath.Join(t.TempDir(), "none")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("missing token file: got %v", err)
	}
}
