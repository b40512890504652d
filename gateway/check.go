// SPDX-License-Identifier: Apache-2.0

package gateway

import (
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"net"
	"net/netip"
	"strings"

	"github.com/gpucoord/gpucoord/gateway/route"
)

// Errors of a configuration.
var (
	ErrNoChainID    = errors.New("chain_id is empty: authorisations are bound to one chain")
	ErrNoKeyFile    = errors.New("key_file is empty: it holds the gateway's registered job key, never a wallet's")
	ErrNoSecretFile = errors.New("payment_secret_file is empty: it holds 32 random bytes in hex that key the payment references")
	ErrNoAdminToken = errors.New("admin_token_file must hold a token of at least 16 characters")
	ErrNoLedger     = errors.New("ledger is empty: name the file that keeps API keys and credit")
	ErrBadListen    = errors.New("listen address must be host:port")
	ErrAdminExposed = errors.New("admin_listen must be a loopback address: it makes API keys")
	ErrHalfTLS      = errors.New("tls_cert_file and tls_key_file go together")
	ErrBadModel     = errors.New("model needs a name of its own and the asset ids as 64 hex digits")
	ErrBadLimit     = errors.New("limits must be positive")
	ErrBadTimeout   = errors.New("timeouts and intervals must be positive")
	ErrBadJobTTL    = errors.New("timeouts.job must be from 10s to 55m: the chain bounds an authorisation's life to 1h")
)

// Check reports the first fault of a configuration.
//
// Errors: one sentinel per fault.
func (c *Config) Check() error {
	switch {
	case c.ChainID == "":
		return ErrNoChainID
	case c.KeyFile == "":
		return ErrNoKeyFile
	case c.PaymentSecretFile == "":
		return ErrNoSecretFile
	case c.AdminTokenFile == "":
		return ErrNoAdminToken
	case c.Ledger == "":
		return ErrNoLedger
	case (c.TLSCertFile == "") != (c.TLSKeyFile == ""):
		return ErrHalfTLS
	}
	if _, err := c.aliases(); err != nil {
		return err
	}
	if err := c.checkAddresses(); err != nil {
		return err
	}
	return c.checkNumbers()
}

func (c *Config) checkAddresses() error {
	if _, _, err := net.SplitHostPort(c.Listen); err != nil {
		return fmt.Errorf("%w: %q", ErrBadListen, c.Listen)
	}
	admin, _, err := net.SplitHostPort(c.AdminListen)
	if err != nil {
		return fmt.Errorf("%w: %q", ErrBadListen, c.AdminListen)
	}
	if addr, err := netip.ParseAddr(admin); admin != "localhost" && (err != nil || !addr.IsLoopback()) {
		return fmt.Errorf("%w: %q", ErrAdminExposed, c.AdminListen)
	}
	return nil
}

func (c *Config) checkNumbers() error {
	l, t, h, r := &c.Limits, &c.Timeouts, &c.Hosts, &c.Receipts
	for _, n := range []int{
		l.MaxBodyBytes, l.MaxHeaderBytes, l.MaxAnswerBytes, l.MaxEventBytes, l.MaxConcurrent, l.MaxConcurrentPerKey, l.RatePerSecond,
		l.RateBurst, h.MaxTries, h.MaxOpen, r.Batch,
	} {
		if n <= 0 {
			return ErrBadLimit
		}
	}
	if l.DefaultMaxTokens == 0 || l.MaxOutputTokens < l.DefaultMaxTokens || l.MaxOutputTokens > math.MaxUint32 ||
		l.MaxChoices == 0 || l.MaxChoices > math.MaxUint16 || l.PromptOverheadTokens > math.MaxUint32 {
		return ErrBadLimit
	}
	for _, d := range []Duration{
		t.Header, t.Body, t.Idle, t.Write, t.Dial, t.FirstByte, t.HostIdle, t.Receipt, t.Drain, h.Refresh, h.MaxAge, h.Pause, h.MaxPause,
		h.WrongReceiptPause, h.FullPause, r.Interval, r.Timeout, r.Grace, r.GiveUp,
	} {
		if d <= 0 {
			return ErrBadTimeout
		}
	}
	if t.Job < sec(10) || t.Job > sec(55*60) {
		return ErrBadJobTTL
	}
	return nil
}

// aliases reads the configured names.
//
// Errors: ErrBadModel.
func (c *Config) aliases() (map[string]route.Asset, error) {
	names := make(map[string]route.Asset, len(c.Models))
	for _, m := range c.Models {
		var a route.Asset
		_, known := names[m.Name]
		if m.Name == "" || known || !parseID(&a.ModelID, m.ModelID) || m.AdapterID != "" && !parseID(&a.AdapterID, m.AdapterID) {
			return nil, fmt.Errorf("%w: %q", ErrBadModel, m.Name)
		}
		names[m.Name] = a
	}
	return names, nil
}

// parseID reads an asset id; zero is none.
func parseID(id *[32]byte, text string) bool {
	b, err := hex.DecodeString(strings.TrimPrefix(text, "0x"))
	if err != nil || len(b) != len(id) {
		return false
	}
	copy(id[:], b)
	return *id != [32]byte{}
}
