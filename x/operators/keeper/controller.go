// SPDX-License-Identifier: Apache-2.0

package keeper

import (
	"bytes"
	"context"

	"cosmossdk.io/collections"
	errorsmod "cosmossdk.io/errors"

	"github.com/gpucoord/gpucoord/x/operators/types"
)

// ConsentToOperator says whether an operator that is yet to register may name the controller. Without it anyone could make his
// work count as another's, against the other's spread, caps and independence.
//
// Errors: ErrInvalidAddress (both are one account), ErrOperatorExists, ErrNoConsent (there is none to take back).
func (k *Keeper) ConsentToOperator(ctx context.Context, controller, operator []byte, given bool) error {
	if bytes.Equal(controller, operator) {
		return errorsmod.Wrap(types.ErrInvalidAddress, "an operator needs no consent of its own")
	}
	consent, err := k.newConsent(controller, operator)
	if err != nil {
		return err
	}
	key := collections.Join(operator, controller)
	if given {
		if err := k.checkUnregistered(ctx, operator); err != nil {
			return err
		}
		if err := k.consents.Set(ctx, key, consent); err != nil {
			return err
		}
	} else if err := k.useConsent(ctx, operator, controller); err != nil {
		return err
	}
	return emit(ctx, &types.EventControllerConsent{Consent: consent, Given: given})
}

func (k *Keeper) newConsent(controller, operator []byte) (types.ControllerConsent, error) {
	controllerText, err := k.addressCodec.BytesToString(controller)
	if err != nil {
		return types.ControllerConsent{}, errorsmod.Wrapf(types.ErrInvalidAddress, "controller: %s", err)
	}
	operatorText, err := k.addressCodec.BytesToString(operator)
	if err != nil {
		return types.ControllerConsent{}, errorsmod.Wrapf(types.ErrInvalidAddress, "operator: %s", err)
	}
	return types.ControllerConsent{Controller: controllerText, Operator: operatorText}, nil
}

// useConsent removes a consent. Errors: ErrNoConsent.
func (k *Keeper) useConsent(ctx context.Context, operator, controller []byte) error {
	key := collections.Join(operator, controller)
	found, err := k.consents.Has(ctx, key)
	if err != nil {
		return err
	}
	if !found {
		return errorsmod.Wrapf(types.ErrNoConsent, "%x for operator %x", controller, operator)
	}
	return k.consents.Remove(ctx, key)
}

// checkUnregistered checks that there is no such operator yet. Errors: ErrOperatorExists.
func (k *Keeper) checkUnregistered(ctx context.Context, operator []byte) error {
	exists, err := k.operators.Has(ctx, operator)
	if err != nil {
		return err
	}
	if exists {
		return errorsmod.Wrapf(types.ErrOperatorExists, "%x", operator)
	}
	return nil
}
