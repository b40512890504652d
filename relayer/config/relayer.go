// SPDX-License-Identifier: Apache-2.0

package config

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"time"
)

// Errors of a relayer's configuration.
var (
	ErrNoChainID    = errors.New("chain_id is empty: name the chain, so that no other one is mistaken for it")
	ErrNoOperator   = errors.New("operator is empty: name the operator's account, bech32, whose hosts this relayer serves")
	ErrNoKey        = errors.New("account_key_file is empty: make a key with 'gpucoord-relayer keys new' and let the operator authorise it")
	ErrNoDataDir    = errors.New("data_dir is empty: the relayer needs a directory of its own")
	ErrBadInterval  = errors.New("interval must be at least 50ms")
	ErrBadListen    = errors.New("listen address must be host:port")
	ErrStatusPublic = errors.New("status_listen must be a loopback address: it shows the operator's business")
	ErrBadPublicURL = errors.New("public_url must be the http or https address under which others reach listen, of at most 180 bytes")
	ErrNoHosts      = errors.New("hosts is empty: name at least one host")
	ErrBadHost      = errors.New("host is incomplete: give host_id, admin_url and admin_token_file, each host once")
	ErrBadProbe     = errors.New("nvml and simulated exclude each other: probe this machine's GPUs or declare simulated ones")
	ErrProbeKey     = errors.New("key_file is empty: capacity statements are signed with the host's receipt key")
	ErrBadBatch     = errors.New("batch.margin_blocks must be at least 1: a transaction is in the block after the one that was seen")
	ErrNoGrace      = errors.New("batch.grace_blocks must be at least 1: a host that loses its node goes on for its chain_view.bound")
	ErrBadCollect   = errors.New("collect.max_frames must be 1 to 10000 and collect.workers at least 1")
)

// DefaultGraceBlocks is how many blocks of its submit window a batch waits for what is late, 12 s: a gateway countersigns in one round
// trip and looks for late ones every few seconds. A host has to notice a lost node sooner (HostView.Resolve).
const DefaultGraceBlocks = 2

// Relayer is the file of gpucoord-relayer run.
type Relayer struct {
	// ChainID is the CometBFT chain-id, Node a node's grpc://host:port or grpcs://host:port.
	ChainID string `toml:"chain_id"`
	Node    string `toml:"node"`
	// Operator is the account whose hosts these are, AccountKeyFile the key of the account that signs: the operator's own or
	// that of a relayer that it has authorised. No other program may use that account.
	Operator       string `toml:"operator"`
	AccountKeyFile string `toml:"account_key_file"`
	// DataDir holds the store and the DA files.
	DataDir string `toml:"data_dir"`
	// Interval is how often each duty looks for work.
	Interval Duration `toml:"interval"`

	Submit  Submit  `toml:"submit"`
	Collect Collect `toml:"collect"`
	Batch   Batch   `toml:"batch"`
	Serve   Serve   `toml:"serve"`
	// DA says where records are kept besides here, Watch whose batches are checked.
	DA    DA            `toml:"da"`
	Watch Watch         `toml:"watch"`
	Hosts []RelayedHost `toml:"hosts"`
	// EVM are the contracts that the chain's anchors are brought to.
	EVM []EVM `toml:"evm"`
}

// Submit says how transactions are paid.
type Submit struct {
	// GasPriceMilliUaleph is the price of one gas in thousandths of a ualeph.
	GasPriceMilliUaleph uint64 `toml:"gas_price_milli_ualeph"`
	// FeeGranter pays when it is not empty, bech32.
	FeeGranter string `toml:"fee_granter"`
}

// Collect bounds the reading of a host's log.
type Collect struct {
	// MaxFrames is the most frames of one answer, and of one transaction of the store.
	MaxFrames int `toml:"max_frames"`
	// Workers is how many records are checked at a time; 0 means one for each core.
	Workers int `toml:"workers"`
}

// Batch says when a batch is built and sent, in blocks of its submit window.
type Batch struct {
	// GraceBlocks is how long late countersignatures are waited for. Each host has the same number in chain_view.grace_blocks.
	GraceBlocks uint64 `toml:"grace_blocks"`
	// MarginBlocks is how long before the window's last block a batch is sent at the latest.
	MarginBlocks uint64 `toml:"margin_blocks"`
}

// Serve says where the relayer listens.
type Serve struct {
	// Listen is the public address of the DA files.
	Listen string `toml:"listen"`
	// PublicURL is what others reach it under.
	PublicURL string `toml:"public_url"`
	// StatusListen is the loopback address of /metrics, /healthz and /status.
	StatusListen string `toml:"status_listen"`
}

