// SPDX-License-Identifier: Apache-2.0

package keeper

import (
	"context"
	"errors"

	"cosmossdk.io/collections"

	"github.com/gpucoord/gpucoord/x/receipts/types"
)

// InitGenesis fills the store and checks that the module account holds what the state owes. Bank and operators come before.
//
// Errors: those of GenesisState.Validate, ErrInvalidParams, ErrInvalidAddress, ErrInvariant.
func (k *Keeper) InitGenesis(ctx context.Context, g *types.GenesisState) error {
	if err := g.Validate(); err != nil {
		return err
	}
	if err := k.checkParams(ctx, &g.Params); err != nil {
		return err
	}
	if err := k.params.Set(ctx, g.Params); err != nil {
		return err
	}
	for _, load := range [...]func(context.Context, *types.GenesisState) error{
		k.initCounters, k.initSettlers, k.initGateways, k.initBatches, k.initChallenges, k.initEpochs, k.initUsage,
	} {
		if err := load(ctx, g); err != nil {
			return err
		}
	}
	return k.CheckInvariants(ctx)
}

func (k *Keeper) initCounters(ctx context.Context, g *types.GenesisState) error {
	if err := k.nextThaw.Set(ctx, g.NextThawId); err != nil {
		return err
	}
	if err := k.nextBatch.Set(ctx, g.NextBatchId); err != nil {
		return err
	}
	if err := k.nextDemand.Set(ctx, g.NextDemandId); err != nil {
		return err
	}
	return k.prunedEpoch.Set(ctx, g.PrunedEpoch)
}

// initChallenges loads demands and evidence, and makes batches findable by their seqs.
func (k *Keeper) initChallenges(ctx context.Context, g *types.GenesisState) error {
	for i := range g.Batches {
		if err := k.indexClaims(ctx, &g.Batches[i]); err != nil {
			return err
		}
	}
	for _, d := range g.Demands {
		if _, err := k.parseAddress("reporter", d.Reporter); err != nil {
			return err
		}
		if err := k.demands.Set(ctx, d.Id, d); err != nil {
			return err
		}
	}
	for _, e := range g.UsedEvidence {
		if err := k.evidence.Set(ctx, e.Id, e); err != nil {
			return err
		}
	}
	return k.initFailures(ctx, g)
}

// initFailures loads the reports of gateways.
func (k *Keeper) initFailures(ctx context.Context, g *types.GenesisState) error {
	for _, f := range g.Failures {
		key, err := k.partyPair(f.Row.Settler, f.Row.Operator)
		if err != nil {
			return err
		}
		if err := k.failures.Set(ctx, collections.Join3(f.Epoch, key.K2(), key.K1()), f); err != nil {
			return err
		}
	}
	for _, r := range g.FailureReports {
		gateway, err := k.parseParty("gateway", r.Gateway)
		if err != nil {
			return err
		}
		if err := k.failureReports.Set(ctx, collections.Join(r.Epoch, gateway), r); err != nil {
			return err
		}
	}
	for _, r := range g.Routes {
		operator, err := k.parseParty("operator", r.Operator)
		if err != nil {
			return err
		}
		if err := k.routes.Set(ctx, collections.Join(r.Epoch, operator), r); err != nil {
			return err
		}
	}
	return nil
}

func (k *Keeper) initSettlers(ctx context.Context, g *types.GenesisState) error {
	for i := range g.Settlers {
		addr, err := k.parseParty("settler", g.Settlers[i].Address)
		if err != nil {
			return err
		}
		if err := k.settlers.Set(ctx, addr, g.Settlers[i]); err != nil {
			return err
		}
	}
	for _, l := range g.Limits {
		key, err := k.partyPair(l.Settler, l.Operator)
		if err != nil {
			return err
		}
		if err := k.limits.Set(ctx, key, l); err != nil {
			return err
		}
	}
	for _, l := range g.Locks {
		key, err := k.partyPair(l.Settler, l.Operator)
		if err != nil {
			return err
		}
		if err := k.locks.Set(ctx, key, l); err != nil {
			return err
		}
	}
	for _, t := range g.Thaws {
		if err := k.thaws.Set(ctx, t.Id, t); err != nil {
			return err
		}
	}
	return nil
}

// partyPair reads the key of a limit or lock.
func (k *Keeper) partyPair(settler, operator string) (bytesPair, error) {
	s, err := k.parseParty("settler", settler)
	if err != nil {
		return bytesPair{}, err
	}
	o, err := k.parseParty("operator", operator)
	return collections.Join(s, o), err
}

func (k *Keeper) initGateways(ctx context.Context, g *types.GenesisState) error {
	for _, gateway := range g.Gateways {
		addr, err := k.parseParty("gateway", gateway.Address)
		if err != nil {
			return err
		}
		if err := k.gateways.Set(ctx, addr, gateway); err != nil {
			return err
		}
	}
	for _, consent := range g.GatewayConsents {
		gateway, err := k.parseParty("gateway", consent.Gateway)
		if err != nil {
			return err
		}
		controller, err := k.parseAddress("controller", consent.Controller)
		if err != nil {
			return err
		}
		if err := k.consents.Set(ctx, collections.Join(gateway, controller), consent); err != nil {
			return err
		}
	}
	for _, key := range g.GatewayKeys {
		if err := k.gatewayKeys.Set(ctx, key.Address, key); err != nil {
			return err
		}
	}
	return nil
}

