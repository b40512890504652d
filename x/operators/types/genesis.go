// SPDX-License-Identifier: Apache-2.0

package types

import (
	"bytes"
	"fmt"

	errorsmod "cosmossdk.io/errors"

	"github.com/gpucoord/gpucoord/domain/receipt"
	"github.com/gpucoord/gpucoord/domain/u128"
)

// DefaultGenesis returns a state with default parameters and nothing else.
func DefaultGenesis() *GenesisState { return &GenesisState{Params: DefaultParams()} }

// Validate checks every entry, and that nothing is listed twice, refers to what is not there, or is counted wrongly. Addresses
// are compared as text: whether they are of this chain, and host ids, are checked where the state is written.
//
// Errors: ErrInvalidParams, ErrInvalidGenesis.
func (gs *GenesisState) Validate() error {
	if err := gs.Params.Validate(); err != nil {
		return err
	}
	c := &genesisCheck{gs: gs, operators: make(map[string]*tally), hosts: make(map[string]*hostTally), due: make(map[string]bool)}
	steps := []func() error{
		c.readOperators, c.readHosts, c.readHostKeys, c.readGPUs, c.readUnbondings, c.readGrants, c.readConsents,
		c.readNodeLinks, c.readClock, c.readEvidence, c.readDeferred, c.readReports, c.readVerifiers, c.readAttestations, c.readProbers, c.readPanels,
		c.readDeadlines,
		c.checkTallies,
	}
	for _, step := range steps {
		if err := step(); err != nil {
			return errorsmod.Wrap(ErrInvalidGenesis, err.Error())
		}
	}
	return nil
}

// genesisCheck walks a genesis state and recounts what its entries count.
type genesisCheck struct {
	gs        *GenesisState
	operators map[string]*tally
	hosts     map[string]*hostTally
	due       map[string]bool // deadlines that the entries call for, by kind and id
}

type tally struct {
	hosts, unbondings uint32
	unbonding         uint64
	numbers           map[uint64]bool
}

type hostTally struct {
	host   *Host
	gpus   uint32
	hasKey bool
	proofs int // attestations
}

// unique fails at the second entry of the same key.
func unique(seen map[string]bool, what, key string) error {
	if seen[key] {
		return fmt.Errorf("%s %q is listed twice", what, key)
	}
	seen[key] = true
	return nil
}

func (c *genesisCheck) readOperators() error {
	for i := range c.gs.Operators {
		op := &c.gs.Operators[i]
		if op.Address == "" || op.Controller == "" || c.operators[op.Address] != nil {
			return fmt.Errorf("operator %q is listed twice, or address or controller is empty", op.Address)
		}
		c.operators[op.Address] = &tally{numbers: make(map[uint64]bool)}
		if err := (Description{Moniker: op.Moniker, Region: op.Region, Tier: op.Tier}).Validate(); err != nil {
			return fmt.Errorf("operator %q: %w", op.Address, err)
		}
		if op.Status != OperatorStatus_OPERATOR_STATUS_ACTIVE && op.Status != OperatorStatus_OPERATOR_STATUS_TOMBSTONED {
			return fmt.Errorf("operator %q has status %d", op.Address, op.Status)
		}
		if !op.validJail() {
			return fmt.Errorf("operator %q is jailed from height %d until %d with status %s: a jail begins at 1 or later and below its end, "+
				"and a tombstoned operator's has none", op.Address, op.JailedFrom, op.JailedUntil, op.Status)
		}
		if op.ReputationPpm > maxPPM {
			return fmt.Errorf("operator %q has a reputation above %d ppm", op.Address, maxPPM)
		}
		if _, ok := u128.Add(op.BondUltai, op.UnbondingUltai); !ok {
			return fmt.Errorf("bond and unbonding money of operator %q do not fit 64 bits", op.Address)
		}
	}
	return nil
}

