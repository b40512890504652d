// SPDX-License-Identifier: Apache-2.0

package host

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"time"

	"github.com/gpucoord/gpucoord/domain/receipt"
)

// Errors of a configuration.
var (
	ErrNoChainID    = errors.New("chain_id is empty: receipts are bound to one chain")
	ErrNoHostID     = errors.New("host_id is zero: register the host and use the id the chain gave it")
	ErrNoModels     = errors.New("models is empty: list at least one model the engine serves")
	ErrBadModel     = errors.New("model is incomplete: give each model and adapter a unique name and its asset id")
	ErrBadEngineURL = errors.New("engine_url must be http://host:port or https://host:port, without path or query")
	ErrBadListen    = errors.New("listen address must be host:port")
	ErrAdminExposed = errors.New("admin_listen must be a loopback address: it shows every receipt")
	ErrNoAdminToken = errors.New("admin_token_file must hold a token of at least 16 characters")
	ErrNoDataDir    = errors.New("data_dir is empty: receipts need a directory of their own")
	ErrHalfTLS      = errors.New("tls_cert_file and tls_key_file go together")
	ErrBadLimit     = errors.New("limits and timeouts must be positive")
	ErrMissingDeps  = errors.New("host needs a chain view, a receipt key and a logger")
)

// Adapter is one adapter the host serves on a model.
type Adapter struct {
	// Name is what clients ask for; EngineName what the engine calls it (default: Name; SGLang: base:adapter).
	Name, EngineName string
	// ID is its asset id.
	ID [32]byte
}

// Model is one base model the host serves, with its prices.
type Model struct {
	// Name is what clients ask for; EngineName what the engine calls it (default: Name).
	Name, EngineName string
	// ID is its asset id.
	ID [32]byte
	// PriceInUusdc and PriceOutUusdc are the prices of 10^6 prompt and output tokens, with or without an adapter.
	PriceInUusdc, PriceOutUusdc uint64
	// Adapters are served on this model.
	Adapters []Adapter
}

// Config configures a host. Default gives every number a value.
type Config struct {
	// ChainID is the CometBFT chain-id, EVMChainID the EIP-155 id of the receipts' domain.
	ChainID    string
	EVMChainID uint64
	// HostID is the registered host, Operator its operator's account (bech32).
	HostID   [32]byte
	Operator string
	// Simulated says that the engine or its GPUs are stand-ins; the host card says so too.
	Simulated bool
	// Version is the version of this software, RuntimeID a hash of the engine's image and flags, zero if unknown.
	Version   string
	RuntimeID [32]byte

	// Models is what is served.
	Models []Model
	// EngineURL is the only address that is ever dialled; EngineKey is sent to it as a bearer token unless empty.
	EngineURL, EngineKey string
	// ContinuousUsage asks the engine for the usage of every chunk, so that a job that the client breaks off is charged for what it
	// got. Without it such a job is free.
	ContinuousUsage bool

	// DataDir holds the receipt log.
	DataDir string
	// Listen is the public address, AdminListen the loopback address of the relayer's interface.
	Listen, AdminListen string
	// TLSCertFile and TLSKeyFile make the public listener speak TLS.
	TLSCertFile, TLSKeyFile string
	// AdminTokenFile holds the bearer token of the admin interface.
	AdminTokenFile string

	// DirectPayers are payer keys that no gateway stands behind and whose jobs the operator settles, because he collects the money
	// himself. AnyDirectPayer accepts every key: only for hosts that nobody else can reach.
	DirectPayers   [][20]byte
	AnyDirectPayer bool

	Limits   Limits
	Timeouts Timeouts

	// Recover recovers the signer of a canonical signature; nil means receipt.RecoverAddress, which is slower than a C library.
	Recover receipt.Recover
	// Sign signs as receipt.Sign does, to the byte; nil means receipt.Sign, which is slower than a C library.
	Sign func(key *receipt.PrivateKey, digest [32]byte) [65]byte
}

// Limits bound what clients can make the host hold.
type Limits struct {
	// MaxBodyBytes bounds a request, MaxAnswerBytes an answer that is not streamed, MaxEventBytes one event of a stream.
	MaxBodyBytes, MaxAnswerBytes, MaxEventBytes int
	// MaxHeaderBytes bounds the headers of a request.
	MaxHeaderBytes int
	// MaxConcurrent bounds jobs in progress.
	MaxConcurrent int
	// RatePerSecond and RateBurst bound the requests of one remote address; RatePerSecond 0 means no bound.
	RatePerSecond, RateBurst int
	// MaxUncountersigned bounds a gateway's jobs that run or wait for a countersignature, all keys of one settler together.
	MaxUncountersigned int
	// IndexEpochs is how many epochs back a receipt can be fetched or countersigned, KeepEpochs how many the log keeps.
	IndexEpochs, KeepEpochs uint64
}

