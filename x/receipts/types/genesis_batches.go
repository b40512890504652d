// SPDX-License-Identifier: Apache-2.0

package types

import (
	"fmt"

	errorsmod "cosmossdk.io/errors"

	"github.com/gpucoord/gpucoord/domain/u128"
)

func (c *genesisCheck) checkEpochs() error {
	for i := range c.g.Epochs {
		e := &c.g.Epochs[i]
		if e.Epoch < c.g.PrunedEpoch || i > 0 && e.Epoch <= c.g.Epochs[i-1].Epoch {
			return fault("epoch %d is out of order or before pruned_epoch %d", e.Epoch, c.g.PrunedEpoch)
		}
		if err := e.Params.Validate(); err != nil {
			return errorsmod.Wrapf(err, "epoch %d", e.Epoch)
		}
		if len(e.Seed) != 0 && len(e.Seed) != HashLength {
			return fault("the seed of epoch %d has %d bytes", e.Epoch, len(e.Seed))
		}
		c.epochs[e.Epoch] = e
	}
	return nil
}

// inEpoch fails for an entry of an epoch that is not there.
func (c *genesisCheck) inEpoch(list string, epoch uint64) error {
	if _, found := c.epochs[epoch]; !found {
		return fault("%s: one is of the unknown epoch %d", list, epoch)
	}
	return nil
}

func (c *genesisCheck) checkBatches() error {
	if c.g.NextBatchId == 0 || c.g.NextThawId == 0 || c.g.NextDemandId == 0 {
		return fault("next_batch_id, next_thaw_id and next_demand_id are at least 1")
	}
	for i := range c.g.Batches {
		b := &c.g.Batches[i]
		if b.Id == 0 || b.Id >= c.g.NextBatchId || i > 0 && b.Id <= c.g.Batches[i-1].Id {
			return fault("batch %d is out of order or not below next_batch_id %d", b.Id, c.g.NextBatchId)
		}
		if err := c.checkBatch(b); err != nil {
			return errorsmod.Wrapf(err, "batch %d", b.Id)
		}
	}
	return nil
}

// checkBatch checks a batch and adds it to the sums of its operator and epoch.
func (c *genesisCheck) checkBatch(b *Batch) error {
	if err := c.inEpoch("batches", b.Epoch); err != nil {
		return err
	}
	if _, err := b.DomainGroups(); err != nil {
		return err
	}
	if err := validateLength("root", b.Root, HashLength); err != nil {
		return err
	}
	done := b.Status == BatchStatus_BATCH_STATUS_FINALISED || b.Status == BatchStatus_BATCH_STATUS_VOID
	switch {
	case b.Operator == "" || len(b.Groups) == 0 || len(b.States) != len(b.Groups):
		return fault("it has no operator or groups, or not a state for each group")
	case b.Samples == 0 || b.Samples > MaxSamples || b.Opened>>b.Samples != 0:
		return fault("%d samples, opened %b", b.Samples, b.Opened)
	case !done && !b.Open():
		return fault("status %d", b.Status)
	case b.AllOpened() && b.Status == BatchStatus_BATCH_STATUS_SUBMITTED,
		!b.AllOpened() && (b.Status == BatchStatus_BATCH_STATUS_SAMPLED || b.Status == BatchStatus_BATCH_STATUS_FINALISED):
		return fault("it is %s with samples %b of %d opened", b.Status, b.Opened, b.Samples)
	case b.OpenDemands != c.demands[b.Id] || b.OpenDemands > MaxDemands || b.OpenDemands > 0 && (done || !b.Extended):
		return fault("it counts %d demands and has %d, status %s, extended %t", b.OpenDemands, c.demands[b.Id], b.Status, b.Extended)
	case done == (b.DueHeight > 0):
		return fault("it is %s and due at height %d", b.Status, b.DueHeight)
	}
	if err := b.checkOpenedLeaves(); err != nil {
		return err
	}
	if b.Open() {
		if err := c.addOpen(b); err != nil {
			return err
		}
	}
	return c.checkStates(b)
}

// checkOpenedLeaves checks that a batch which awaits samples has a leaf for each one opened, and another batch none, and that no two
// contradict each other: such a batch would be void.
func (b *Batch) checkOpenedLeaves() error {
	seen := uint32(0)
	for i := range b.OpenedLeaves {
		l := &b.OpenedLeaves[i]
		if l.Draw >= b.Samples || seen&(1<<l.Draw) != 0 || uint64(l.Group) >= uint64(len(b.Groups)) || l.Index >= b.Groups[l.Group].Count {
			return fault("opened leaf %d: draw %d is out of range or there twice, or group %d has no leaf %d", i, l.Draw, l.Group, l.Index)
		}
		if err := validateLength("job_id", l.JobId, HashLength); err != nil {
			return err
		}
		for j := range i {
			if reason := b.OpenedLeaves[j].Contradiction(l); reason != "" {
				return fault("opened leaves %d and %d: %s", j, i, reason)
			}
		}
		seen |= 1 << l.Draw
	}
	if b.AwaitsSamples() && seen != b.Opened || !b.AwaitsSamples() && seen != 0 {
		return fault("status %s, opened samples %b, opened leaves of %b", b.Status, b.Opened, seen)
	}
	return nil
}

