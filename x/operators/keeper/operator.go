// SPDX-License-Identifier: Apache-2.0

package keeper

import (
	"bytes"
	"context"
	"errors"

	"cosmossdk.io/collections"
	errorsmod "cosmossdk.io/errors"

	"github.com/gpucoord/gpucoord/x/operators/types"
)

const maxPPM = 1_000_000

// Operator returns an operator. Errors: ErrUnknownOperator.
func (k *Keeper) Operator(ctx context.Context, addr []byte) (types.Operator, error) {
	op, err := k.operators.Get(ctx, addr)
	if errors.Is(err, collections.ErrNotFound) {
		return types.Operator{}, errorsmod.Wrapf(types.ErrUnknownOperator, "%x", addr)
	}
	return op, err
}

// liveOperator returns an operator that is not tombstoned, and whose controller stands behind no operator that is.
//
// Errors: ErrUnknownOperator, ErrTombstoned, ErrBarred.
func (k *Keeper) liveOperator(ctx context.Context, addr []byte) (types.Operator, error) {
	op, err := k.Operator(ctx, addr)
	if err != nil {
		return types.Operator{}, err
	}
	if op.Status == types.OperatorStatus_OPERATOR_STATUS_TOMBSTONED {
		return types.Operator{}, errorsmod.Wrap(types.ErrTombstoned, op.Address)
	}
	controller, err := k.parseAddress("controller", op.Controller)
	if err != nil {
		return types.Operator{}, err
	}
	return op, k.checkBarred(ctx, addr, controller)
}

// RegisterOperator registers an operator with an optional first bond. An empty controller is the operator itself; another one
// must have consented, and the consent is used up.
//
// Errors: ErrInvalidAddress, ErrInvalidRequest, ErrOperatorExists, ErrBarred, ErrNoConsent, and those of Bond.
func (k *Keeper) RegisterOperator(ctx context.Context, addr, controller []byte, about types.Description, bond uint64) error {
	if len(addr) != types.AddressLength {
		return errorsmod.Wrapf(types.ErrInvalidAddress, "operator has %d bytes, want %d", len(addr), types.AddressLength)
	}
	if err := about.Validate(); err != nil {
		return err
	}
	if err := k.checkUnregistered(ctx, addr); err != nil {
		return err
	}
	if err := k.checkBarred(ctx, addr, controller); err != nil {
		return err
	}
	op, err := k.newOperator(ctx, addr, controller, about)
	if err != nil {
		return err
	}
	if len(controller) > 0 && !bytes.Equal(controller, addr) {
		if err := k.useConsent(ctx, addr, controller); err != nil {
			return err
		}
	}
	if err := k.operators.Set(ctx, addr, op); err != nil {
		return err
	}
	if err := emit(ctx, &types.EventOperatorRegistered{Operator: op}); err != nil {
		return err
	}
	if bond == 0 {
		return nil
	}
	_, err = k.Bond(ctx, addr, bond)
	return err
}

func (k *Keeper) newOperator(ctx context.Context, addr, controller []byte, about types.Description) (types.Operator, error) {
	params, err := k.params.Get(ctx)
	if err != nil {
		return types.Operator{}, err
	}
	if len(controller) == 0 {
		controller = addr
	}
	address, err := k.addressCodec.BytesToString(addr)
	if err != nil {
		return types.Operator{}, errorsmod.Wrapf(types.ErrInvalidAddress, "operator: %s", err)
	}
	controllerText, err := k.addressCodec.BytesToString(controller)
	if err != nil {
		return types.Operator{}, errorsmod.Wrapf(types.ErrInvalidAddress, "controller: %s", err)
	}
	e, err := k.CurrentEpoch(ctx)
	if err != nil && !errors.Is(err, types.ErrBeforeGenesis) {
		return types.Operator{}, err
	}
	return types.Operator{
		Address: address, Controller: controllerText,
		Moniker: about.Moniker, Region: about.Region, Tier: about.Tier,
		Status:           types.OperatorStatus_OPERATOR_STATUS_ACTIVE,
		RegisteredHeight: height(ctx),
		ReputationPpm:    params.InitialReputationPpm,
		ReputationEpoch:  e,
	}, nil
}

