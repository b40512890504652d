// SPDX-License-Identifier: Apache-2.0

package types

import (
	errorsmod "cosmossdk.io/errors"

	"github.com/gpucoord/gpucoord/domain/u128"
)

// DefaultGenesis returns an empty state with the default parameters.
func DefaultGenesis() *GenesisState {
	return &GenesisState{Params: DefaultParams(), NextBatchId: 1, NextThawId: 1, NextDemandId: 1}
}

// Validate checks every entry by itself, and that no key occurs twice, no reference dangles and no sum disagrees with its parts.
// Addresses are only compared; InitGenesis reads them.
//
// Errors: ErrInvalidParams, ErrInvalidGenesis, and what ValidateShape returns.
func (g *GenesisState) Validate() error {
	if err := g.Params.Validate(); err != nil {
		return err
	}
	c := &genesisCheck{
		g:        g,
		settlers: map[string]*Settler{}, gateways: map[string]*Gateway{}, epochs: map[uint64]*EpochState{},
		bonds: map[string]*Thaw{}, demands: map[uint64]uint32{}, locked: map[string]uint64{}, claims: map[string]*OpenClaims{}, open: map[uint64]uint64{}, seen: map[string]struct{}{},
	}
	for _, check := range [...]func() error{
		c.checkGateways, c.checkSettlers, c.checkThaws, c.checkKeys, c.checkEpochs, c.checkDemands, c.checkBatches, c.checkLocks, c.checkOpen,
		c.checkLedger, c.checkEvidence,
	} {
		if err := check(); err != nil {
			return err
		}
	}
	return nil
}

// genesisCheck indexes a state while it is checked. Its maps are looked up in, never walked.
type genesisCheck struct {
	g        *GenesisState
	settlers map[string]*Settler
	gateways map[string]*Gateway
	epochs   map[uint64]*EpochState
	bonds    map[string]*Thaw       // gateway -> the entry over its bond
	demands  map[uint64]uint32      // batch -> open demands
	locked   map[string]uint64      // settler | operator -> sum over open batches
	claims   map[string]*OpenClaims // operator -> sums over open batches
	open     map[uint64]uint64      // epoch -> open batches
	seen     map[string]struct{}    // all keys so far, each list with its own prefix
}

// fault returns ErrInvalidGenesis with what is wrong.
func fault(format string, args ...any) error {
	return errorsmod.Wrapf(ErrInvalidGenesis, format, args...)
}

// once fails the second time that a key of a list is seen.
func (c *genesisCheck) once(list, key string) error {
	key = list + "\x00" + key
	if _, found := c.seen[key]; found {
		return fault("%s: %q occurs twice", list, key)
	}
	c.seen[key] = struct{}{}
	return nil
}

// addAt adds to a sum of a map.
func addAt[K comparable](sums map[K]uint64, key K, amount uint64) error {
	sum, ok := u128.Add(sums[key], amount)
	if !ok {
		return fault("a sum does not fit 64 bits")
	}
	sums[key] = sum
	return nil
}

// join makes a key of addresses, which hold no zero byte.
func join(a, b string) string { return a + "\x00" + b }

func (c *genesisCheck) checkGateways() error {
	for i := range c.g.Gateways {
		g := &c.g.Gateways[i]
		if g.Address == "" || g.Controller == "" {
			return fault("gateway %d has no address or controller", i)
		}
		if err := c.once("gateways", g.Address); err != nil {
			return err
		}
		if err := validateText("moniker", g.Moniker, 1, MaxMonikerBytes); err != nil {
			return err
		}
		c.gateways[g.Address] = g
	}
	for i, consent := range c.g.GatewayConsents {
		if err := c.once("gateway consents", join(consent.Gateway, consent.Controller)); err != nil {
			return err
		}
		if consent.Gateway == "" || consent.Controller == "" || consent.Gateway == consent.Controller {
			return fault("gateway consent %d: gateway or controller is empty, or both are the same", i)
		}
	}
	return nil
}

