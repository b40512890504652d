// SPDX-License-Identifier: Apache-2.0

package config

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/gpucoord/gpucoord/host"
)

// Host is the file of a host: what host.Config holds, and how to reach the chain.
type Host struct {
	// ChainID is the CometBFT chain-id, Node a node's grpc://host:port or grpcs://host:port.
	ChainID string `toml:"chain_id"`
	Node    string `toml:"node"`
	// HostID is the registered host, Operator its operator's account, bech32.
	HostID   Hash   `toml:"host_id"`
	Operator string `toml:"operator"`
	// KeyFile holds the host's receipt key.
	KeyFile string `toml:"key_file"`
	// Simulated says that the engine or its GPUs are stand-ins.
	Simulated bool `toml:"simulated"`

	DataDir        string `toml:"data_dir"`
	Listen         string `toml:"listen"`
	AdminListen    string `toml:"admin_listen"`
	AdminTokenFile string `toml:"admin_token_file"`
	TLSCertFile    string `toml:"tls_cert_file"`
	TLSKeyFile     string `toml:"tls_key_file"`

	EngineURL       string      `toml:"engine_url"`
	EngineKeyFile   string      `toml:"engine_key_file"`
	ContinuousUsage bool        `toml:"continuous_usage"`
	Models          []HostModel `toml:"models"`

	DirectPayers   []Address `toml:"direct_payers"`
	AnyDirectPayer bool      `toml:"any_direct_payer"`

	Limits   hostLimits   `toml:"limits"`
	Timeouts hostTimeouts `toml:"timeouts"`
	View     HostView     `toml:"chain_view"`
}

// HostModel is one model that the host serves.
type HostModel struct {
	Name       string `toml:"name"`
	EngineName string `toml:"engine_name"`
	ID         Hash   `toml:"id"`
	// PriceInUusdc and PriceOutUusdc are the prices of 10^6 prompt and output tokens.
	PriceInUusdc  uint64        `toml:"price_in_uusdc"`
	PriceOutUusdc uint64        `toml:"price_out_uusdc"`
	Adapters      []HostAdapter `toml:"adapters"`
}

// HostAdapter is one adapter on a model.
type HostAdapter struct {
	Name       string `toml:"name"`
	EngineName string `toml:"engine_name"`
	ID         Hash   `toml:"id"`
}

// Errors of a host's view of the chain.
var (
	ErrBadView = errors.New("chain_view.bound must be longer than chain_view.fresh, and fresh positive")
	// ErrBoundPastGrace says that the relayer could build an epoch's batch while the host still counts jobs to that epoch.
	ErrBoundPastGrace = errors.New("chain_view.bound must be below chain_view.grace_blocks blocks of the chain, and grace_blocks must be " +
		"the relayer's batch.grace_blocks: a host that loses its node at an epoch's end must stop before the epoch's batch is built; " +
		"lower the bound or raise both graces")
)

// HostView says how old the host's view of the chain may be.
type HostView struct {
	// Fresh is the age from which an answer is asked for again, Bound the age from which it is no answer any more. 0 derives them from
	// the chain's block time: a sixth of a block, and five sixths of the grace; of blocks of 6 s these are 1 s and 10 s.
	Fresh Duration `toml:"fresh"`
	Bound Duration `toml:"bound"`
	// GraceBlocks is the batch.grace_blocks of the relayer that submits this host's receipts.
	GraceBlocks uint64 `toml:"grace_blocks"`
}

// maxGrace keeps the grace's length in time within bounds; a submit window is shorter.
const maxGrace = 24 * time.Hour

// Resolve returns the view with its ages, on a chain with so long blocks. A job must not be counted to an epoch whose batch may be built.
//
// Errors: ErrBadView, ErrBoundPastGrace.
func (v HostView) Resolve(blockTime time.Duration) (HostView, error) {
	if blockTime <= 0 || v.GraceBlocks == 0 || v.GraceBlocks > uint64(maxGrace/blockTime) {
		return v, fmt.Errorf("%w: grace of %d blocks of %s", ErrBoundPastGrace, v.GraceBlocks, blockTime)
	}
	grace := time.Duration(v.GraceBlocks) * blockTime //nolint:gosec // at most maxGrace
	if v.Fresh == 0 {
		v.Fresh = Duration(blockTime / 6)
	}
	if v.Bound == 0 {
		v.Bound = Duration(grace * 5 / 6)
	}
	switch {
	case v.Fresh <= 0 || v.Bound <= v.Fresh:
		return v, fmt.Errorf("%w: fresh %s, bound %s", ErrBadView, v.Fresh.Std(), v.Bound.Std())
	case v.Bound.Std() >= grace:
		return v, fmt.Errorf("%w: bound %s, grace %s", ErrBoundPastGrace, v.Bound.Std(), grace)
	}
	return v, nil
}

