// SPDX-License-Identifier: Apache-2.0

package keeper

import (
	"context"
	"errors"

	"cosmossdk.io/collections"

	"github.com/gpucoord/gpucoord/x/operators/types"
)

// Availability returns what panels say of an operator for an epoch: the result of that epoch's panel, else the newest of the 7 epochs
// before, else zeros. Only concluded panels count. It does not change once the epoch's panel has concluded. Work: at most 17 reads.
func (k *Keeper) Availability(ctx context.Context, operator []byte, epoch uint64) (types.Availability, error) {
	for age := uint64(0); age <= min(epoch, types.AvailabilityEpochs); age++ {
		from := epoch - age
		result, err := k.availabilities.Get(ctx, collections.Join(from, operator))
		if errors.Is(err, collections.ErrNotFound) {
			continue
		}
		if err != nil {
			return types.Availability{}, err
		}
		p, err := k.Panel(ctx, from)
		if err != nil {
			return types.Availability{}, err
		}
		if p.State != types.PanelState_PANEL_STATE_CONCLUDED {
			continue
		}
		hosts := max(uint64(result.Hosts), 1)
		return types.Availability{
			UpPPM: result.UpPpmSum / hosts, AvPPM: result.AvPpmSum / hosts, P95TTFTMs: result.TtftMs, Conclusive: true, FromEpoch: from,
		}, nil
	}
	first, err := k.measuredFrom.Get(ctx)
	if errors.Is(err, collections.ErrNotFound) {
		return types.Availability{Unmeasured: true}, nil
	}
	return types.Availability{Unmeasured: epoch+1 < first}, err
}
