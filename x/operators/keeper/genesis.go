// SPDX-License-Identifier: Apache-2.0

package keeper

import (
	"bytes"
	"context"

	"cosmossdk.io/collections"
	errorsmod "cosmossdk.io/errors"
	"cosmossdk.io/math"

	authtypes "github.com/cosmos/cosmos-sdk/x/auth/types"

	"github.com/gpucoord/gpucoord/x/operators/types"
)

// InitGenesis writes a genesis state. Bank comes before it, because the module account must hold exactly what the state owes.
//
// Errors: those of GenesisState.Validate, ErrInvalidAddress, ErrInvalidGenesis.
func (k *Keeper) InitGenesis(ctx context.Context, gs *types.GenesisState) error {
	if err := gs.Validate(); err != nil {
		return err
	}
	if err := k.params.Set(ctx, gs.Params); err != nil {
		return err
	}
	if err := k.nextUnbonding.Set(ctx, gs.NextUnbondingId); err != nil {
		return err
	}
	steps := []func(context.Context, *types.GenesisState) error{k.initOperators, k.initHosts, k.initUnbondings, k.initLinks, k.initClock}
	for _, step := range steps {
		if err := step(ctx, gs); err != nil {
			return err
		}
	}
	if err := k.checkBalance(ctx, gs); err != nil {
		return errorsmod.Wrap(types.ErrInvalidGenesis, err.Error())
	}
	return nil
}

func (k *Keeper) initOperators(ctx context.Context, gs *types.GenesisState) error {
	for _, op := range gs.Operators {
		addr, err := k.parseOperator(op.Address)
		if err != nil {
			return err
		}
		if _, err := k.parseAddress("controller", op.Controller); err != nil {
			return err
		}
		if err := k.operators.Set(ctx, addr, op); err != nil {
			return err
		}
	}
	return nil
}

func (k *Keeper) initHosts(ctx context.Context, gs *types.GenesisState) error {
	for _, host := range gs.Hosts {
		operator, err := k.parseOperator(host.Operator)
		if err != nil {
			return err
		}
		if id := types.HostID([types.AddressLength]byte(operator), host.Number); !bytes.Equal(id[:], host.Id) {
			return errorsmod.Wrapf(types.ErrInvalidGenesis, "host %x: its operator and number give %x", host.Id, id)
		}
		if err := k.hosts.Set(ctx, host.Id, host); err != nil {
			return err
		}
	}
	for _, key := range gs.HostKeys {
		if err := k.hostKeys.Set(ctx, key.Address, key); err != nil {
			return err
		}
	}
	for _, gpu := range gs.Gpus {
		if err := k.gpus.Set(ctx, collections.Join(gpu.HostId, gpu.Index), gpu); err != nil {
			return err
		}
	}
	return nil
}

func (k *Keeper) initUnbondings(ctx context.Context, gs *types.GenesisState) error {
	for _, entry := range gs.Unbondings {
		if err := k.unbondings.Set(ctx, entry.Id, entry); err != nil {
			return err
		}
	}
	return nil
}

func (k *Keeper) initLinks(ctx context.Context, gs *types.GenesisState) error {
	for _, grant := range gs.RelayerGrants {
		operator, err := k.parseOperator(grant.Operator)
		if err != nil {
			return err
		}
		relayer, err := k.parseAddress("relayer", grant.Relayer)
		if err != nil {
			return err
		}
		if err := k.grants.Set(ctx, collections.Join(operator, relayer), grant); err != nil {
			return err
		}
	}
	for _, link := range gs.NodeLinks {
		if err := k.nodeLinks.Set(ctx, link.NodeHash, link); err != nil {
			return err
		}
	}
	return nil
}

func (k *Keeper) initClock(ctx context.Context, gs *types.GenesisState) error {
	for _, b := range gs.BlockHashes {
		if err := k.blockHashes.Set(ctx, b.Height, b.Hash); err != nil {
			return err
		}
	}
	for _, start := range gs.EpochStarts {
		if err := k.epochStarts.Set(ctx, start.Epoch, start); err != nil {
			return err
		}
	}
	return nil
}

// ExportGenesis returns the whole state in the order of its keys.
func (k *Keeper) ExportGenesis(ctx context.Context) (*types.GenesisState, error) {
	params, err := k.params.Get(ctx)
	if err != nil {
		return nil, err
	}
	gs := &types.GenesisState{Params: params}
	if gs.NextUnbondingId, err = k.nextUnbonding.Peek(ctx); err != nil {
		return nil, err
	}
	if gs.Operators, err = values(ctx, k.operators); err != nil {
		return nil, err
	}
	if gs.Hosts, err = values(ctx, k.hosts); err != nil {
		return nil, err
	}
	if gs.HostKeys, err = values(ctx, k.hostKeys); err != nil {
		return nil, err
	}
	if gs.Gpus, err = values(ctx, k.gpus); err != nil {
		return nil, err
	}
	if gs.Unbondings, err = values(ctx, k.unbondings); err != nil {
		return nil, err
	}
	if gs.RelayerGrants, err = values(ctx, k.grants); err != nil {
		return nil, err
	}
	if gs.NodeLinks, err = values(ctx, k.nodeLinks); err != nil {
		return nil, err
	}
	if gs.EpochStarts, err = values(ctx, k.epochStarts); err != nil {
		return nil, err
	}
	err = k.blockHashes.Walk(ctx, nil, func(at uint64, hash []byte) (bool, error) {
		gs.BlockHashes = append(gs.BlockHashes, types.BlockHash{Height: at, Hash: hash})
		return false, nil
	})
	return gs, err
}

// walker is what a map and an indexed map have in common.
type walker[K, V any] interface {
	Walk(ctx context.Context, ranger collections.Ranger[K], walk func(key K, value V) (stop bool, err error)) error
}

func values[K, V any](ctx context.Context, m walker[K, V]) ([]V, error) {
	var all []V
	err := m.Walk(ctx, nil, func(_ K, v V) (bool, error) {
		all = append(all, v)
		return false, nil
	})
	return all, err
}

// checkBalance compares the module account with the bonds and unbonding entries it holds.
func (k *Keeper) checkBalance(ctx context.Context, gs *types.GenesisState) error {
	owed := math.ZeroInt()
	for i := range gs.Operators {
		op := &gs.Operators[i]
		owed = owed.Add(math.NewIntFromUint64(op.BondUltai)).Add(math.NewIntFromUint64(op.UnbondingUltai))
	}
	held := k.bank.GetBalance(ctx, authtypes.NewModuleAddress(types.ModuleName), types.BondDenom).Amount
	if !held.Equal(owed) {
		return errorsmod.Wrapf(types.ErrInvariant, "module account holds %s ultai, owes %s", held, owed)
	}
	return nil
}
