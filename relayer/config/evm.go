// SPDX-License-Identifier: Apache-2.0

package config

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strings"
	"time"
)

// Errors of an [[evm]] section.
var (
	ErrEVMName   = errors.New("evm.name must be 1 to 32 of a-z, 0-9 and -, each once: metrics are labelled with it")
	ErrEVMChain  = errors.New("evm.chain_id is 0: name the EVM chain, so that no other one is mistaken for it")
	ErrEVMRPC    = errors.New("evm.rpcs must name at least one http or https URL, or file:/path of a file that holds one")
	ErrEVMTarget = errors.New("evm.contract is empty: give ReceiptAnchor's address; make one with 'gpucoord-relayer evm deploy'")
	ErrEVMKey    = errors.New("evm section needs key_file and password_file, or remote_signer, or watch_only")
	ErrEVMShared = errors.New("two evm sections pay from one account on one chain: give each its own, they would take each other's nonces")
	ErrEVMFees   = errors.New("evm.hard_max_fee_gwei must be at least max_fee_gwei, and tip_gwei at most max_fee_gwei")
	ErrEVMTimes  = errors.New("evm.interval must be at least 50ms, resend_after at least interval, and race_window not negative")
	ErrNoEVM     = errors.New("there is no [[evm]] section: name at least one contract")
)

// EVM is one ReceiptAnchor contract. Whatever is zero has the default that Resolve gives it.
type EVM struct {
	// Name labels logs and metrics.
	Name string `toml:"name"`
	// ChainID is the EVM chain's, RPCs are its endpoints in the order they are preferred. An entry file:/path names a file that holds
	// the URL: a URL can hold an access key.
	ChainID uint64   `toml:"chain_id"`
	RPCs    []string `toml:"rpcs"`
	// Contract is the contract's address. CodeHash is the Keccak-256 of its code where another release compiled it.
	Contract EVMAddress `toml:"contract"`
	CodeHash EVMHash    `toml:"code_hash"`

	// KeyFile is a geth keystore (version 3) and PasswordFile opens it; or RemoteSigner is http(s)://host:port or unix:///path, and
	// Account the one to use of several. The account pays and needs no other right.
	KeyFile      string     `toml:"key_file"`
	PasswordFile string     `toml:"password_file"`
	RemoteSigner string     `toml:"remote_signer"`
	Account      EVMAddress `toml:"account"`
	// WatchOnly submits no anchors; a key, where there is one, is for freezing.
	WatchOnly bool `toml:"watch_only"`

	// MaxFeeGwei is the most that is paid for one gas while anchors can wait, HardMaxFeeGwei when two thirds of the trusting period are
	// over. TipGwei is the least tip.
	MaxFeeGwei     uint64 `toml:"max_fee_gwei"`
	HardMaxFeeGwei uint64 `toml:"hard_max_fee_gwei"`
	TipGwei        uint64 `toml:"tip_gwei"`

	// Interval is how often the contract is read, ResendAfter how long a transaction may wait before it is replaced, RaceWindow the
	// time over which relayers of one contract spread.
	Interval    Duration  `toml:"interval"`
	ResendAfter Duration  `toml:"resend_after"`
	RaceWindow  *Duration `toml:"race_window"`
	// Confirmations stand for finality where the endpoint names no finalized block; MaxLagBlocks is how far an endpoint may be behind.
	Confirmations uint64 `toml:"confirmations"`
	MaxLagBlocks  uint64 `toml:"max_lag_blocks"`
}

// Resolve fills in the defaults, which suit a chain with blocks of 12 s.
func (e EVM) Resolve() EVM {
	race := Duration(30 * time.Second) // two blocks: the first one's transaction is usually in one before the second's turn
	set(&e.Interval, Duration(12*time.Second))
	set(&e.ResendAfter, max(Duration(48*time.Second), e.Interval))
	set(&e.RaceWindow, &race)
	set(&e.MaxFeeGwei, 50)
	set(&e.HardMaxFeeGwei, 10*e.MaxFeeGwei)
	set(&e.Confirmations, 64)
	set(&e.MaxLagBlocks, 10)
	return e
}

func set[T comparable](v *T, to T) {
	var zero T
	if *v == zero {
		*v = to
	}
}