// UpdateOperator replaces what an operator says about itself; the controller stays. Errors: ErrInvalidRequest, ErrUnknownOperator.
func (k *Keeper) UpdateOperator(ctx context.Context, addr []byte, about types.Description) error {
	if err := about.Validate(); err != nil {
		return err
	}
	op, err := k.Operator(ctx, addr)
	if err != nil {
		return err
	}
	op.Moniker, op.Region, op.Tier = about.Moniker, about.Region, about.Tier
	if err := k.operators.Set(ctx, addr, op); err != nil {
		return err
	}
	return emit(ctx, &types.EventOperatorUpdated{Operator: op})
}

// CheckSender checks that sender may act for the operator: it is the operator, or holds a grant that has not expired.
//
// Errors: ErrUnknownOperator, ErrUnauthorized.
func (k *Keeper) CheckSender(ctx context.Context, operator, sender []byte) error {
	if _, err := k.Operator(ctx, operator); err != nil {
		return err
	}
	if bytes.Equal(operator, sender) {
		return nil
	}
	grant, err := k.grants.Get(ctx, collections.Join(operator, sender))
	if errors.Is(err, collections.ErrNotFound) {
		return errorsmod.Wrapf(types.ErrUnauthorized, "%x has no grant of %x", sender, operator)
	}
	if err != nil {
		return err
	}
	if height(ctx) >= grant.ExpiresHeight {
		return errorsmod.Wrapf(types.ErrUnauthorized, "grant expired at height %d", grant.ExpiresHeight)
	}
	return nil
}

// CheckMayWork checks that an operator may take new work now, which the operator's query answers to gateways. Work that it served before
// a jail may still be submitted; what was served in one is found by Operator.JailedDuring.
//
// Errors: ErrUnknownOperator, ErrTombstoned, ErrBarred, ErrJailed, ErrBondTooLow.
func (k *Keeper) CheckMayWork(ctx context.Context, operator []byte) error {
	op, err := k.liveOperator(ctx, operator)
	if err != nil {
		return err
	}
	if height(ctx) < op.JailedUntil {
		return errorsmod.Wrapf(types.ErrJailed, "until height %d", op.JailedUntil)
	}
	params, err := k.params.Get(ctx)
	if err != nil {
		return err
	}
	if op.BondUltai < params.MinBondUltai {
		return errorsmod.Wrapf(types.ErrBondTooLow, "bond %d, want %d ultai", op.BondUltai, params.MinBondUltai)
	}
	return nil
}

// Reputation returns an operator's reputation in ppm as it was at the epoch of its last change. Errors: ErrUnknownOperator.
func (k *Keeper) Reputation(ctx context.Context, operator []byte) (ppm, epoch uint64, err error) {
	op, err := k.Operator(ctx, operator)
	if err != nil {
		return 0, 0, err
	}
	return op.ReputationPpm, op.ReputationEpoch, nil
}

// SetReputation stores an operator's reputation in ppm and the epoch of the change. Errors: ErrBadReputation, ErrUnknownOperator.
func (k *Keeper) SetReputation(ctx context.Context, operator []byte, ppm, epoch uint64) error {
	if ppm > maxPPM {
		return errorsmod.Wrapf(types.ErrBadReputation, "%d", ppm)
	}
	op, err := k.Operator(ctx, operator)
	if err != nil {
		return err
	}
	op.ReputationPpm, op.ReputationEpoch = ppm, epoch
	if err := k.operators.Set(ctx, operator, op); err != nil {
		return err
	}
	return emit(ctx, &types.EventReputationChanged{Operator: op.Address, ReputationPpm: ppm, Epoch: epoch})
}
