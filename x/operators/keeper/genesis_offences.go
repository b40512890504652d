// SPDX-License-Identifier: Apache-2.0

package keeper

import (
	"context"
	"errors"

	"cosmossdk.io/collections"

	"github.com/gpucoord/gpucoord/x/operators/types"
)

func (k *Keeper) initOffences(ctx context.Context, gs *types.GenesisState) error {
	for _, e := range gs.UsedEvidence {
		if err := k.usedEvidence.Set(ctx, e.Id, e); err != nil {
			return err
		}
	}
	for _, s := range gs.Strikes {
		operator, err := k.parseOperator(s.Operator)
		if err != nil {
			return err
		}
		if err := k.strikes.Set(ctx, collections.Join(operator, s.Kind), s); err != nil {
			return err
		}
	}
	for _, d := range gs.DeferredPunishments {
		if _, err := k.offenceOf(&d.Offence); err != nil {
			return err
		}
		if err := k.deferred.Set(ctx, d.Id, d); err != nil {
			return err
		}
	}
	if gs.Breaker != nil {
		if err := k.breaker.Set(ctx, *gs.Breaker); err != nil {
			return err
		}
	}
	return k.nextDeferred.Set(ctx, gs.NextDeferredId)
}

func (k *Keeper) initReports(ctx context.Context, gs *types.GenesisState) error {
	for _, r := range gs.Reports {
		if _, err := k.ownText(r.Reporter); err != nil {
			return err
		}
		if err := k.reports.Set(ctx, r.Id, r); err != nil {
			return err
		}
	}
	return k.lastReport.Set(ctx, gs.LastReportId)
}

func (k *Keeper) initAttestations(ctx context.Context, gs *types.GenesisState) error {
	for _, v := range gs.Verifiers {
		account, err := k.ownText(v.Address)
		if err != nil {
			return err
		}
		if err := k.verifiers.Set(ctx, account, v); err != nil {
			return err
		}
	}
	for _, a := range gs.Attestations {
		if err := k.attestations.Set(ctx, a.Ref, a); err != nil {
			return err
		}
	}
	return nil
}

func (k *Keeper) initDeadlines(ctx context.Context, gs *types.GenesisState) error {
	for _, d := range gs.Deadlines {
		if err := k.setDeadline(ctx, d.Kind, d.Id, d.At); err != nil {
			return err
		}
	}
	return nil
}

// exportOffences adds offences, reports, attestations and the deadlines of all of them.
func (k *Keeper) exportOffences(ctx context.Context, gs *types.GenesisState) (err error) {
	if gs.UsedEvidence, err = values(ctx, k.usedEvidence); err != nil {
		return err
	}
	if gs.Strikes, err = values(ctx, k.strikes); err != nil {
		return err
	}
	if gs.DeferredPunishments, err = values(ctx, k.deferred); err != nil {
		return err
	}
	if gs.NextDeferredId, err = k.nextDeferred.Peek(ctx); err != nil {
		return err
	}
	breaker, err := k.breaker.Get(ctx)
	if err == nil {
		gs.Breaker = &breaker
	} else if !errors.Is(err, collections.ErrNotFound) {
		return err
	}
	if gs.Reports, err = values(ctx, k.reports); err != nil {
		return err
	}
	if gs.LastReportId, err = k.lastReport.Peek(ctx); err != nil {
		return err
	}
	if gs.Verifiers, err = values(ctx, k.verifiers); err != nil {
		return err
	}
	if gs.Attestations, err = values(ctx, k.attestations); err != nil {
		return err
	}
	if gs.Deadlines, err = values(ctx, k.heightDeadlines); err != nil {
		return err
	}
	for _, queue := range []*deadlineMap{k.timeDeadlines, k.panelDeadlines} {
		more, err := values(ctx, queue)
		if err != nil {
			return err
		}
		gs.Deadlines = append(gs.Deadlines, more...)
	}
	return nil
}
