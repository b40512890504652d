// SPDX-License-Identifier: Apache-2.0

package da_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gpucoord/gpucoord/relayer/da"
)

func openDir(t *testing.T) *da.Dir {
	t.Helper()
	dir, err := da.OpenDir(filepath.Join(t.TempDir(), "da"))
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

func policy(t *testing.T, allow ...string) da.Policy {
	t.Helper()
	p, err := da.ParsePolicy(allow)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// serving is a server and a fetcher that may ask it.
func serving(t *testing.T, timeout time.Duration, handler http.HandlerFunc) (*da.Fetcher, string) {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return da.NewFetcher(policy(t, strings.TrimPrefix(server.URL, "http://")), timeout), server.URL + "/da/x"
}

func TestPolicyAllowsPublicAndNamedAddresses(t *testing.T) {
	for _, c := range []struct {
		allow []string
		uri   string
		want  error
	}{
		{[]string{"*"}, "https://host.example/da/x", nil},
		{[]string{"*"}, "http://8.8.8.8:8090/da/x", nil},
		{[]string{"*"}, "http://127.0.0.1/da/x", da.ErrPrivateAddress},
		{[]string{"*"}, "http://10.1.2.3/da/x", da.ErrPrivateAddress},
		{[]string{"*"}, "http://169.254.169.254/latest", da.ErrPrivateAddress},
		{[]string{"*"}, "http://100.64.0.1/x", da.ErrPrivateAddress},
		{[]string{"*"}, "http://[::1]/x", da.ErrPrivateAddress},
		{[]string{"*"}, "http://[::ffff:127.0.0.1]/x", da.ErrPrivateAddress},
		{[]string{"*"}, "http://[fd00::1]/x", da.ErrPrivateAddress},
		{[]string{"*"}, "http://[64:ff9b::7f00:1]/x", da.ErrPrivateAddress},
		{[]string{"*", "127.0.0.1:8090"}, "http://127.0.0.1:8090/x", nil},
		{[]string{"*", "127.0.0.1:8090"}, "http://127.0.0.1:8091/x", da.ErrPrivateAddress},
		{[]string{"relay.example"}, "https://relay.example:9/x", nil},
		{[]string{"relay.example:443"}, "https://relay.example/x", nil},
		{[]string{"relay.example"}, "https://other.example/x", da.ErrNotAllowed},
		{nil, "https://other.example/x", da.ErrNotAllowed},
		{[]string{"*"}, "ftp://host.example/x", da.ErrBadURI},
		{[]string{"*"}, "http://user@host.example/x", da.ErrBadURI},
		{[]string{"*"}, "http://host.example/x?y=1", da.ErrBadURI},
		{[]string{"*"}, "nothing", da.ErrBadURI},
	} {
		if err := policy(t, c.allow...).Check(c.uri); !errors.Is(err, c.want) {
			t.Errorf("%v, %s: got %v, want %v", c.allow, c.uri, err, c.want)
		}
	}
	for _, bad := range []string{"", "http://host", "host/path", "user@host"} {
		if _, err := da.ParsePolicy([]string{bad}); !errors.Is(err, da.ErrBadPolicy) {
			t.Errorf("%q: got %v, want ErrBadPolicy", bad, err)
		}
	}
}

func TestFetchKeepsWhatHasTheHash(t *testing.T) {
	file := []byte("records")
	fetcher, uri := serving(t, time.Minute, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(file) })
	dir, sum := openDir(t), sha256.Sum256(file)
	if err := fetcher.Fetch(t.Context(), uri, sum, int64(len(file)), dir); err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(dir.Path(sum)); err != nil || string(got) != string(file) {
		t.Errorf("file holds %q (%v)", got, err)
	}
	if err := fetcher.Fetch(t.Context(), uri, [32]byte{1}, 100, dir); !errors.Is(err, da.ErrOtherFile) || dir.Has([32]byte{1}) {
		t.Errorf("wrong bytes: got %v, want ErrOtherFile", err)
	}
}

func TestFetchRefusesHostileServers(t *testing.T) {
	secret := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("the private server was asked") }))
	defer secret.Close()
	for name, c := range map[string]struct {
		handler http.HandlerFunc
		want    error
	}{
		"announces too much": {func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Content-Length", "100000000000") }, da.ErrTooLong},
		"sends without end": {func(w http.ResponseWriter, _ *http.Request) {
			for {
				if _, err := w.Write(make([]byte, 1<<16)); err != nil {
					return
				}
			}
		}, da.ErrTooLong},
		"redirects to a private address": {func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, secret.URL, http.StatusFound)
		}, da.ErrStatus},
		"has nothing": {http.NotFound, da.ErrStatus},
	} {
		t.Run(name, func(t *testing.T) {
			fetcher, uri := serving(t, time.Minute, c.handler)
			dir := openDir(t)
			if err := fetcher.Fetch(t.Context(), uri, [32]byte{1}, 1000, dir); !errors.Is(err, c.want) {
				t.Errorf("got %v, want %v", err, c.want)
			}
			if left, err := filepath.Glob(filepath.Join(filepath.Dir(dir.Path([32]byte{1})), "*")); err != nil || len(left) != 0 {
				t.Errorf("left behind: %v (%v)", left, err)
			}
		})
	}
}

func TestFetchEndsWithASlowServer(t *testing.T) {
	fetcher, uri := serving(t, 50*time.Millisecond, func(w http.ResponseWriter, r *http.Request) {
		_, _ = w.Write([]byte("a"))
		_ = http.NewResponseController(w).Flush() // then nothing more
		<-r.Context().Done()
	})
	if err := fetcher.Fetch(t.Context(), uri, [32]byte{1}, 1000, openDir(t)); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v, want that its time ended", err)
	}
}

func TestFetchLooksAtTheAddressBehindAName(t *testing.T) {
	asked := false
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked = true }))
	defer server.Close()
	port := netip.MustParseAddrPort(strings.TrimPrefix(server.URL, "http://")).Port()
	uri := "http://localhost:" + netip.AddrPortFrom(netip.IPv4Unspecified(), port).String()[len("0.0.0.0:"):] + "/x"
	err := da.NewFetcher(policy(t, "*"), time.Minute).Fetch(t.Context(), uri, [32]byte{1}, 10, openDir(t))
	if !errors.Is(err, da.ErrPrivateAddress) || asked {
		t.Errorf("got %v, asked %t; want ErrPrivateAddress before anything is sent", err, asked)
	}
}
