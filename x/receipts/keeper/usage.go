// SPDX-License-Identifier: Apache-2.0

package keeper

import (
	"context"
	"errors"

	"cosmossdk.io/collections"
	errorsmod "cosmossdk.io/errors"

	"github.com/gpucoord/gpucoord/domain/u128"
	"github.com/gpucoord/gpucoord/x/receipts/types"
)

// credit credits a settled group to its usage row and to its settler's spends. An operator has at most types.MaxUsageRows rows in an
// epoch, the last types.ReservedUsageRows of them for accredited settlers and its own work; a group beyond that is paid like any
// other, adds to the spends, and has no row.
func (k *Keeper) credit(ctx context.Context, b *types.Batch, operator []byte, gs *groupSettlement, settler *types.Settler) error {
	g := &b.Groups[gs.index]
	if err := k.creditSpends(ctx, b.Epoch, g, operator, settler); err != nil {
		return err
	}
	key := collections.Join3(b.Epoch, operator, g.Settler)
	row, err := k.usages.Get(ctx, key)
	if errors.Is(err, collections.ErrNotFound) {
		var room bool
		if row, room, err = k.newUsageRow(ctx, b, operator, settler); err == nil && !room {
			return nil
		}
	}
	if err != nil {
		return err
	}
	for _, sum := range [...]struct {
		to  *uint64
		add uint64
	}{
		{&row.AmountUusdc, g.AmountUusdc},
		{&row.TakeUusdc, gs.take.Take},
		{&row.PoolUusdc, gs.take.Pool},
		{&row.Tokens, g.Tokens},
		{&row.Ok, uint64(g.Ok)},
		{&row.Fail, uint64(g.Fail)},
	} {
		if err := addTo(sum.to, sum.add); err != nil {
			return err
		}
	}
	return k.usages.Set(ctx, key, row)
}

// newUsageRow returns an empty row and counts it, or reports that there is no room for one.
func (k *Keeper) newUsageRow(ctx context.Context, b *types.Batch, operator []byte, settler *types.Settler) (types.Usage, bool, error) {
	accredited, err := k.accredited(ctx, settler)
	if err != nil {
		return types.Usage{}, false, err
	}
	key := collections.Join(b.Epoch, operator)
	rows, err := k.usageRows.Get(ctx, key)
	if err != nil && !errors.Is(err, collections.ErrNotFound) {
		return types.Usage{}, false, err
	}
	most := uint32(types.MaxUsageRows)
	if !accredited && settler.Class != types.Class_CLASS_DIRECT {
		most -= types.ReservedUsageRows
	}
	if rows >= most {
		return types.Usage{}, false, nil
	}
	row := types.Usage{
		Epoch: b.Epoch, Operator: b.Operator, Settler: settler.Address, Class: settler.Class, Accredited: accredited,
	}
	return row, true, k.usageRows.Set(ctx, key, rows+1)
}

// creditSpends adds to what a settler spent on all operators and on those of this operator's controller.
func (k *Keeper) creditSpends(ctx context.Context, e uint64, g *types.Group, operator []byte, settler *types.Settler) error {
	op, err := k.operators.Operator(ctx, operator)
	if err != nil {
		return err
	}
	controller, err := k.parseAddress("controller", op.Controller)
	if err != nil {
		return err
	}
	for _, to := range [...]struct {
		key  []byte
		text string
	}{{[]byte{}, ""}, {controller, op.Controller}} {
		key := collections.Join3(e, g.Settler, to.key)
		spend, err := k.spends.Get(ctx, key)
		if errors.Is(err, collections.ErrNotFound) {
			spend, err = types.Spend{Epoch: e, Settler: settler.Address, Controller: to.text}, nil
		}
		if err != nil {
			return err
		}
		if err := addTo(&spend.AmountUusdc, g.AmountUusdc); err != nil {
			return err
		}
		if err := k.spends.Set(ctx, key, spend); err != nil {
			return err
		}
	}
	return nil
}

