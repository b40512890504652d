// SPDX-License-Identifier: Apache-2.0

// Package report says how anchoring to the EVM chains stands: for /status, for /metrics and for the alerts that read it.
//
// Endpoints are named by their position in the configuration, never by address: an address can hold an access key.
package report

import (
	"maps"
	"slices"
	"sync"
	"time"
)

// Alert is a condition that a person must look at.
type Alert string

// The alerts. An alert stands as long as its condition does.
const (
	// AlertNoEndpoint says that no endpoint can be used: none answers, or none serves the chain and contract configured.
	AlertNoEndpoint Alert = "no_endpoint"
	// AlertRefused says that an endpoint serves another chain, another contract or another origin.
	AlertRefused Alert = "endpoint_refused"
	// AlertNode says that the gpucoord node does not say what to anchor.
	AlertNode Alert = "node"
	// AlertFrozen says that the contract is frozen: it takes no anchor and proves nothing.
	AlertFrozen Alert = "frozen"
	// AlertStale says that the contract takes no anchor until its guardian recovers it.
	AlertStale Alert = "stale"
	// AlertDeadline says that less than half of the trusting period is left.
	AlertDeadline Alert = "deadline"
	// AlertConflict says that the contract holds an anchor which is not the chain's.
	AlertConflict Alert = "conflict"
	// AlertOtherSet says that the contract waits for signatures of a set that the chain has no anchor of.
	AlertOtherSet Alert = "other_set"
	// AlertInvalid says that the node offered an anchor that does not verify.
	AlertInvalid Alert = "invalid_anchor"
	// AlertReverted says that the contract refuses the anchor.
	AlertReverted Alert = "reverted"
	// AlertPurse says that the account cannot pay for the next anchor, AlertLow that it cannot pay for 50.
	AlertPurse Alert = "purse_empty"
	AlertLow   Alert = "purse_low"
	// AlertSigner says that the key does not sign.
	AlertSigner Alert = "signer"
	// AlertCeiling says that fees are above the ceiling and the anchor waits.
	AlertCeiling Alert = "fee_ceiling"
	// AlertReorgs says that re-orgs took anchors away more often than is sent again without a person.
	AlertReorgs Alert = "reorgs"
)

// Mark is how far a log is anchored.
type Mark struct {
	Nonce    uint64 `json:"nonce"`
	Height   uint64 `json:"height"`
	TreeSize uint64 `json:"tree_size"`
	// Time is in Unix seconds.
	Time uint64 `json:"time"`
}

// Chain is how one EVM chain stands. Amounts of wei are decimal, since they can pass 64 bits.
type Chain struct {
	Name      string `json:"name"`
	ChainID   uint64 `json:"chain_id"`
	Contract  string `json:"contract"`
	WatchOnly bool   `json:"watch_only"`
	// Account pays and is empty without a key.
	Account string `json:"account,omitempty"`
	// Updated is when the contract was read last, zero if never.
	Updated time.Time `json:"updated"`

	Latest    Mark `json:"latest"`
	Finalized Mark `json:"finalized"`
	// Attested is the newest anchor that the gpucoord chain has attested.
	Attested Mark `json:"attested"`
	Frozen   bool `json:"frozen"`
	// ValsetAge and TrustingLeft are in seconds of the EVM chain's clock; TrustingLeft is negative when the contract is stale.
	ValsetAge    int64 `json:"valset_age_seconds"`
	TrustingLeft int64 `json:"trusting_period_remaining_seconds"`

	BalanceWei string `json:"balance_wei,omitempty"`
	// Runway is how many anchors the balance pays for at the last price, -1 before the first.
	Runway int64 `json:"runway_anchors"`
	// PendingTx is the transaction in flight.
	PendingTx string `json:"pending_tx,omitempty"`
	LastTx    string `json:"last_tx,omitempty"`

	Sent     uint64            `json:"tx_sent"`
	Bumped   uint64            `json:"tx_bumped"`
	Landed   uint64            `json:"tx_landed"`
	Reverted map[string]uint64 `json:"tx_reverted"`
	Reorgs   uint64            `json:"reorgs"`
	// GasUsed and GasPriceWei are the last landed transaction's; GasTotal is the sum over all since the start.
	GasUsed     uint64 `json:"gas_used"`
	GasTotal    uint64 `json:"gas_total"`
	GasPriceWei string `json:"effective_gas_price_wei,omitempty"`

	// FreezeCalldata is what to send to the contract where a conflict was found and there is no key to send it with.
	FreezeCalldata string `json:"freeze_calldata,omitempty"`

	// Endpoints has one entry for each RPC, in the configuration's order.
	Endpoints []Endpoint       `json:"endpoints"`
	Alerts    map[Alert]string `json:"alerts"`
}

// Endpoint is how one RPC stands.
type Endpoint struct {
	Usable bool   `json:"usable"`
	Block  uint64 `json:"block"`
	Errors uint64 `json:"errors"`
	// Fault is why it is not used.
	Fault string `json:"fault,omitempty"`
}

// LagSeconds is how much older the contract's newest anchor is than the chain's.
func (c *Chain) LagSeconds() uint64 { return above(c.Attested.Time, c.Latest.Time) }

// LagLeaves is how many leaves the chain has anchored and the contract has not.
func (c *Chain) LagLeaves() uint64 { return above(c.Attested.TreeSize, c.Latest.TreeSize) }

func above(a, b uint64) uint64 {
	if a < b {
		return 0
	}
	return a - b
}

// Board holds one chain's report. Its one writer is the chain's loop; anyone may read.
type Board struct {
	mu    sync.Mutex
	chain Chain
}

// NewBoard returns the report of a chain that nothing is known of yet.
func NewBoard(name string, chainID uint64, contract string, watchOnly bool) *Board {
	return &Board{chain: Chain{
		Name: name, ChainID: chainID, Contract: contract, WatchOnly: watchOnly, Runway: -1,
		Reverted: make(map[string]uint64), Alerts: make(map[Alert]string),
	}}
}

// Update changes the report under its lock.
func (b *Board) Update(change func(c *Chain)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	change(&b.chain)
}

// Alerts states which alerts stand after a pass, and returns those that are new and those that are gone. After a pass that was cut
// off, older ones stay: nobody looked.
func (b *Board) Alerts(raised map[Alert]string, complete bool) (fresh, gone []Alert) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, a := range slices.Sorted(maps.Keys(raised)) {
		if _, stood := b.chain.Alerts[a]; !stood {
			fresh = append(fresh, a)
		}
		b.chain.Alerts[a] = raised[a]
	}
	for _, a := range slices.Sorted(maps.Keys(b.chain.Alerts)) {
		if _, still := raised[a]; complete && !still {
			delete(b.chain.Alerts, a)
			gone = append(gone, a)
		}
	}
	return fresh, gone
}

// Read returns a copy.
func (b *Board) Read() Chain {
	b.mu.Lock()
	defer b.mu.Unlock()
	c := b.chain
	c.Reverted, c.Alerts, c.Endpoints = maps.Clone(c.Reverted), maps.Clone(c.Alerts), slices.Clone(c.Endpoints)
	return c
}

// Problems says in words what stands, for /healthz.
func (c *Chain) Problems() []string {
	var out []string
	for _, a := range slices.Sorted(maps.Keys(c.Alerts)) {
		out = append(out, "evm "+c.Name+": "+string(a)+": "+c.Alerts[a])
	}
	return out
}
