// SPDX-License-Identifier: Apache-2.0

package keeper

import (
	"bytes"
	"context"
	"slices"

	errorsmod "cosmossdk.io/errors"
	"cosmossdk.io/math"

	"github.com/gpucoord/gpucoord/x/operators/types"
)

// CheckInvariants walks the whole state: it is a valid genesis state, the module account holds exactly what it owes, sums are right,
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
	if err := k.checkUnbondingIndexes(ctx, gs); err != nil {
		return err
	}
	if err := k.checkDerived(ctx, gs); err != nil {
		return err
	}
	if err := k.checkDueIndexes(ctx, gs); err != nil {
		return err
	}
	if err := k.checkProberIndex(ctx, gs); err != nil {
		return err
	}
	return k.checkAttestationIndex(ctx, gs)
}

// checkDerived recounts what no genesis carries: the sum of all bonds and the barred accounts.
func (k *Keeper) checkDerived(ctx context.Context, gs *types.GenesisState) error {
	want, barred := math.ZeroInt(), make(map[string]bool)
	for i := range gs.Operators {
		op := &gs.Operators[i]
		want = want.Add(math.NewIntFromUint64(op.BondUltai))
		if op.Status != types.OperatorStatus_OPERATOR_STATUS_TOMBSTONED {
			continue
		}
		for _, text := range []string{op.Address, op.Controller} {
			account, err := k.parseAddress("barred", text)
			if err != nil {
				return err
			}
			barred[string(account)] = true
		}
	}
	sum, err := k.totalBonded(ctx)
	if err != nil {
		return err
	}
	if !sum.Equal(want) {
		return errorsmod.Wrapf(types.ErrInvariant, "bonded is %s, operators have %s", sum, want)
	}
	listed := 0
	err = k.barred.Walk(ctx, nil, func(account []byte) (bool, error) {
		if !barred[string(account)] {
			return true, errorsmod.Wrapf(types.ErrInvariant, "%x is barred without reason", account)
		}
		listed++
		return false, nil
	})
	return indexed(err, "barred accounts", listed, len(barred))
}

func (k *Keeper) checkDueIndexes(ctx context.Context, gs *types.GenesisState) error {
	listed := 0
	for _, queue := range []*deadlineMap{k.heightDeadlines, k.timeDeadlines, k.panelDeadlines} {
		err := queue.Indexes.due.Walk(ctx, nil, func(at uint64, key deadlineKey) (bool, error) {
			d, err := queue.Get(ctx, key)
			if err != nil {
				return true, err
			}
			if d.At != at || k.queueOf(d.Kind) != queue {
				return true, errorsmod.Wrapf(types.ErrInvariant, "deadline %s %x is listed at %d or in the other queue", d.Kind, d.Id, at)
			}
			listed++
			return false, nil
		})
		if err != nil {
			return err
		}
	}
	return indexed(nil, "deadlines", listed, len(gs.Deadlines))
}

func (k *Keeper) checkAttestationIndex(ctx context.Context, gs *types.GenesisState) error {
	listed := 0
	err := k.attestations.Indexes.host.Walk(ctx, nil, func(host, ref []byte) (bool, error) {
		a, err := k.attestations.Get(ctx, ref)
		if err != nil {
			return true, err
		}
		if !bytes.Equal(a.HostId, host) {
			return true, errorsmod.Wrapf(types.ErrInvariant, "attestation %x is listed under host %x", ref, host)
		}
		listed++
		return false, nil
	})
	return indexed(err, "attestations by host", listed, len(gs.Attestations))
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
