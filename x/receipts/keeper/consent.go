// SPDX-License-Identifier: Apache-2.0

package keeper

import (
	"bytes"
	"context"

	"cosmossdk.io/collections"
	errorsmod "cosmossdk.io/errors"

	"github.com/gpucoord/gpucoord/x/receipts/types"
)

// ConsentToGateway says whether a gateway that is yet to register may name the controller. Without it anyone could register a gateway
// in another's name: work through it is no eligible usage of that one's operators, and its scorecard is taken for that one's.
//
// Errors: ErrInvalidAddress (both are one account), ErrGatewayExists, ErrNoConsent (there is none to take back).
func (k *Keeper) ConsentToGateway(ctx context.Context, controller, gateway []byte, given bool) error {
	if bytes.Equal(controller, gateway) {
		return errorsmod.Wrap(types.ErrInvalidAddress, "a gateway needs no consent of its own")
	}
	consent, err := k.newConsent(controller, gateway)
	if err != nil {
		return err
	}
	if given {
		if err := k.checkNewGateway(ctx, gateway); err != nil {
			return err
		}
		if err := k.consents.Set(ctx, collections.Join(gateway, controller), consent); err != nil {
			return err
		}
	} else if err := k.useConsent(ctx, gateway, controller); err != nil {
		return err
	}
	return emit(ctx, &types.EventGatewayConsent{Consent: consent, Given: given})
}

func (k *Keeper) newConsent(controller, gateway []byte) (types.GatewayConsent, error) {
	controllerText, err := k.bech32(controller)
	if err != nil {
		return types.GatewayConsent{}, err
	}
	gatewayText, err := k.bech32(gateway)
	return types.GatewayConsent{Controller: controllerText, Gateway: gatewayText}, err
}

// useConsent removes a consent. Error: ErrNoConsent.
func (k *Keeper) useConsent(ctx context.Context, gateway, controller []byte) error {
	key := collections.Join(gateway, controller)
	found, err := k.consents.Has(ctx, key)
	if err != nil {
		return err
	}
	if !found {
		return errorsmod.Wrapf(types.ErrNoConsent, "%X for gateway %X", controller, gateway)
	}
	return k.consents.Remove(ctx, key)
}

// checkNewGateway checks that there is no such gateway yet. Error: ErrGatewayExists.
func (k *Keeper) checkNewGateway(ctx context.Context, gateway []byte) error {
	exists, err := k.gateways.Has(ctx, gateway)
	if err != nil {
		return err
	}
	if exists {
		return errorsmod.Wrapf(types.ErrGatewayExists, "%X", gateway)
	}
	return nil
}
