// SPDX-License-Identifier: Apache-2.0

package keeper

import (
	"context"

	errorsmod "cosmossdk.io/errors"

	"github.com/gpucoord/gpucoord/x/receipts/types"
)

// admitJail refuses work of an epoch that lay wholly inside a jail of the operator: all of it was served against the jail. The jail may
// have ended since, because the submit window follows the epoch. Work of an epoch that is partly outside may have been served there.
// It reads windows, so it comes after admitEpoch.
//
// Error: ErrJailedEpoch.
func (k *Keeper) admitJail(ctx context.Context, c *claim) error {
	op, err := k.operators.Operator(ctx, c.operator)
	if err != nil {
		return err
	}
	last := c.windows.Submit.First - 1 // the window begins after the epoch
	if op.JailedUntil <= last {
		return nil
	}
	schedule, err := k.operators.Schedule(ctx)
	if err != nil {
		return err
	}
	first, err := schedule.First(c.batch.Epoch)
	if err != nil {
		return errorsmod.Wrapf(types.ErrUnknownEpoch, "epoch %d: %s", c.batch.Epoch, err)
	}
	if op.JailedDuring(first, last) {
		return errorsmod.Wrapf(types.ErrJailedEpoch, "epoch %d is blocks %d to %d, the jail blocks %d to %d",
			c.batch.Epoch, first, last, op.JailedFrom, op.JailedUntil-1)
	}
	return nil
}
