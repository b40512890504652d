// SPDX-License-Identifier: Apache-2.0

package keeper

import (
	"bytes"
	"context"
	"slices"

	errorsmod "cosmossdk.io/errors"

	"github.com/gpucoord/gpucoord/x/operators/types"
)

// CheckInvariants walks the whole state: it is a valid genesis state, the module account holds exactly bonds and unbonding entries,
// and every index lists exactly its map's entries. It is for tests and never runs in a block.
//
// Errors: ErrInvariant.
func (k *Keeper) CheckInvariants(ctx context.Context) error {
	gs, err := k.ExportGenesis(ctx)
	if err != nil {
		return err
	}
	if err := gs.Validate(); err != nil {
		return errorsmod.Wrap(types.ErrInvariant, err.Error())
	}
	if err := k.checkBalance(ctx, gs); err != nil {
		return err
	}
	if err := k.checkHostIndex(ctx, gs); err != nil {
		return err
	}
	if err := k.checkDeviceIndex(ctx, gs); err != nil {
		return err
	}
	return k.checkUnbondingIndexes(ctx, gs)
}

func (k *Keeper) checkHostIndex(ctx context.Context, gs *types.GenesisState) error {
	listed := 0
	err := k.hosts.Indexes.operator.Walk(ctx, nil, func(operator, id []byte) (bool, error) {
		host, err := k.hosts.Get(ctx, id)
		if err != nil {
			return true, err
		}
		owner, err := k.parseOperator(host.Operator)
		if err != nil {
			return true, err
		}
		if !bytes.Equal(owner, operator) {
			return true, errorsmod.Wrapf(types.ErrInvariant, "host %x is listed under %x", id, operator)
		}
		listed++
		return false, nil
	})
	return indexed(err, "hosts by operator", listed, len(gs.Hosts))
}

func (k *Keeper) checkDeviceIndex(ctx context.Context, gs *types.GenesisState) error {
	listed := 0
	err := k.gpus.Indexes.device.Walk(ctx, nil, func(device []byte, key gpuKey) (bool, error) {
		gpu, err := k.gpus.Get(ctx, key)
		if err != nil {
			return true, err
		}
		if !bytes.Equal(gpu.DeviceHash, device) {
			return true, errorsmod.Wrapf(types.ErrInvariant, "device %x points to another one", device)
		}
		listed++
		return false, nil
	})
	return indexed(err, "gpus by device", listed, len(gs.Gpus))
}

func (k *Keeper) checkUnbondingIndexes(ctx context.Context, gs *types.GenesisState) error {
	mature := make(map[uint64]uint64, len(gs.Unbondings))
	for i := range gs.Unbondings {
		mature[gs.Unbondings[i].Id] = gs.Unbondings[i].MatureHeight
	}
	listed := 0
	err := k.unbondings.Indexes.mature.Walk(ctx, nil, func(at, id uint64) (bool, error) {
		if want, ok := mature[id]; !ok || want != at {
			return true, errorsmod.Wrapf(types.ErrInvariant, "unbonding %d is listed at height %d", id, at)
		}
		listed++
		return false, nil
	})
	if err := indexed(err, "unbondings by maturity", listed, len(gs.Unbondings)); err != nil {
		return err
	}
	listed = 0
	for i := range gs.Operators {
		operator, err := k.parseOperator(gs.Operators[i].Address)
		if err != nil {
			return err
		}
		entries, err := k.unbondingsOf(ctx, operator)
		if err != nil {
			return err
		}
		foreign := slices.ContainsFunc(entries, func(u types.Unbonding) bool { return u.Operator != gs.Operators[i].Address })
		if foreign {
			return errorsmod.Wrapf(types.ErrInvariant, "operator %s lists another's unbonding", gs.Operators[i].Address)
		}
		listed += len(entries)
	}
	return indexed(nil, "unbondings by operator", listed, len(gs.Unbondings))
}

func indexed(err error, index string, listed, want int) error {
	if err == nil && listed != want {
		err = errorsmod.Wrapf(types.ErrInvariant, "%s lists %d, want %d", index, listed, want)
	}
	return err
}