// OperatorsWithUsage returns at most limit operators with usage in an epoch, ascending by address, that come after the one given; nil
// begins at the first.
func (k *Keeper) OperatorsWithUsage(ctx context.Context, e uint64, after []byte, limit uint32) ([][]byte, error) {
	ranger := collections.NewPrefixedPairRange[uint64, []byte](e)
	if len(after) > 0 {
		ranger = ranger.StartExclusive(after)
	}
	var operators [][]byte
	err := k.usageRows.Walk(ctx, ranger, func(key epochPair, _ uint32) (bool, error) {
		if uint64(len(operators)) >= uint64(limit) {
			return true, nil
		}
		operators = append(operators, key.K2())
		return false, nil
	})
	return operators, err
}

// UsageEntries returns the usage rows of an operator in an epoch, at most types.MaxUsageRows, ascending by settler, with what their
// eligibility depends on. Nothing of it changes once the epoch has closed.
//
// Errors: operators' ErrUnknownOperator.
func (k *Keeper) UsageEntries(ctx context.Context, e uint64, operator []byte) ([]types.UsageEntry, error) {
	op, err := k.operators.Operator(ctx, operator)
	if err != nil {
		return nil, err
	}
	controller, err := k.parseAddress("controller", op.Controller)
	if err != nil {
		return nil, err
	}
	var entries []types.UsageEntry
	ranger := collections.NewSuperPrefixedTripleRange[uint64, []byte, []byte](e, operator)
	err = k.usages.Walk(ctx, ranger, func(key epochTriple, row types.Usage) (bool, error) {
		entry, err := k.usageEntry(ctx, key.K3(), &row, op.Controller, controller)
		entries = append(entries, entry)
		return false, err
	})
	if err != nil {
		return nil, err
	}
	return entries, nil
}

// usageEntry adds to a row what its eligibility depends on.
func (k *Keeper) usageEntry(
	ctx context.Context, settler []byte, row *types.Usage, controllerText string, controller []byte,
) (types.UsageEntry, error) {
	s, err := k.settler(ctx, settler)
	if err != nil {
		return types.UsageEntry{}, err
	}
	total, err := k.spends.Get(ctx, collections.Join3(row.Epoch, settler, []byte{}))
	if err != nil {
		return types.UsageEntry{}, err
	}
	own, err := k.spends.Get(ctx, collections.Join3(row.Epoch, settler, controller))
	if err != nil {
		return types.UsageEntry{}, err
	}
	return types.UsageEntry{
		Settler: [types.AddressLength]byte(settler), Class: row.Class,
		Amount: row.AmountUusdc, Take: row.TakeUusdc, Pool: row.PoolUusdc, Tokens: row.Tokens, OK: row.Ok, Fail: row.Fail,
		TotalSpend: total.AmountUusdc, ControllerSpend: own.AmountUusdc,
		Accredited: row.Accredited, SameController: s.Controller == controllerText,
	}, nil
}

// SuccessCounts sums an operator's successful and failed jobs for one settler and class over the epochs from..to, both inclusive.
//
// Errors: ErrInvalidRequest (to before from, or more than types.MaxSuccessEpochs epochs), ErrOverflow.
func (k *Keeper) SuccessCounts(ctx context.Context, operator, settler []byte, class types.Class, from, to uint64) (ok, fail uint64, err error) {
	if from > to || to-from >= types.MaxSuccessEpochs {
		return 0, 0, errorsmod.Wrapf(types.ErrInvalidRequest, "epochs %d to %d, most are %d", from, to, types.MaxSuccessEpochs)
	}
	for i := range to - from + 1 {
		row, err := k.usages.Get(ctx, collections.Join3(from+i, operator, settler))
		if errors.Is(err, collections.ErrNotFound) || err == nil && row.Class != class {
			continue
		}
		if err != nil {
			return 0, 0, err
		}
		okSum, okFits := u128.Add(ok, row.Ok)
		failSum, failFits := u128.Add(fail, row.Fail)
		if !okFits || !failFits {
			return 0, 0, errorsmod.Wrap(types.ErrOverflow, "jobs")
		}
		ok, fail = okSum, failSum
	}
	return ok, fail, nil
}