func (c *genesisCheck) checkSettlers() error {
	for i := range c.g.Settlers {
		s := &c.g.Settlers[i]
		if s.Address == "" || s.Controller == "" {
			return fault("settler %d has no address or controller", i)
		}
		if err := c.once("settlers", s.Address); err != nil {
			return err
		}
		if err := validateClass(s.Class, s.Gateway != "", s.PaysOperators); err != nil {
			return err
		}
		gateway, found := c.gateways[s.Gateway]
		switch {
		case s.Gateway != "" && !found:
			return fault("settler %s is of the unknown gateway %s", s.Address, s.Gateway)
		case found && gateway.Controller != s.Controller:
			return fault("settler %s has another controller than its gateway", s.Address)
		case s.Accredited:
			return fault("settler %s is accredited: only gateways are", s.Address)
		}
		if _, ok := u128.Sum([]uint64{s.AvailableUusdc, s.LockedUusdc, s.ThawingUusdc}); !ok {
			return fault("escrow of %s does not fit 64 bits", s.Address)
		}
		c.settlers[s.Address] = s
	}
	for i, l := range c.g.Limits {
		if err := c.once("limits", join(l.Settler, l.Operator)); err != nil {
			return err
		}
		if _, found := c.settlers[l.Settler]; !found || l.Operator == "" {
			return fault("limit %d is of an unknown settler or for no operator", i)
		}
	}
	return nil
}

// checkThaws checks the thaw queue against what its settlers say.
func (c *genesisCheck) checkThaws() error {
	amounts, counts := map[string]uint64{}, map[string]uint32{}
	for i := range c.g.Thaws {
		t := &c.g.Thaws[i]
		_, settler := c.settlers[t.Settler]
		_, gateway := c.gateways[t.Gateway]
		if settler == gateway || settler != (t.Settler != "") || gateway != (t.Gateway != "") {
			return fault("thaw %d is of settler %q and gateway %q: it needs one that is known", t.Id, t.Settler, t.Gateway)
		}
		if t.AmountUusdc == 0 || t.MatureHeight == 0 || t.Id >= c.g.NextThawId || i > 0 && t.Id <= c.g.Thaws[i-1].Id {
			return fault("thaw %d is empty, out of order or not below next_thaw_id %d", t.Id, c.g.NextThawId)
		}
		if gateway {
			if _, second := c.bonds[t.Gateway]; second {
				return fault("thaw %d is a second one of gateway %s", t.Id, t.Gateway)
			}
			c.bonds[t.Gateway] = t
			continue
		}
		counts[t.Settler]++
		if err := addAt(amounts, t.Settler, t.AmountUusdc); err != nil {
			return err
		}
	}
	for i := range c.g.Settlers {
		s := &c.g.Settlers[i]
		if s.ThawingUusdc != amounts[s.Address] || s.Thaws != counts[s.Address] || s.Thaws > MaxThaws {
			return fault("settler %s thaws %d in %d entries, the queue has %d in %d",
				s.Address, s.ThawingUusdc, s.Thaws, amounts[s.Address], counts[s.Address])
		}
	}
	for i := range c.g.Gateways {
		g, thaw := &c.g.Gateways[i], &Thaw{}
		if queued, found := c.bonds[c.g.Gateways[i].Address]; found {
			thaw = queued
		}
		if g.UnbondingUusdc != thaw.AmountUusdc || g.UnbondingThaw != thaw.Id {
			return fault("gateway %s unbonds %d in entry %d, the queue has %d in %d",
				g.Address, g.UnbondingUusdc, g.UnbondingThaw, thaw.AmountUusdc, thaw.Id)
		}
	}
	return nil
}

func (c *genesisCheck) checkKeys() error {
	live, given := map[string]uint32{}, map[string]uint64{}
	for i := range c.g.GatewayKeys {
		key := &c.g.GatewayKeys[i]
		if err := validateLength("address", key.Address, AddressLength); err != nil {
			return err
		}
		if err := validateLength("public_key", key.PublicKey, publicKeyLength); err != nil {
			return err
		}
		if err := c.once("gateway keys", string(key.Address)); err != nil {
			return err
		}
		settler, found := c.settlers[key.Settler]
		if _, known := c.gateways[key.Gateway]; !known || !found || settler.Gateway != key.Gateway {
			return fault("gateway key %x is of an unknown gateway, or its settler is not the gateway's", key.Address)
		}
		given[key.Settler]++
		if key.ValidUntil == 0 {
			live[key.Gateway]++
		}
	}
	for i := range c.g.Gateways {
		if g := &c.g.Gateways[i]; g.Keys != live[g.Address] {
			return fault("gateway %s counts %d live keys, has %d", g.Address, g.Keys, live[g.Address])
		}
	}
	for i := range c.g.Settlers {
		if s := &c.g.Settlers[i]; s.Keys != given[s.Address] {
			return fault("settler %s counts %d keys, has %d", s.Address, s.Keys, given[s.Address])
		}
	}
	return nil
}
