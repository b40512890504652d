// SPDX-License-Identifier: Apache-2.0

package keeper

import (
	"bytes"
	"context"

	errorsmod "cosmossdk.io/errors"

	"github.com/gpucoord/gpucoord/domain/split"
	"github.com/gpucoord/gpucoord/x/receipts/types"
)

const (
	// gatewaySlashBps of its bond, thawing money included, is what a gateway loses for a payment that it named twice.
	gatewaySlashBps = 5_000
	// reporterBps of that are the reporter's, at most reporterMultiple times what his own bond is worth.
	reporterBps      = 2_000
	reporterMultiple = 5
)

// checkGatewayReporter refuses a gateway and its controller as reporter. Error: ErrOwnEvidence.
func (k *Keeper) checkGatewayReporter(ctx context.Context, gateway, reporter []byte) error {
	g, err := k.gateway(ctx, gateway)
	if err != nil {
		return err
	}
	controller, err := k.parseAddress("controller", g.Controller)
	if err != nil {
		return err
	}
	if bytes.Equal(gateway, reporter) || bytes.Equal(controller, reporter) {
		return errorsmod.Wrapf(types.ErrOwnEvidence, "%X is or controls gateway %s", reporter, g.Address)
	}
	return nil
}

// slashGateway takes half of a gateway's bond, rounded up: first what is bonded, then what thaws. The reporter gets his part, insurance
// the rest.
func (k *Keeper) slashGateway(ctx context.Context, gateway []byte, paymentRef [32]byte, c *challenge) error {
	g, err := k.gateway(ctx, gateway)
	if err != nil {
		return err
	}
	total := g.BondUusdc
	if err := addTo(&total, g.UnbondingUusdc); err != nil {
		return err
	}
	slash, err := split.SlashBps(total, gatewaySlashBps)
	if err != nil {
		return err
	}
	reward, err := k.gatewayReward(ctx, slash, c.bond)
	if err != nil {
		return err
	}
	fromBond := min(slash, g.BondUusdc)
	g.BondUusdc -= fromBond
	if err := k.slashThaw(ctx, &g, slash-fromBond); err != nil {
		return err
	}
	if err := addTo(&g.SlashedUusdc, slash); err != nil {
		return err
	}
	if err := k.gateways.Set(ctx, gateway, g); err != nil {
		return err
	}
	if reward > 0 {
		if err := k.bank.SendCoinsFromModuleToAccount(ctx, types.ModuleName, c.reporter, coins(reward)); err != nil {
			return err
		}
	}
	if slash > reward {
		if err := k.bank.SendCoinsFromModuleToModule(ctx, types.ModuleName, types.InsuranceAccount, coins(slash-reward)); err != nil {
			return err
		}
	}
	return emit(ctx, &types.EventGatewaySlashed{
		Gateway: g.Address, PaymentRef: paymentRef[:], SlashUusdc: slash, ReporterUusdc: reward, InsuranceUusdc: slash - reward,
		BondUusdc: g.BondUusdc, UnbondingUusdc: g.UnbondingUusdc,
	})
}

// gatewayReward returns the reporter's part of a slash: a fifth of it, at most five times what his bond is worth, rounded down.
func (k *Keeper) gatewayReward(ctx context.Context, slash, bond uint64) (uint64, error) {
	params, err := k.operators.Params(ctx)
	if err != nil {
		return 0, err
	}
	worth, err := split.Cover(bond, params.BondPriceUusdc)
	if err != nil {
		return 0, err
	}
	part := slash / types.WholeBps * reporterBps
	part += slash % types.WholeBps * reporterBps / types.WholeBps
	if worth > part/reporterMultiple {
		return part, nil
	}
	return worth * reporterMultiple, nil // at most part
}

// slashThaw takes from the thawing bond of a gateway; the caller stores g.
func (k *Keeper) slashThaw(ctx context.Context, g *types.Gateway, amount uint64) error {
	if amount == 0 {
		return nil
	}
	thaw, err := k.thaws.Get(ctx, g.UnbondingThaw)
	if err != nil {
		return err
	}
	if err := takeFrom(&thaw.AmountUusdc, amount); err != nil {
		return err
	}
	if err := takeFrom(&g.UnbondingUusdc, amount); err != nil {
		return err
	}
	if thaw.AmountUusdc > 0 {
		return k.thaws.Set(ctx, thaw.Id, thaw)
	}
	g.UnbondingThaw = 0
	return k.thaws.Remove(ctx, thaw.Id)
}
