// SPDX-License-Identifier: Apache-2.0

package gateway_test

import (
	"crypto/sha256"
	"crypto/tls"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"github.com/gpucoord/gpucoord/gateway"
	"github.com/gpucoord/gpucoord/gateway/route"
)

func TestOnlyPublicAddressesMayBeCalled(t *testing.T) {
	for text, want := range map[string]bool{
		"1.1.1.1": true, "193.0.6.139": true, "2606:4700:4700::1111": true, "2a00:1450:4001::1": true,
		"127.0.0.1": false, "127.9.9.9": false, "0.0.0.0": false, "10.1.2.3": false, "172.16.0.1": false, "172.31.255.255": false,
		"192.168.1.1": false, "169.254.169.254": false, "100.64.0.1": false, "198.18.0.1": false, "224.0.0.1": false, "255.255.255.255": false,
		"::1": false, "::": false, "fe80::1": false, "fe80::1%eth0": false, "fc00::1": false, "fd12::1": false, "ff02::1": false,
		"::ffff:127.0.0.1": false, "::ffff:10.0.0.1": false, "::ffff:1.1.1.1": true, "::7f00:1": false, "64:ff9b::a00:1": false,
		"2002:7f00:1::": false, "2001:0:1::1": false,
	} {
		if got := gateway.Public(netip.MustParseAddr(text)); got != want {
			t.Errorf("%s: got %v", text, got)
		}
	}
}

func TestPrivateHostsAreNotCalled(t *testing.T) {
	for name, change := range map[string]func(*gateway.Config, *route.Snapshot){
		"loopback": func(c *gateway.Config, _ *route.Snapshot) { c.AllowPrivate = false },
		"a name of loopback": func(c *gateway.Config, s *route.Snapshot) {
			c.AllowPrivate = false
			s.Hosts[0].Endpoint = strings.Replace(s.Hosts[0].Endpoint, "127.0.0.1", "localhost", 1)
		},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, 1, func(c *gateway.Config) { change(c, &route.Snapshot{Hosts: make([]route.Host, 1)}) })
			f.table = func(s *route.Snapshot) { change(&gateway.Config{}, s) }
			f.refresh()
			k := f.newKey(100_000)
			if a := f.complete(k.Key, chat(5)); a.code() != "HOSTS_FAILED" || len(f.hosts[0].sent()) != 0 {
				t.Fatalf("got %d %s", a.status, a.body)
			}
			if !strings.Contains(f.logs.String(), "not public") {
				t.Errorf("got %s", f.logs)
			}
			f.wantCredit(k, 100_000, 0, 0)
		})
	}
}

func TestHostsWithoutTLSAreNotCalled(t *testing.T) {
	f := newFixture(t, 1, func(c *gateway.Config) { c.AllowHTTP = false })
	k := f.newKey(100_000)
	if a := f.complete(k.Key, chat(5)); a.code() != "NO_HOST" || len(f.hosts[0].sent()) != 0 {
		t.Fatalf("got %d %s", a.status, a.body)
	}
}

func TestPinnedTLSKeyIsTheOnlyOneAccepted(t *testing.T) {
	f := newFixture(t, 1, nil)
	secure := httptest.NewUnstartedServer(f.hosts[0].server.Config.Handler)
	secure.TLS = &tls.Config{MinVersion: tls.VersionTLS13}
	secure.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError) // refused handshakes are the point
	secure.StartTLS()
	t.Cleanup(secure.Close)
	pin := sha256.Sum256(secure.Certificate().RawSubjectPublicKeyInfo)
	k := f.newKey(100_000)
	for name, c := range map[string]struct {
		spki   []byte
		status int
	}{
		"its key":                 {pin[:], http.StatusOK},
		"another key":             {make([]byte, 32), http.StatusBadGateway},
		"none, unknown authority": {nil, http.StatusBadGateway},
	} {
		f.table = func(s *route.Snapshot) { s.Hosts[0].Endpoint, s.Hosts[0].SPKI = secure.URL, c.spki }
		f.refresh()
		if a := f.complete(k.Key, chat(5)); a.status != c.status {
			t.Errorf("%s: got %d %s", name, a.status, a.body)
		}
	}
}