func (c *genesisCheck) readHosts() error {
	for i := range c.gs.Hosts {
		h := &c.gs.Hosts[i]
		if err := checkID("host id", h.Id); err != nil {
			return err
		}
		op := c.operators[h.Operator]
		if op == nil || c.hosts[string(h.Id)] != nil || op.numbers[h.Number] {
			return fmt.Errorf("host %x is listed twice, or its operator %q is not listed", h.Id, h.Operator)
		}
		op.hosts++
		op.numbers[h.Number] = true
		c.hosts[string(h.Id)] = &hostTally{host: h}
		models := make([]HostModel, len(h.Models))
		for j, m := range h.Models {
			if m == nil {
				return fmt.Errorf("host %x: model %d is missing", h.Id, j)
			}
			models[j] = *m
		}
		offer := HostOffer{Endpoint: h.Endpoint, TLSSPKISHA256: h.TlsSpkiSha256, CRNHash: h.CrnHash, Models: models}
		if err := offer.Validate(); err != nil {
			return fmt.Errorf("host %x: %w", h.Id, err)
		}
	}
	return nil
}

func (c *genesisCheck) readHostKeys() error {
	seen := make(map[string]bool)
	for i := range c.gs.HostKeys {
		key := &c.gs.HostKeys[i]
		address, err := receipt.AddressOfCompressed(key.PublicKey)
		if err != nil || !bytes.Equal(address[:], key.Address) {
			return fmt.Errorf("host key %x is not the address of its public key", key.Address)
		}
		if err := unique(seen, "host key", fmt.Sprintf("%x", key.Address)); err != nil {
			return err
		}
		host := c.hosts[string(key.HostId)]
		if host == nil || host.host.Operator != key.Operator {
			return fmt.Errorf("host key %x: host %x is not listed, or is not of operator %q", key.Address, key.HostId, key.Operator)
		}
		host.hasKey = host.hasKey || bytes.Equal(host.host.ReceiptKey, key.Address)
	}
	return nil
}

func (c *genesisCheck) readGPUs() error {
	places, devices := make(map[string]bool), make(map[string]bool)
	for i := range c.gs.Gpus {
		g := &c.gs.Gpus[i]
		host := c.hosts[string(g.HostId)]
		if host == nil {
			return fmt.Errorf("gpu %d of host %x: the host is not listed", g.Index, g.HostId)
		}
		host.gpus++
		commitment := GPUCommitment{Index: g.Index, Class: g.Class, MemoryMib: g.MemoryMib, DeviceHash: g.DeviceHash}
		if err := ValidateCommitments([]GPUCommitment{commitment}); err != nil {
			return fmt.Errorf("gpu %d of host %x: %w", g.Index, g.HostId, err)
		}
		if g.Level != EvidenceLevel_EVIDENCE_LEVEL_DECLARED && g.Level != EvidenceLevel_EVIDENCE_LEVEL_NVML {
			return fmt.Errorf("gpu %d of host %x has level %d", g.Index, g.HostId, g.Level)
		}
		if err := unique(places, "gpu", fmt.Sprintf("%x/%d", g.HostId, g.Index)); err != nil {
			return err
		}
		if err := unique(devices, "device", fmt.Sprintf("%x", g.DeviceHash)); err != nil {
			return err
		}
	}
	return nil
}

func (c *genesisCheck) readUnbondings() error {
	seen := make(map[string]bool)
	for i := range c.gs.Unbondings {
		u := &c.gs.Unbondings[i]
		if err := unique(seen, "unbonding", fmt.Sprintf("%d", u.Id)); err != nil {
			return err
		}
		op := c.operators[u.Operator]
		if op == nil || u.AmountUltai == 0 || u.Id >= c.gs.NextUnbondingId {
			return fmt.Errorf("unbonding %d: operator %q is not listed, the amount is 0 or the id is not below %d",
				u.Id, u.Operator, c.gs.NextUnbondingId)
		}
		sum, ok := u128.Add(op.unbonding, u.AmountUltai)
		if !ok {
			return fmt.Errorf("unbondings of operator %q do not fit 64 bits", u.Operator)
		}
		op.unbonding = sum
		op.unbondings++
	}
	return nil
}

func (c *genesisCheck) readGrants() error {
	seen := make(map[string]bool)
	for i := range c.gs.RelayerGrants {
		g := &c.gs.RelayerGrants[i]
		if err := unique(seen, "relayer grant", g.Operator+"/"+g.Relayer); err != nil {
			return err
		}
		if c.operators[g.Operator] == nil || g.Relayer == "" || g.ExpiresHeight == 0 {
			return fmt.Errorf("relayer grant of %q: operator is not listed, relayer is empty or expiry is 0", g.Operator)
		}
	}
	return nil
}