// Timeouts bound what clients and the engine can make the host wait for.
type Timeouts struct {
	// Header and Body bound the reading of a request, Idle a connection between two.
	Header, Body, Idle time.Duration
	// Write bounds each write of an answer: a client that takes nothing for so long is cut off.
	Write time.Duration
	// EngineDial, EngineHeader and EngineIdle bound connecting, the time to the first header and the time between two events.
	EngineDial, EngineHeader, EngineIdle time.Duration
	// Job bounds a job; it also never outlives its authorisation.
	Job time.Duration
	// Chain bounds one question to the chain view.
	Chain time.Duration
	// Drain is how long running jobs may go on when the host stops.
	Drain time.Duration
}

// Default returns a configuration whose numbers suit one engine.
func Default() Config {
	return Config{
		ContinuousUsage: true,
		Listen:          ":8080",
		AdminListen:     "127.0.0.1:8081",
		Limits: Limits{
			MaxBodyBytes:       2 << 20,  // a context of 131,072 tokens is about half a MiB of text
			MaxAnswerBytes:     16 << 20, // 131,072 output tokens with log probabilities
			MaxEventBytes:      1 << 20,  // one token with 20 log probabilities is a few KiB
			MaxHeaderBytes:     16 << 10, // an authorisation is 364 bytes
			MaxConcurrent:      256,      // vLLM's default max_num_seqs
			RatePerSecond:      200,      // gateways send many jobs from one address
			RateBurst:          400,
			MaxUncountersigned: 32, // protocol §3
			IndexEpochs:        3,  // the submit window of an epoch ends in the next one
			KeepEpochs:         32, // longer than any claim can take
		},
		Timeouts: Timeouts{
			Header: 10 * time.Second, Body: 30 * time.Second, Idle: 2 * time.Minute,
			Write:      30 * time.Second,
			EngineDial: 5 * time.Second, EngineHeader: 10 * time.Minute, EngineIdle: 2 * time.Minute, // a long prompt prefills for minutes
			Job:   30 * time.Minute,
			Chain: 2 * time.Second,
			Drain: 30 * time.Second,
		},
	}
}

// Check reports the first fault of a configuration.
//
// Errors: one sentinel per fault.
func (c *Config) Check() error {
	switch {
	case c.ChainID == "":
		return ErrNoChainID
	case c.HostID == [32]byte{}:
		return ErrNoHostID
	case c.DataDir == "":
		return ErrNoDataDir
	case (c.TLSCertFile == "") != (c.TLSKeyFile == ""):
		return ErrHalfTLS
	case c.AdminTokenFile == "":
		return ErrNoAdminToken
	}
	if err := c.checkAddresses(); err != nil {
		return err
	}
	if _, err := newCatalog(c.Models); err != nil {
		return err
	}
	return c.checkNumbers()
}

func (c *Config) checkAddresses() error {
	u, err := url.Parse(c.EngineURL)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" || u.User != nil || u.RawQuery != "" ||
		u.Fragment != "" || (u.Path != "" && u.Path != "/") {
		return fmt.Errorf("%w: %q", ErrBadEngineURL, c.EngineURL)
	}
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
	l, t := &c.Limits, &c.Timeouts
	for _, n := range []int{l.MaxBodyBytes, l.MaxAnswerBytes, l.MaxEventBytes, l.MaxHeaderBytes, l.MaxConcurrent, l.MaxUncountersigned} {
		if n <= 0 {
			return ErrBadLimit
		}
	}
	for _, d := range []time.Duration{
		t.Header, t.Body, t.Idle, t.Write, t.EngineDial, t.EngineHeader, t.EngineIdle, t.Job, t.Chain, t.Drain,
	} {
		if d <= 0 {
			return ErrBadLimit
		}
	}
	if l.RatePerSecond < 0 || l.RatePerSecond > 0 && l.RateBurst <= 0 || l.IndexEpochs == 0 || l.KeepEpochs < l.IndexEpochs {
		return ErrBadLimit
	}
	return nil
}