// hostLimits has the fields of host.Limits, which converts from it.
type hostLimits struct {
	MaxBodyBytes       int    `toml:"max_body_bytes"`
	MaxAnswerBytes     int    `toml:"max_answer_bytes"`
	MaxEventBytes      int    `toml:"max_event_bytes"`
	MaxHeaderBytes     int    `toml:"max_header_bytes"`
	MaxConcurrent      int    `toml:"max_concurrent"`
	RatePerSecond      int    `toml:"rate_per_second"`
	RateBurst          int    `toml:"rate_burst"`
	MaxUncountersigned int    `toml:"max_uncountersigned"`
	IndexEpochs        uint64 `toml:"index_epochs"`
	KeepEpochs         uint64 `toml:"keep_epochs"`
}

type hostTimeouts struct {
	Header       Duration `toml:"header"`
	Body         Duration `toml:"body"`
	Idle         Duration `toml:"idle"`
	Write        Duration `toml:"write"`
	EngineDial   Duration `toml:"engine_dial"`
	EngineHeader Duration `toml:"engine_header"`
	EngineIdle   Duration `toml:"engine_idle"`
	Job          Duration `toml:"job"`
	Chain        Duration `toml:"chain"`
	Drain        Duration `toml:"drain"`
}

// DefaultHost returns the file that says nothing: the numbers are host.Default's.
func DefaultHost() Host {
	d := host.Default()
	t := &d.Timeouts
	return Host{
		Node: "grpc://127.0.0.1:9090", ContinuousUsage: d.ContinuousUsage, Listen: d.Listen, AdminListen: d.AdminListen,
		Limits: hostLimits(d.Limits),
		Timeouts: hostTimeouts{
			Header: Duration(t.Header), Body: Duration(t.Body), Idle: Duration(t.Idle), Write: Duration(t.Write),
			EngineDial: Duration(t.EngineDial), EngineHeader: Duration(t.EngineHeader), EngineIdle: Duration(t.EngineIdle),
			Job: Duration(t.Job), Chain: Duration(t.Chain), Drain: Duration(t.Drain),
		},
		View: HostView{GraceBlocks: DefaultGraceBlocks},
	}
}

// Config returns the host's own configuration. The EIP-155 id of the receipts' domain is the chain's to say.
//
// Errors: the file system's, for the engine's key.
func (f *Host) Config(evmChainID uint64, version string) (host.Config, error) {
	c := host.Config{
		ChainID: f.ChainID, EVMChainID: evmChainID, HostID: f.HostID, Operator: f.Operator, Simulated: f.Simulated, Version: version,
		EngineURL: f.EngineURL, ContinuousUsage: f.ContinuousUsage, DataDir: f.DataDir, Listen: f.Listen, AdminListen: f.AdminListen,
		TLSCertFile: f.TLSCertFile, TLSKeyFile: f.TLSKeyFile, AdminTokenFile: f.AdminTokenFile, AnyDirectPayer: f.AnyDirectPayer,
		Limits: host.Limits(f.Limits), Timeouts: f.Timeouts.std(),
	}
	for _, p := range f.DirectPayers {
		c.DirectPayers = append(c.DirectPayers, p)
	}
	for _, m := range f.Models {
		c.Models = append(c.Models, m.std())
	}
	if f.EngineKeyFile == "" {
		return c, nil
	}
	key, err := os.ReadFile(f.EngineKeyFile)
	if err != nil {
		return host.Config{}, fmt.Errorf("engine key: %w", err)
	}
	c.EngineKey = strings.TrimSpace(string(key))
	return c, nil
}

func (m *HostModel) std() host.Model {
	out := host.Model{
		Name: m.Name, EngineName: m.EngineName, ID: m.ID, PriceInUusdc: m.PriceInUusdc, PriceOutUusdc: m.PriceOutUusdc,
	}
	for _, a := range m.Adapters {
		out.Adapters = append(out.Adapters, host.Adapter{Name: a.Name, EngineName: a.EngineName, ID: a.ID})
	}
	return out
}

func (t *hostTimeouts) std() host.Timeouts {
	return host.Timeouts{
		Header: t.Header.Std(), Body: t.Body.Std(), Idle: t.Idle.Std(), Write: t.Write.Std(), EngineDial: t.EngineDial.Std(),
		EngineHeader: t.EngineHeader.Std(), EngineIdle: t.EngineIdle.Std(), Job: t.Job.Std(), Chain: t.Chain.Std(), Drain: t.Drain.Std(),
	}
}