func (c *genesisCheck) readNodeLinks() error {
	seen := make(map[string]bool)
	for i := range c.gs.NodeLinks {
		l := &c.gs.NodeLinks[i]
		if err := unique(seen, "node link", fmt.Sprintf("%s/%x", l.NodeHash, l.Owner)); err != nil {
			return err
		}
		if len(l.NodeHash) != nodeHashLength || !isLowerHex(l.NodeHash) || c.operators[l.Operator] == nil ||
			len(l.Owner) != AddressLength || l.Nonce == 0 {
			return fmt.Errorf("node link %q: node hash, operator, owner or nonce is wrong", l.NodeHash)
		}
	}
	return nil
}

func (c *genesisCheck) readConsents() error {
	seen := make(map[string]bool)
	for i := range c.gs.ControllerConsents {
		consent := &c.gs.ControllerConsents[i]
		if err := unique(seen, "controller consent", consent.Operator+"/"+consent.Controller); err != nil {
			return err
		}
		if consent.Operator == "" || consent.Controller == "" || consent.Operator == consent.Controller {
			return fmt.Errorf("controller consent %d: operator or controller is empty, or both are the same", i)
		}
	}
	return nil
}

// readClock checks the ring of block hashes and the epoch starts.
func (c *genesisCheck) readClock() error {
	if len(c.gs.BlockHashes) > BlockHashRing || len(c.gs.EpochStarts) > EpochStartsKept {
		return fmt.Errorf("%d block hashes and %d epoch starts, at most %d and %d",
			len(c.gs.BlockHashes), len(c.gs.EpochStarts), BlockHashRing, EpochStartsKept)
	}
	seen := make(map[string]bool)
	for i := range c.gs.BlockHashes {
		b := &c.gs.BlockHashes[i]
		if err := unique(seen, "block hash", fmt.Sprintf("%d", b.Height)); err != nil {
			return err
		}
		if len(b.Hash) != HashLength {
			return fmt.Errorf("block hash %d has %d bytes", b.Height, len(b.Hash))
		}
	}
	seen = make(map[string]bool)
	for i := range c.gs.EpochStarts {
		s := &c.gs.EpochStarts[i]
		if err := unique(seen, "epoch start", fmt.Sprintf("%d", s.Epoch)); err != nil {
			return err
		}
		if s.Time == 0 || s.BondPriceUusdc < minBondPrice || s.BondPriceUusdc > maxPrice {
			return fmt.Errorf("epoch start %d: time or bond price is out of bounds", s.Epoch)
		}
	}
	return nil
}

// checkTallies compares what operators and hosts say about their entries with the recount.
func (c *genesisCheck) checkTallies() error {
	for i := range c.gs.Operators {
		op := &c.gs.Operators[i]
		t := c.operators[op.Address]
		if op.Hosts != t.hosts || op.Unbondings != t.unbondings || op.UnbondingUltai != t.unbonding {
			return fmt.Errorf("operator %q counts %d hosts, %d unbondings of %d ultai; listed are %d, %d of %d",
				op.Address, op.Hosts, op.Unbondings, op.UnbondingUltai, t.hosts, t.unbondings, t.unbonding)
		}
		if t.hosts > maxHostsLimit || t.unbondings > maxUnbondingsLimit {
			return fmt.Errorf("operator %q has %d hosts and %d unbondings, at most %d and %d on any chain",
				op.Address, t.hosts, t.unbondings, maxHostsLimit, maxUnbondingsLimit)
		}
		for number := range uint64(op.Hosts) {
			if !t.numbers[number] {
				return fmt.Errorf("operator %q has no host %d", op.Address, number)
			}
		}
	}
	for i := range c.gs.Hosts {
		h := &c.gs.Hosts[i]
		if t := c.hosts[string(h.Id)]; h.Gpus != t.gpus || t.gpus > gpuCountCeiling || !t.hasKey {
			return fmt.Errorf("host %x counts %d gpus, listed are %d, at most %d; or its receipt key is not listed",
				h.Id, h.Gpus, t.gpus, gpuCountCeiling)
		}
	}
	return nil
}