// checkDemands counts the demands of each batch; checkBatch compares.
func (c *genesisCheck) checkDemands() error {
	known := map[uint64]*Batch{}
	for i := range c.g.Batches {
		known[c.g.Batches[i].Id] = &c.g.Batches[i]
	}
	for i := range c.g.Demands {
		d := &c.g.Demands[i]
		if d.Id == 0 || d.Id >= c.g.NextDemandId || i > 0 && d.Id <= c.g.Demands[i-1].Id {
			return fault("demand %d is out of order or not below next_demand_id %d", d.Id, c.g.NextDemandId)
		}
		b, found := known[d.BatchId]
		if !found || uint64(d.Group) >= uint64(len(b.Groups)) || d.Index >= b.Groups[d.Group].Count {
			return fault("demand %d is for leaf %d of group %d of batch %d, which is not there", d.Id, d.Index, d.Group, d.BatchId)
		}
		if d.DueHeight == 0 || d.Reporter == "" || d.ReportId == 0 || d.Failures > MaxFailures {
			return fault("demand %d has no deadline, reporter or report, or too many failures", d.Id)
		}
		if err := c.once("demands", fmt.Sprintf("%d/%s", d.BatchId, d.Reporter)); err != nil {
			return err
		}
		c.demands[d.BatchId]++
	}
	return nil
}

// checkEvidence checks the faults that cannot be shown again.
func (c *genesisCheck) checkEvidence() error {
	for i := range c.g.UsedEvidence {
		e := &c.g.UsedEvidence[i]
		if err := validateLength("id", e.Id, HashLength); err != nil {
			return err
		}
		if err := c.once("used evidence", string(e.Id)); err != nil {
			return err
		}
		if err := c.inEpoch("used evidence", e.Epoch); err != nil {
			return err
		}
	}
	return c.checkFailures()
}

// checkFailures checks the reports of gateways.
func (c *genesisCheck) checkFailures() error {
	for i := range c.g.Failures {
		f := &c.g.Failures[i]
		if err := f.Row.validate(); err != nil {
			return err
		}
		if err := c.inEpoch("failures", f.Epoch); err != nil {
			return err
		}
		if err := c.once("failures", fmt.Sprintf("%d/%s/%s", f.Epoch, f.Row.Operator, f.Row.Settler)); err != nil {
			return err
		}
		if s, found := c.settlers[f.Row.Settler]; !found || f.Gateway == "" || s.Gateway != f.Gateway {
			return fault("failures of %s in epoch %d are of no settler of the gateway %q", f.Row.Operator, f.Epoch, f.Gateway)
		}
	}
	for _, r := range c.g.FailureReports {
		if err := c.inEpoch("failure reports", r.Epoch); err != nil {
			return err
		}
		if err := c.once("failure reports", fmt.Sprintf("%d/%s", r.Epoch, r.Gateway)); err != nil {
			return err
		}
	}
	for _, r := range c.g.Routes {
		if err := c.inEpoch("routes", r.Epoch); err != nil {
			return err
		}
		if err := c.once("routes", fmt.Sprintf("%d/%s", r.Epoch, r.Operator)); err != nil {
			return err
		}
	}
	return nil
}

func (c *genesisCheck) addOpen(b *Batch) error {
	c.open[b.Epoch]++
	claims, found := c.claims[b.Operator]
	if !found {
		claims = &OpenClaims{}
		c.claims[b.Operator] = claims
	}
	claims.Batches++
	var ok bool
	if claims.AmountUusdc, ok = u128.Add(claims.AmountUusdc, b.AmountUusdc); !ok {
		return fault("the open claims of %s do not fit 64 bits", b.Operator)
	}
	return nil
}

// checkStates checks who settles the groups and sums their locks.
func (c *genesisCheck) checkStates(b *Batch) error {
	for i := range b.States {
		s := &b.States[i]
		_, found := c.settlers[s.Settler]
		switch {
		case !found && (!s.Unfunded || s.Class != Class_CLASS_DIRECT || s.Settler != b.Operator):
			return fault("group %d: the settler %q is unknown", i, s.Settler)
		case s.LockedUusdc > 0 && (s.Unfunded || !b.Open()):
			return fault("group %d: %d locked, unfunded %t, batch %s", i, s.LockedUusdc, s.Unfunded, b.Status)
		}
		sum, fits := u128.Sum([]uint64{s.TakeUusdc, s.RoyaltyUusdc, s.OperatorUusdc})
		switch {
		case !fits || sum != b.Groups[i].AmountUusdc:
			return fault("group %d: take, royalty and operator share are not its amount %d", i, b.Groups[i].AmountUusdc)
		case b.Open() && !s.Unfunded && s.LockedUusdc != s.Owed():
			return fault("group %d: %d locked, %d owed", i, s.LockedUusdc, s.Owed())
		case s.LockedUusdc == 0:
			continue
		}
		if err := addAt(c.locked, join(s.Settler, b.Operator), s.LockedUusdc); err != nil {
			return err
		}
	}
	return nil
}

