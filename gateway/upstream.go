// SPDX-License-Identifier: Apache-2.0

package gateway

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"syscall"
	"time"
)

// Errors of calling hosts.
var (
	errPrivateAddress = errors.New("host's endpoint is at an address that is not public")
	errWrongTLSKey    = errors.New("host's TLS key is not the one it registered")
	errNoTLS          = errors.New("host's endpoint has no TLS and allow_http is off")
)

// notPublic are the ranges that netip does not know as private and that no host of a stranger can be at.
var notPublic = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"), netip.MustParsePrefix("100.64.0.0/10"), netip.MustParsePrefix("192.0.0.0/24"),
	netip.MustParsePrefix("192.0.2.0/24"), netip.MustParsePrefix("198.18.0.0/15"), netip.MustParsePrefix("198.51.100.0/24"),
	netip.MustParsePrefix("203.0.113.0/24"), netip.MustParsePrefix("240.0.0.0/4"),
	netip.MustParsePrefix("::/96"),        // IPv4-compatible
	netip.MustParsePrefix("64:ff9b::/96"), // NAT64 leads into IPv4
	netip.MustParsePrefix("64:ff9b:1::/48"), netip.MustParsePrefix("100::/64"), netip.MustParsePrefix("2001::/23"),
	netip.MustParsePrefix("2001:db8::/32"), netip.MustParsePrefix("2002::/16"), netip.MustParsePrefix("fec0::/10"),
}

// public reports whether an address is one that anybody on the internet can have.
func public(addr netip.Addr) bool {
	addr = addr.Unmap().WithZone("")
	if !addr.IsGlobalUnicast() || addr.IsPrivate() {
		return false
	}
	for _, p := range notPublic {
		if p.Contains(addr) {
			return false
		}
	}
	return true
}

// upstream calls hosts: no proxy of the environment, no redirects, no cookies, and unless allowed no address that is not public. The
// address is checked when it is dialled, after the name was resolved.
type upstream struct {
	cfg    *Config
	dialer net.Dialer

	mu         sync.Mutex // guards transports
	transports map[string]*http.Transport
}

func newUpstream(cfg *Config) *upstream {
	u := &upstream{cfg: cfg, transports: make(map[string]*http.Transport)}
	u.dialer = net.Dialer{Timeout: cfg.Timeouts.Dial.std(), KeepAlive: 30 * time.Second}
	if !cfg.AllowPrivate {
		u.dialer.Control = refusePrivate
	}
	return u
}

func refusePrivate(_, address string, _ syscall.RawConn) error {
	at, err := netip.ParseAddrPort(address)
	if err != nil || !public(at.Addr()) {
		return errPrivateAddress
	}
	return nil
}

// transport returns the connections to hosts that pin spki, or to all that pin nothing.
func (u *upstream) transport(spki []byte) *http.Transport {
	u.mu.Lock()
	defer u.mu.Unlock()
	t := u.transports[string(spki)]
	if t == nil {
		t = &http.Transport{
			DialContext: u.dialer.DialContext, TLSClientConfig: tlsConfig(spki), TLSHandshakeTimeout: u.cfg.Timeouts.Dial.std(),
			MaxIdleConnsPerHost: 64, IdleConnTimeout: u.cfg.Timeouts.Idle.std(), DisableCompression: true,
			MaxResponseHeaderBytes: 64 << 10,
		}
		u.transports[string(spki)] = t
	}
	return t
}

// tlsConfig checks the certificate's chain as usual; where a key is pinned, the pin takes its place: the chain's word is the stronger one,
// and a host without a name can have no other.
func tlsConfig(spki []byte) *tls.Config {
	c := &tls.Config{MinVersion: tls.VersionTLS12}
	if len(spki) == 0 {
		return c
	}
	c.InsecureSkipVerify = true // VerifyConnection checks the registered key instead
	c.VerifyConnection = func(state tls.ConnectionState) error {
		if len(state.PeerCertificates) == 0 {
			return errWrongTLSKey
		}
		sum := sha256.Sum256(state.PeerCertificates[0].RawSubjectPublicKeyInfo)
		if subtle.ConstantTimeCompare(sum[:], spki) != 1 {
			return errWrongTLSKey
		}
		return nil
	}
	return c
}

// keep closes the connections of pins that no host has any more.
func (u *upstream) keep(pins map[string]bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	for pin, t := range u.transports {
		if pin != "" && !pins[pin] {
			t.CloseIdleConnections()
			delete(u.transports, pin)
		}
	}
}

// close ends all idle connections.
func (u *upstream) close() {
	u.mu.Lock()
	defer u.mu.Unlock()
	for _, t := range u.transports {
		t.CloseIdleConnections()
	}
}

// do sends one request to an endpoint of the chain's table; a redirect comes back as it is.
func (u *upstream) do(ctx context.Context, method, endpoint, path string, spki, body []byte, header http.Header) (*http.Response, error) {
	if !u.cfg.AllowHTTP && !strings.HasPrefix(endpoint, "https://") {
		return nil, errNoTLS
	}
	req, err := http.NewRequestWithContext(ctx, method, endpoint+path, newBody(body))
	if err != nil {
		return nil, fmt.Errorf("call host: %w", err)
	}
	req.Header = header
	req.ContentLength = int64(len(body))
	return u.transport(spki).RoundTrip(req)
}
