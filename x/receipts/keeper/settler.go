// SPDX-License-Identifier: Apache-2.0

package keeper

import (
	"context"
	"errors"

	"cosmossdk.io/collections"
	errorsmod "cosmossdk.io/errors"

	operatorstypes "github.com/gpucoord/gpucoord/x/operators/types"
	"github.com/gpucoord/gpucoord/x/receipts/types"
)

// SettlerTerms are what a settler is registered for.
type SettlerTerms struct {
	Gateway       []byte // nil for an operator that settles its own work
	Class         types.Class
	PaysOperators bool // whether the operator share is settled here too
}

// RegisterSettler registers an account as a settler: of a gateway, whose account must be no operator's, or of an operator's own
// work. It settles nothing of a gateway before the gateway gives it a key.
//
// Errors: ErrSettlerExists, ErrUnknownGateway, ErrIsOperator, and operators' ErrUnknownOperator for direct work.
func (k *Keeper) RegisterSettler(ctx context.Context, settler []byte, terms SettlerTerms) error {
	exists, err := k.settlers.Has(ctx, settler)
	if err != nil {
		return err
	}
	if exists {
		return types.ErrSettlerExists
	}
	s := types.Settler{Class: terms.Class, PaysOperators: terms.PaysOperators, RegisteredHeight: height(ctx)}
	if s.Address, err = k.bech32(settler); err != nil {
		return err
	}
	op, err := k.operators.Operator(ctx, settler)
	isOperator := err == nil
	if err != nil && !errors.Is(err, operatorstypes.ErrUnknownOperator) {
		return err
	}
	switch {
	case terms.Gateway == nil && !isOperator:
		return err
	case terms.Gateway == nil:
		s.Controller = op.Controller
	case isOperator:
		return types.ErrIsOperator
	default:
		g, err := k.gateway(ctx, terms.Gateway)
		if err != nil {
			return err
		}
		s.Gateway, s.Controller = g.Address, g.Controller
	}
	if err := k.settlers.Set(ctx, settler, s); err != nil {
		return err
	}
	return emit(ctx, &types.EventSettlerRegistered{Settler: s})
}

// settler returns a settler as stored. Error: ErrUnknownSettler.
func (k *Keeper) settler(ctx context.Context, settler []byte) (types.Settler, error) {
	s, err := k.settlers.Get(ctx, settler)
	if errors.Is(err, collections.ErrNotFound) {
		return types.Settler{}, errorsmod.Wrapf(types.ErrUnknownSettler, "%X", settler)
	}
	return s, err
}

// accredited reports whether a settler's gateway is accredited.
func (k *Keeper) accredited(ctx context.Context, s *types.Settler) (bool, error) {
	if s.Gateway == "" {
		return false, nil
	}
	addr, err := k.parseParty("gateway", s.Gateway)
	if err != nil {
		return false, err
	}
	g, err := k.gateway(ctx, addr)
	return g.Accredited, err
}

// Deposit adds escrow to a settler; anybody may pay. Errors: ErrUnknownSettler, ErrOverflow, and what the bank returns.
func (k *Keeper) Deposit(ctx context.Context, depositor, settler []byte, amount uint64) error {
	s, err := k.settler(ctx, settler)
	if err != nil {
		return err
	}
	if err := addTo(&s.AvailableUusdc, amount); err != nil {
		return err
	}
	if _, err := escrow(&s); err != nil {
		return err
	}
	payer, err := k.bech32(depositor)
	if err != nil {
		return err
	}
	if err := k.bank.SendCoinsFromAccountToModule(ctx, depositor, types.ModuleName, coins(amount)); err != nil {
		return err
	}
	if err := k.settlers.Set(ctx, settler, s); err != nil {
		return err
	}
	return emit(ctx, &types.EventDeposited{
		Settler: s.Address, Depositor: payer, AmountUusdc: amount, AvailableUusdc: s.AvailableUusdc,
	})
}

// SetLimit bounds what an operator may have locked at a settler. What is locked already stays.
//
// Errors: ErrUnknownSettler.
func (k *Keeper) SetLimit(ctx context.Context, settler, operator []byte, limit uint64) error {
	l, err := k.limitFor(ctx, settler, operator)
	if err != nil {
		return err
	}
	l.LimitUusdc = limit
	if err := k.limits.Set(ctx, collections.Join(settler, operator), l); err != nil {
		return err
	}
	return emit(ctx, &types.EventLimitSet{Limit: l})
}

// RemoveLimit lets the default limit hold again; the event carries it. Errors: ErrUnknownSettler.
func (k *Keeper) RemoveLimit(ctx context.Context, settler, operator []byte) error {
	l, err := k.limitFor(ctx, settler, operator)
	if err != nil {
		return err
	}
	if err := k.limits.Remove(ctx, collections.Join(settler, operator)); err != nil {
		return err
	}
	s, err := k.settler(ctx, settler)
	if err != nil {
		return err
	}
	if l.LimitUusdc, _, err = k.limitOf(ctx, &s, settler, operator); err != nil {
		return err
	}
	return emit(ctx, &types.EventLimitSet{Limit: l})
}

// limitFor returns an empty limit of a known settler.
func (k *Keeper) limitFor(ctx context.Context, settler, operator []byte) (types.Limit, error) {
	s, err := k.settler(ctx, settler)
	if err != nil {
		return types.Limit{}, err
	}
	op, err := k.bech32(operator)
	return types.Limit{Settler: s.Address, Operator: op}, err
}