// HasKey says whether a key is configured.
func (e *EVM) HasKey() bool { return e.KeyFile != "" || e.RemoteSigner != "" }

func (e EVM) check() error {
	r := e.Resolve()
	switch {
	case !isLabel(r.Name):
		return ErrEVMName
	case r.ChainID == 0:
		return ErrEVMChain
	case len(r.RPCs) == 0:
		return ErrEVMRPC
	case r.Contract == EVMAddress{}:
		return ErrEVMTarget
	case (r.KeyFile != "") != (r.PasswordFile != ""), r.KeyFile != "" && r.RemoteSigner != "", !r.HasKey() && !r.WatchOnly:
		return ErrEVMKey
	case r.HardMaxFeeGwei < r.MaxFeeGwei || r.TipGwei > r.MaxFeeGwei:
		return ErrEVMFees
	case r.Interval < Duration(50*time.Millisecond) || r.ResendAfter < r.Interval || *r.RaceWindow < 0:
		return ErrEVMTimes
	}
	for _, rpc := range r.RPCs {
		if !isRPC(rpc) {
			return ErrEVMRPC // without the address: it can hold an access key
		}
	}
	return nil
}

func isRPC(text string) bool {
	if path, ok := strings.CutPrefix(text, "file:"); ok {
		return path != ""
	}
	u, err := url.Parse(text)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != ""
}

func isLabel(name string) bool {
	return name != "" && len(name) <= 32 && strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789-") == ""
}

func checkEVM(sections []EVM) error {
	names, payers := make(map[string]bool), make(map[string]bool)
	for i, e := range sections {
		err := e.check()
		if err == nil && names[e.Name] {
			err = ErrEVMName
		}
		payer := fmt.Sprintf("%d %s %s %x", e.ChainID, e.KeyFile, e.RemoteSigner, e.Account)
		if err == nil && e.HasKey() && payers[payer] {
			err = ErrEVMShared
		}
		if err != nil {
			return fmt.Errorf("%w: evm %d", err, i)
		}
		names[e.Name], payers[payer] = true, true
	}
	return nil
}

// Anchoring is the file of gpucoord-relayer evm run: anchoring alone, which needs no operator and no account on the chain.
type Anchoring struct {
	// ChainID is the CometBFT chain-id, Node a node's grpc://host:port or grpcs://host:port.
	ChainID string `toml:"chain_id"`
	Node    string `toml:"node"`
	// StatusListen is the loopback address of /metrics, /healthz and /status.
	StatusListen string `toml:"status_listen"`
	EVM          []EVM  `toml:"evm"`
}

// DefaultAnchoring returns the configuration beside a node.
func DefaultAnchoring() Anchoring {
	return Anchoring{Node: "grpc://127.0.0.1:9090", StatusListen: "127.0.0.1:8092"}
}

// Check reports the first fault.
//
// Errors: one sentinel per fault.
func (a *Anchoring) Check() error {
	switch {
	case a.ChainID == "":
		return ErrNoChainID
	case len(a.EVM) == 0:
		return ErrNoEVM
	}
	if err := checkLoopback(a.StatusListen); err != nil {
		return err
	}
	return checkEVM(a.EVM)
}

// checkLoopback refuses addresses that others could reach.
func checkLoopback(listen string) error {
	name, _, err := net.SplitHostPort(listen)
	if err != nil {
		return fmt.Errorf("%w: %q", ErrBadListen, listen)
	}
	if addr, err := netip.ParseAddr(name); name != "localhost" && (err != nil || !addr.IsLoopback()) {
		return fmt.Errorf("%w: %q", ErrStatusPublic, listen)
	}
	return nil
}

// EVMAddress is an address on an EVM chain, 40 hex digits after 0x.
type EVMAddress [20]byte

// UnmarshalText reads 40 hex digits, with or without 0x.
func (a *EVMAddress) UnmarshalText(text []byte) error {
	return unhex(a[:], bytes.TrimPrefix(text, []byte("0x")))
}

// EVMHash is a hash on an EVM chain, 64 hex digits after 0x.
type EVMHash [32]byte

// UnmarshalText reads 64 hex digits, with or without 0x.
func (h *EVMHash) UnmarshalText(text []byte) error {
	return unhex(h[:], bytes.TrimPrefix(text, []byte("0x")))
}
