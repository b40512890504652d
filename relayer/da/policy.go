// SPDX-License-Identifier: Apache-2.0

package da

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"slices"
)

// Errors of addresses.
var (
	// ErrBadURI says that a batch names no address at which anyone could read its records.
	ErrBadURI = errors.New("DA address is no http or https URL without user, query and fragment")
	// ErrNotAllowed says that the configuration does not let this address be asked. Add its host to watch.allow if you trust it.
	ErrNotAllowed = errors.New("DA address is not among those that the configuration allows; add its host[:port] to watch.allow to ask it")
	// ErrPrivateAddress says that a name leads to an address that is not public.
	ErrPrivateAddress = errors.New("DA address leads into a private network; name its host:port in watch.allow to ask it all the same")
	// ErrBadPolicy says that an entry of the list cannot be used.
	ErrBadPolicy = errors.New("allowed addresses are * for every public one, host, or host:port")
)

// Anyone is the entry of a list that allows every public address.
const Anyone = "*"

// Policy says which addresses may be asked for records. Batches name them, so that without it any operator could send the
// reader to any machine it reaches.
type Policy struct {
	anyone bool
	named  []string
}

// ParsePolicy reads a list of * (every public address), host, and host:port. What is named may be private.
//
// Errors: ErrBadPolicy.
func ParsePolicy(allow []string) (Policy, error) {
	var p Policy
	for _, entry := range allow {
		if entry == Anyone {
			p.anyone = true
			continue
		}
		if u, err := url.Parse("//" + entry); err != nil || u.Host != entry || u.Hostname() == "" {
			return Policy{}, fmt.Errorf("%w: %q", ErrBadPolicy, entry)
		}
		p.named = append(p.named, entry)
	}
	return p, nil
}

// Check says whether an address may be asked.
//
// Errors: ErrBadURI, ErrNotAllowed; ErrPrivateAddress for a private IP address. A name is looked up only when it is asked.
func (p Policy) Check(uri string) error {
	u, err := url.Parse(uri)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return fmt.Errorf("%w: %q", ErrBadURI, uri)
	}
	host := authority(u)
	switch {
	case p.names(host):
		return nil
	case !p.anyone:
		return fmt.Errorf("%w: %q", ErrNotAllowed, uri)
	}
	if ip, err := netip.ParseAddr(u.Hostname()); err == nil && !public(ip) {
		return fmt.Errorf("%w: %q", ErrPrivateAddress, uri)
	}
	return nil
}

// authority is a URL's host:port.
func authority(u *url.URL) string {
	port := u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
	}
	return net.JoinHostPort(u.Hostname(), port)
}

// names says whether host:port is in the list, with its port or without.
func (p Policy) names(hostPort string) bool {
	host, _, err := net.SplitHostPort(hostPort)
	return slices.Contains(p.named, hostPort) || err == nil && slices.Contains(p.named, host)
}

// notPublic are the ranges that netip's own questions leave out: this network, shared address space, protocol assignments,
// documentation, benchmarks, reserved; NAT64, discard, Teredo, 6to4 and documentation of IPv6.
var notPublic = func() (out []netip.Prefix) {
	for _, text := range []string{
		"0.0.0.0/8", "100.64.0.0/10", "192.0.0.0/24", "192.0.2.0/24", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "240.0.0.0/4",
		"64:ff9b::/96", "64:ff9b:1::/48", "100::/64", "2001::/32", "2002::/16", "2001:db8::/32", "::/96",
	} {
		out = append(out, netip.MustParsePrefix(text))
	}
	return out
}()

// public says whether an address is one of the open internet.
func public(ip netip.Addr) bool {
	ip = ip.Unmap().WithZone("")
	if !ip.IsGlobalUnicast() || ip.IsPrivate() {
		return false
	}
	return !slices.ContainsFunc(notPublic, func(p netip.Prefix) bool { return p.Contains(ip) })
}