// RelayedHost is one host whose receipts are relayed.
type RelayedHost struct {
	// HostID is its id on the chain.
	HostID Hash `toml:"host_id"`
	// AdminURL is its admin interface, AdminTokenFile the file with the token for it.
	AdminURL       string `toml:"admin_url"`
	AdminTokenFile string `toml:"admin_token_file"`
	// KeyFile is the host's receipt key. It signs capacity statements and is not needed without them.
	KeyFile string `toml:"key_file"`
	// NVML declares the GPUs of this machine. GPUIndices narrows to some of them, where several hosts share a machine.
	NVML       bool     `toml:"nvml"`
	GPUIndices []uint32 `toml:"gpu_indices"`
	// Simulated declares the simulated GPUs of a machine such as "dgx-h100", and says on the chain that they are simulated.
	Simulated string `toml:"simulated"`
}

// Probes says whether the host's GPUs are to be declared.
func (h *RelayedHost) Probes() bool { return h.NVML || h.Simulated != "" }

// DefaultRelayer returns the configuration of a relayer beside its node.
func DefaultRelayer() Relayer {
	return Relayer{
		Node:     "grpc://127.0.0.1:9090",
		Interval: Duration(2 * time.Second),       // three looks in a block of 6 s
		Submit:   Submit{GasPriceMilliUaleph: 25}, // 0.025 ualeph, the usual minimum of nodes
		Collect:  Collect{MaxFrames: 2_000},       // about 1 MiB, 0.2 s of one core
		Batch: Batch{
			GraceBlocks:  DefaultGraceBlocks,
			MarginBlocks: 3, // one block to be seen, one to be sent again, one to spare
		},
		Serve: Serve{Listen: ":8090", StatusListen: "127.0.0.1:8091"},
		DA:    defaultDA(),
		Watch: defaultWatch(),
	}
}

// WatchOnly says whether the relayer serves no operator and only watches.
func (c *Relayer) WatchOnly() bool {
	return c.Watch.Enabled && len(c.Hosts) == 0 && c.Operator == "" && c.AccountKeyFile == ""
}

// Check reports the first fault.
//
// Errors: one sentinel per fault.
func (c *Relayer) Check() error {
	switch {
	case c.ChainID == "":
		return ErrNoChainID
	case c.Operator == "" && !c.WatchOnly():
		return ErrNoOperator
	case c.AccountKeyFile == "" && !c.WatchOnly():
		return ErrNoKey
	case c.DataDir == "":
		return ErrNoDataDir
	case c.Interval < Duration(50*time.Millisecond):
		return ErrBadInterval
	case c.Batch.MarginBlocks == 0:
		return ErrBadBatch
	case c.Batch.GraceBlocks == 0:
		return ErrNoGrace
	case c.Collect.MaxFrames < 1 || c.Collect.MaxFrames > 10_000 || c.Collect.Workers < 0:
		return ErrBadCollect
	}
	if err := c.checkSections(); err != nil || c.WatchOnly() {
		return err
	}
	return c.checkHosts()
}

func (c *Relayer) checkSections() error {
	if err := checkLoopback(c.Serve.StatusListen); err != nil {
		return err
	}
	if !c.WatchOnly() {
		if err := c.Serve.check(); err != nil {
			return err
		}
	}
	for _, check := range []func() error{func() error { return checkEVM(c.EVM) }, c.DA.check, c.Watch.check} {
		if err := check(); err != nil {
			return err
		}
	}
	return nil
}

func (s *Serve) check() error {
	if _, _, err := net.SplitHostPort(s.Listen); err != nil {
		return fmt.Errorf("%w: %q", ErrBadListen, s.Listen)
	}
	// 180 bytes leave room for /da/ and 64 digits in the 256 that the chain takes.
	if !isHTTP(s.PublicURL) || len(s.PublicURL) > 180 {
		return fmt.Errorf("%w: %q", ErrBadPublicURL, s.PublicURL)
	}
	return nil
}

func (c *Relayer) checkHosts() error {
	if len(c.Hosts) == 0 {
		return ErrNoHosts
	}
	seen := make(map[Hash]bool)
	for i := range c.Hosts {
		h := &c.Hosts[i]
		switch {
		case h.HostID == Hash{} || seen[h.HostID] || !isHTTP(h.AdminURL) || h.AdminTokenFile == "":
			return fmt.Errorf("%w: host %d", ErrBadHost, i)
		case h.NVML && h.Simulated != "":
			return fmt.Errorf("%w: host %d", ErrBadProbe, i)
		case h.Probes() && h.KeyFile == "":
			return fmt.Errorf("%w: host %d", ErrProbeKey, i)
		}
		seen[h.HostID] = true
	}
	return nil
}

func isHTTP(text string) bool {
	u, err := url.Parse(text)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != "" && u.RawQuery == "" && u.Fragment == "" && u.User == nil
}
