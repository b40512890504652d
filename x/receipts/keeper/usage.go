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

// credit is what crediting one batch needs to know of its operator, and what it changes of it.
type credit struct {
	epoch      uint64
	operator   []byte
	controller []byte
	texts      struct{ operator, controller string }
	rows       uint32 // of the operator in the epoch
	stored     uint32 // as they were
	failed     uint64 // failed jobs of the batch
}

func (k *Keeper) newCredit(ctx context.Context, b *types.Batch, operator []byte) (*credit, error) {
	c := &credit{epoch: b.Epoch, operator: operator}
	op, err := k.operators.Operator(ctx, operator)
	if err != nil {
		return nil, err
	}
	c.texts.operator, c.texts.controller = b.Operator, op.Controller
	if c.controller, err = k.parseAddress("controller", op.Controller); err != nil {
		return nil, err
	}
	c.stored, err = k.usageRows.Get(ctx, collections.Join(b.Epoch, operator))
	if err != nil && !errors.Is(err, collections.ErrNotFound) {
		return nil, err
	}
	c.rows = c.stored
	return c, nil
}

// storeCredit stores the number of rows if it has changed.
func (k *Keeper) storeCredit(ctx context.Context, c *credit) error {
	if err := k.noteAdmitted(ctx, c.epoch, c.operator, c.texts.operator, c.failed); err != nil {
		return err
	}
	if c.rows == c.stored {
		return nil
	}
	return k.usageRows.Set(ctx, collections.Join(c.epoch, c.operator), c.rows)
}

// creditPart credits the settled groups of one settler to its usage row and to its spends. An operator has at most types.MaxUsageRows
// rows in an epoch, the last types.ReservedUsageRows of them for accredited settlers and its own work; work beyond that is paid like
// any other, adds to the spends, and has no row.
func (k *Keeper) creditPart(ctx context.Context, c *credit, p *part, settler *types.Settler, accredited bool) error {
	if err := k.creditSpends(ctx, c, p, settler); err != nil {
		return err
	}
	c.failed += p.usage.Fail // at most the batch's receipts
	key := collections.Join3(c.epoch, c.operator, p.settler)
	row, err := k.usages.Get(ctx, key)
	if errors.Is(err, collections.ErrNotFound) {
		if !c.takeRow(settler, accredited) {
			return nil
		}
		if accredited {
			if err := k.noteRoute(ctx, c.epoch, c.operator, c.texts.operator, settler.Gateway); err != nil {
				return err
			}
		}
		row, err = types.Usage{
			Epoch: c.epoch, Operator: c.texts.operator, Settler: settler.Address, Class: settler.Class, Accredited: accredited,
		}, nil
	}
	if err != nil {
		return err
	}
	for _, sum := range [...]struct {
		to  *uint64
		add uint64
	}{
		{&row.AmountUusdc, p.usage.AmountUusdc},
		{&row.TakeUusdc, p.usage.TakeUusdc},
		{&row.PoolUusdc, p.usage.PoolUusdc},
		{&row.Tokens, p.usage.Tokens},
		{&row.Ok, p.usage.Ok},
		{&row.Fail, p.usage.Fail},
	} {
		if err := addTo(sum.to, sum.add); err != nil {
			return err
		}
	}
	return k.usages.Set(ctx, key, row)
}

// takeRow counts a new row, or reports that there is no room for one.
func (c *credit) takeRow(settler *types.Settler, accredited bool) bool {
	most := uint32(types.MaxUsageRows)
	if !accredited && settler.Class != types.Class_CLASS_DIRECT {
		most -= types.ReservedUsageRows
	}
	if c.rows >= most {
		return false
	}
	c.rows++
	return true
}

// creditSpends adds to what a settler spent on all operators and on those of this operator's controller.
func (k *Keeper) creditSpends(ctx context.Context, c *credit, p *part, settler *types.Settler) error {
	for _, to := range [...]struct {
		key  []byte
		text string
	}{{[]byte{}, ""}, {c.controller, c.texts.controller}} {
		key := collections.Join3(c.epoch, p.settler, to.key)
		spend, err := k.spends.Get(ctx, key)
		if errors.Is(err, collections.ErrNotFound) {
			spend, err = types.Spend{Epoch: c.epoch, Settler: settler.Address, Controller: to.text}, nil
		}
		if err != nil {
			return err
		}
		if err := addTo(&spend.AmountUusdc, p.usage.AmountUusdc); err != nil {
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

// SuccessCounts sums an operator's successful and failed jobs for one settler and class over the epochs from..to, both inclusive. Failed
// are those with a receipt that says so and those that the settler's gateway reported, as far as its reports count; only epochs in which
// the settler paid for something are looked at.
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
		reported, err := k.reportedFails(ctx, from+i, operator, settler)
		if err != nil {
			return 0, 0, err
		}
		okSum, okFits := u128.Add(ok, row.Ok)
		failSum, failFits := u128.Sum([]uint64{fail, row.Fail, reported})
		if !okFits || !failFits {
			return 0, 0, errorsmod.Wrap(types.ErrOverflow, "jobs")
		}
		ok, fail = okSum, failSum
	}
	return ok, fail, nil
}
