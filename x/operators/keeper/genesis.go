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
	steps := []func(context.Context, *types.GenesisState) error{
		k.initOperators, k.initHosts, k.initUnbondings, k.initLinks, k.initConsents, k.initClock,
		k.initOffences, k.initReports, k.initAttestations, k.initProbers, k.initDeadlines,
	}
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
		if _, err := k.ownText(op.Address); err != nil {
			return err
		}
		if _, err := k.ownText(op.Controller); err != nil {
			return err
		}
		if err := k.operators.Set(ctx, addr, op); err != nil {
			return err
		}
		if err := k.moveBonded(ctx, op.BondUltai, 0); err != nil {
			return err
		}
		if op.Status == types.OperatorStatus_OPERATOR_STATUS_TOMBSTONED {
			if err := k.bar(ctx, &op); err != nil {
				return err
			}
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
		relayer, err := k.ownText(grant.Relayer)
		if err != nil {
			return err
		}
		if err := k.grants.Set(ctx, collections.Join(operator, relayer), grant); err != nil {
			return err
		}
	}
	for _, link := range gs.NodeLinks {
		if err := k.nodeLinks.Set(ctx, collections.Join(link.NodeHash, link.Owner), link); err != nil {
			return err
		}
	}
	return nil
}

func (k *Keeper) initConsents(ctx context.Context, gs *types.GenesisState) error {
	for _, consent := range gs.ControllerConsents {
		operator, err := k.ownText(consent.Operator)
		if err != nil {
			return err
		}
		controller, err := k.ownText(consent.Controller)
		if err != nil {
			return err
		}
		if err := k.consents.Set(ctx, collections.Join(operator, controller), consent); err != nil {
			return err
		}
	}
	return nil
}

// ownText reads an address that must be written the way this chain writes it: a state that lists one account in two spellings
// would pass for two.
func (k *Keeper) ownText(text string) ([]byte, error) {
	addr, err := k.parseAddress("genesis", text)
	if err != nil {
		return nil, err
	}
	if own, err := k.addressCodec.BytesToString(addr); err != nil || own != text {
		return nil, errorsmod.Wrapf(types.ErrInvalidAddress, "genesis: %q is not in lower case", text)
	}
	return addr, nil
}

// initClock restores block hashes and epoch starts, which must be of the past: every deadline in the state is a height, so a
// chain that continues one may not begin below where that one ended.
func (k *Keeper) initClock(ctx context.Context, gs *types.GenesisState) error {
	if err := checkPast(max(height(ctx), 1), gs); err != nil {
		return err
	}
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

// checkPast checks that the clock stands before the first block. Errors: ErrInvalidGenesis.
func checkPast(first uint64, gs *types.GenesisState) error {
	for i := range gs.BlockHashes {
		if at := gs.BlockHashes[i].Height; at >= first {
			return errorsmod.Wrapf(types.ErrInvalidGenesis, "block %d is known before the first block %d: set initial_height above it", at, first)
		}
	}
	schedule := gs.Params.Schedule.Domain()
	for i := range gs.EpochStarts {
		e := gs.EpochStarts[i].Epoch
		if begin, err := schedule.First(e); err != nil || begin >= first {
			return errorsmod.Wrapf(types.ErrInvalidGenesis, "epoch %d began before the first block %d: set initial_height above its first", e, first)
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
	if gs.ControllerConsents, err = values(ctx, k.consents); err != nil {
		return nil, err
	}
	if gs.EpochStarts, err = values(ctx, k.epochStarts); err != nil {
		return nil, err
	}
	err = k.blockHashes.Walk(ctx, nil, func(at uint64, hash []byte) (bool, error) {
		gs.BlockHashes = append(gs.BlockHashes, types.BlockHash{Height: at, Hash: hash})
		return false, nil
	})
	if err != nil {
		return nil, err
	}
	if err := k.exportProbers(ctx, gs); err != nil {
		return nil, err
	}
	return gs, k.exportOffences(ctx, gs)
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

// checkBalance compares the module account with the bonds, unbonding entries, reports, and verifiers' and probers' bonds it holds.
func (k *Keeper) checkBalance(ctx context.Context, gs *types.GenesisState) error {
	owed := math.ZeroInt()
	for i := range gs.Operators {
		op := &gs.Operators[i]
		owed = owed.Add(math.NewIntFromUint64(op.BondUltai)).Add(math.NewIntFromUint64(op.UnbondingUltai))
	}
	for i := range gs.Reports {
		owed = owed.Add(math.NewIntFromUint64(gs.Reports[i].BondUltai))
	}
	for i := range gs.Verifiers {
		owed = owed.Add(math.NewIntFromUint64(gs.Verifiers[i].BondUltai))
	}
	for i := range gs.Probers {
		owed = owed.Add(math.NewIntFromUint64(gs.Probers[i].BondUltai))
	}
	held := k.bank.GetBalance(ctx, authtypes.NewModuleAddress(types.ModuleName), types.BondDenom).Amount
	if !held.Equal(owed) {
		return errorsmod.Wrapf(types.ErrInvariant, "module account holds %s ultai, owes %s", held, owed)
	}
	return nil
}