func (k *Keeper) initBatches(ctx context.Context, g *types.GenesisState) error {
	for i := range g.Batches {
		if _, err := k.parseParty("operator", g.Batches[i].Operator); err != nil {
			return err
		}
		if err := k.batches.Set(ctx, g.Batches[i].Id, g.Batches[i]); err != nil {
			return err
		}
	}
	for _, w := range g.Watermarks {
		settler, err := []byte{}, error(nil)
		if w.Settler != "" {
			settler, err = k.parseParty("settler", w.Settler)
		}
		if err != nil {
			return err
		}
		if err := k.watermarks.Set(ctx, collections.Join(w.HostKey, settler), w); err != nil {
			return err
		}
	}
	for _, o := range g.OpenClaims {
		operator, err := k.parseParty("operator", o.Operator)
		if err != nil {
			return err
		}
		if err := k.openClaims.Set(ctx, operator, o); err != nil {
			return err
		}
	}
	for _, e := range g.Earnings {
		operator, err := k.parseParty("operator", e.Operator)
		if err != nil {
			return err
		}
		if err := k.earnings.Set(ctx, operator, e); err != nil {
			return err
		}
	}
	return nil
}

func (k *Keeper) initEpochs(ctx context.Context, g *types.GenesisState) error {
	for _, e := range g.Epochs {
		if err := k.epochs.Set(ctx, e.Epoch, e); err != nil {
			return err
		}
	}
	for _, h := range g.HostEpochs {
		if err := k.hostEpochs.Set(ctx, collections.Join(h.Epoch, h.HostId), h); err != nil {
			return err
		}
	}
	for _, l := range g.Losses {
		if err := k.losses.Set(ctx, collections.Join(l.Epoch, l.HostId), l); err != nil {
			return err
		}
	}
	return nil
}

// initUsage also counts the rows of every operator and epoch.
func (k *Keeper) initUsage(ctx context.Context, g *types.GenesisState) error {
	for _, u := range g.Usages {
		key, err := k.partyPair(u.Settler, u.Operator)
		if err != nil {
			return err
		}
		settler, operator := key.K1(), key.K2()
		if err := k.usages.Set(ctx, collections.Join3(u.Epoch, operator, settler), u); err != nil {
			return err
		}
		rows, err := k.usageRows.Get(ctx, collections.Join(u.Epoch, operator))
		if err != nil && !errors.Is(err, collections.ErrNotFound) {
			return err
		}
		if err := k.usageRows.Set(ctx, collections.Join(u.Epoch, operator), rows+1); err != nil {
			return err
		}
	}
	for _, s := range g.Spends {
		settler, err := k.parseParty("settler", s.Settler)
		if err != nil {
			return err
		}
		controller := []byte{}
		if s.Controller != "" {
			if controller, err = k.parseAddress("controller", s.Controller); err != nil {
				return err
			}
		}
		if err := k.spends.Set(ctx, collections.Join3(s.Epoch, settler, controller), s); err != nil {
			return err
		}
	}
	return nil
}

// ExportGenesis returns the whole state, every list in the order of its keys.
func (k *Keeper) ExportGenesis(ctx context.Context) (*types.GenesisState, error) {
	g := &types.GenesisState{}
	var err error
	if g.Params, err = k.params.Get(ctx); err != nil {
		return nil, err
	}
	if g.NextThawId, err = k.nextThaw.Peek(ctx); err != nil {
		return nil, err
	}
	if g.NextBatchId, err = k.nextBatch.Peek(ctx); err != nil {
		return nil, err
	}
	if g.NextDemandId, err = k.nextDemand.Peek(ctx); err != nil {
		return nil, err
	}
	if g.PrunedEpoch, err = k.prunedEpoch.Get(ctx); err != nil {
		return nil, err
	}
	return g, errors.Join(
		values(ctx, k.settlers, &g.Settlers), values(ctx, k.limits, &g.Limits), values(ctx, k.locks, &g.Locks),
		values(ctx, k.thaws, &g.Thaws), values(ctx, k.gateways, &g.Gateways), values(ctx, k.gatewayKeys, &g.GatewayKeys),
		values(ctx, k.batches, &g.Batches), values(ctx, k.watermarks, &g.Watermarks), values(ctx, k.hostEpochs, &g.HostEpochs),
		values(ctx, k.openClaims, &g.OpenClaims), values(ctx, k.epochs, &g.Epochs), values(ctx, k.usages, &g.Usages),
		values(ctx, k.spends, &g.Spends), values(ctx, k.earnings, &g.Earnings), values(ctx, k.losses, &g.Losses),
		values(ctx, k.consents, &g.GatewayConsents), values(ctx, k.demands, &g.Demands), values(ctx, k.evidence, &g.UsedEvidence),
		values(ctx, k.failures, &g.Failures), values(ctx, k.failureReports, &g.FailureReports), values(ctx, k.routes, &g.Routes),
	)
}

// walker is a collection that can be walked.
type walker[K, V any] interface {
	Walk(ctx context.Context, ranger collections.Ranger[K], walkFunc func(key K, value V) (stop bool, err error)) error
}

// values appends all values of a collection, by key.
func values[K, V any](ctx context.Context, m walker[K, V], list *[]V) error {
	return m.Walk(ctx, nil, func(_ K, value V) (bool, error) {
		*list = append(*list, value)
		return false, nil
	})
}