// checkLocks checks that open groups, operators' locks and settlers' escrow agree on what is locked.
func (c *genesisCheck) checkLocks() error {
	bySettler := map[string]uint64{}
	for _, l := range c.g.Locks {
		key := join(l.Settler, l.Operator)
		if err := c.once("locks", key); err != nil {
			return err
		}
		if l.LockedUusdc == 0 || l.LockedUusdc != c.locked[key] {
			return fault("%s has %d locked at %s, its open groups %d", l.Operator, l.LockedUusdc, l.Settler, c.locked[key])
		}
		delete(c.locked, key)
		if err := addAt(bySettler, l.Settler, l.LockedUusdc); err != nil {
			return err
		}
	}
	if len(c.locked) > 0 {
		return fault("%d locks of open groups are missing", len(c.locked))
	}
	for i := range c.g.Settlers {
		s := &c.g.Settlers[i]
		if s.LockedUusdc != bySettler[s.Address] {
			return fault("settler %s has %d locked, its operators %d", s.Address, s.LockedUusdc, bySettler[s.Address])
		}
	}
	return nil
}

// checkOpen checks the sums over open batches of operators and epochs.
func (c *genesisCheck) checkOpen() error {
	for _, o := range c.g.OpenClaims {
		claims, found := c.claims[o.Operator]
		if !found || claims.AmountUusdc != o.AmountUusdc || claims.Batches != o.Batches {
			return fault("open claims of %s are not those of its open batches, or occur twice", o.Operator)
		}
		delete(c.claims, o.Operator)
	}
	if len(c.claims) > 0 {
		return fault("open claims of %d operators are missing", len(c.claims))
	}
	for i := range c.g.Epochs {
		e := &c.g.Epochs[i]
		if e.OpenBatches != c.open[e.Epoch] {
			return fault("epoch %d counts %d open batches, has %d", e.Epoch, e.OpenBatches, c.open[e.Epoch])
		}
	}
	return nil
}

// checkLedger checks watermarks, token sums, usage, spends, earnings and losses.
func (c *genesisCheck) checkLedger() error {
	for _, w := range c.g.Watermarks {
		if len(w.HostKey) != AddressLength {
			return fault("a watermark has a host key of %d bytes", len(w.HostKey))
		}
		if err := c.once("watermarks", join(string(w.HostKey), w.Settler)); err != nil {
			return err
		}
	}
	for _, h := range c.g.HostEpochs {
		if err := c.checkHostEpoch("host epochs", h.Epoch, h.HostId); err != nil {
			return err
		}
	}
	for _, l := range c.g.Losses {
		if err := c.checkHostEpoch("losses", l.Epoch, l.HostId); err != nil {
			return err
		}
	}
	for _, e := range c.g.Earnings {
		if err := c.once("earnings", e.Operator); err != nil {
			return err
		}
		if e.Operator == "" || e.ClaimableUusdc > e.LifetimeUusdc {
			return fault("earnings of %q: %d claimable of %d", e.Operator, e.ClaimableUusdc, e.LifetimeUusdc)
		}
	}
	return c.checkUsage()
}

func (c *genesisCheck) checkHostEpoch(list string, epoch uint64, hostID []byte) error {
	if err := c.inEpoch(list, epoch); err != nil {
		return err
	}
	if err := validateLength("host_id", hostID, HashLength); err != nil {
		return err
	}
	return c.once(list, fmt.Sprintf("%d/%x", epoch, hostID))
}

// checkUsage checks the usage ledger. That every row has its spends is left to the module's invariants, because pruning removes an
// epoch in steps.
func (c *genesisCheck) checkUsage() error {
	for _, u := range c.g.Usages {
		if err := c.inEpoch("usages", u.Epoch); err != nil {
			return err
		}
		if err := c.once("usages", fmt.Sprintf("%d/%s/%s", u.Epoch, u.Operator, u.Settler)); err != nil {
			return err
		}
		settler, found := c.settlers[u.Settler]
		if !found || settler.Class != u.Class || u.Operator == "" {
			return fault("usage of %s in epoch %d is of an unknown settler or another class", u.Operator, u.Epoch)
		}
		if u.TakeUusdc > u.AmountUusdc || u.PoolUusdc > u.TakeUusdc {
			return fault("usage of %s in epoch %d: pool %d, take %d, amount %d", u.Operator, u.Epoch, u.PoolUusdc, u.TakeUusdc, u.AmountUusdc)
		}
	}
	for _, s := range c.g.Spends {
		if err := c.inEpoch("spends", s.Epoch); err != nil {
			return err
		}
		if err := c.once("spends", fmt.Sprintf("%d/%s/%s", s.Epoch, s.Settler, s.Controller)); err != nil {
			return err
		}
		if _, found := c.settlers[s.Settler]; !found {
			return fault("a spend of epoch %d is of the unknown settler %q", s.Epoch, s.Settler)
		}
	}
	return nil
}
