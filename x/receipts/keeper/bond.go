// SPDX-License-Identifier: Apache-2.0

package keeper

import (
	"context"

	errorsmod "cosmossdk.io/errors"

	"github.com/gpucoord/gpucoord/domain/u128"
	"github.com/gpucoord/gpucoord/x/receipts/types"
)

// BondGateway adds amount uusdc of a gateway's own money to its bond and returns the bond.
//
// Errors: ErrUnknownGateway, ErrOverflow, and what the bank returns.
func (k *Keeper) BondGateway(ctx context.Context, gateway []byte, amount uint64) (uint64, error) {
	g, err := k.gateway(ctx, gateway)
	if err != nil {
		return 0, err
	}
	if err := addTo(&g.BondUusdc, amount); err != nil {
		return 0, errorsmod.Wrap(err, "bond")
	}
	if err := k.bank.SendCoinsFromAccountToModule(ctx, gateway, types.ModuleName, coins(amount)); err != nil {
		return 0, err
	}
	if err := k.gateways.Set(ctx, gateway, g); err != nil {
		return 0, err
	}
	return g.BondUusdc, emit(ctx, &types.EventGatewayBonded{Gateway: g.Address, BondUusdc: g.BondUusdc, AmountUusdc: amount})
}

// UnbondGateway moves the whole bond of a gateway without live keys to the thaw queue, from where it is paid out after thaw_blocks: by
// then every job of its keys has been claimed and settled. The gateway keeps its name and may bond again.
//
// Errors: ErrUnknownGateway, ErrKeysLive, ErrBondThaws, ErrNoBond, ErrOverflow.
func (k *Keeper) UnbondGateway(ctx context.Context, gateway []byte) (types.Thaw, error) {
	g, err := k.gateway(ctx, gateway)
	if err != nil {
		return types.Thaw{}, err
	}
	switch {
	case g.Keys > 0:
		return types.Thaw{}, errorsmod.Wrapf(types.ErrKeysLive, "%d", g.Keys)
	case g.UnbondingUusdc > 0:
		return types.Thaw{}, errorsmod.Wrapf(types.ErrBondThaws, "%duusdc", g.UnbondingUusdc)
	case g.BondUusdc == 0:
		return types.Thaw{}, types.ErrNoBond
	}
	params, err := k.params.Get(ctx)
	if err != nil {
		return types.Thaw{}, err
	}
	mature, ok := u128.Add(height(ctx), params.ThawBlocks)
	if !ok {
		return types.Thaw{}, errorsmod.Wrap(types.ErrOverflow, "height at which it matures")
	}
	id, err := k.nextThaw.Next(ctx)
	if err != nil {
		return types.Thaw{}, err
	}
	thaw := types.Thaw{Id: id, Gateway: g.Address, AmountUusdc: g.BondUusdc, MatureHeight: mature}
	g.BondUusdc, g.UnbondingUusdc, g.UnbondingThaw = 0, g.BondUusdc, id
	if err := k.thaws.Set(ctx, id, thaw); err != nil {
		return types.Thaw{}, err
	}
	if err := k.gateways.Set(ctx, gateway, g); err != nil {
		return types.Thaw{}, err
	}
	return thaw, emit(ctx, &types.EventGatewayUnbonding{Thaw: thaw})
}

// payBond pays out a gateway's bond that has thawed.
func (k *Keeper) payBond(ctx context.Context, thaw *types.Thaw) error {
	gateway, err := k.parseParty("gateway", thaw.Gateway)
	if err != nil {
		return err
	}
	g, err := k.gateway(ctx, gateway)
	if err != nil {
		return err
	}
	if err := takeFrom(&g.UnbondingUusdc, thaw.AmountUusdc); err != nil {
		return err
	}
	g.UnbondingThaw = 0
	if err := k.gateways.Set(ctx, gateway, g); err != nil {
		return err
	}
	if err := k.thaws.Remove(ctx, thaw.Id); err != nil {
		return err
	}
	if err := k.bank.SendCoinsFromModuleToAccount(ctx, types.ModuleName, gateway, coins(thaw.AmountUusdc)); err != nil {
		return err
	}
	return emit(ctx, &types.EventWithdrawalPaid{Thaw: *thaw})
}
