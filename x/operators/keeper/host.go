// SPDX-License-Identifier: Apache-2.0

package keeper

import (
	"context"
	"errors"

	"cosmossdk.io/collections"
	errorsmod "cosmossdk.io/errors"

	"github.com/gpucoord/gpucoord/x/operators/types"
)

// Host returns a host. Errors: ErrUnknownHost.
func (k *Keeper) Host(ctx context.Context, id [32]byte) (types.Host, error) {
	host, err := k.hosts.Get(ctx, id[:])
	if errors.Is(err, collections.ErrNotFound) {
		return types.Host{}, errorsmod.Wrapf(types.ErrUnknownHost, "%x", id)
	}
	return host, err
}

// ownHost returns a host of a live operator.
//
// Errors: ErrUnknownHost, ErrUnauthorized (it is another operator's), ErrTombstoned.
func (k *Keeper) ownHost(ctx context.Context, operator []byte, id [32]byte) (types.Host, error) {
	host, err := k.Host(ctx, id)
	if err != nil {
		return types.Host{}, err
	}
	op, err := k.liveOperator(ctx, operator)
	if err != nil {
		return types.Host{}, err
	}
	if host.Operator != op.Address {
		return types.Host{}, errorsmod.Wrapf(types.ErrUnauthorized, "host %x is not the sender's", id)
	}
	return host, nil
}

// senderHost returns a host for whose operator the sender may act, and that operator's account.
//
// Errors: ErrUnknownHost, ErrUnauthorized, ErrTombstoned.
func (k *Keeper) senderHost(ctx context.Context, sender []byte, id [32]byte) (types.Host, []byte, error) {
	host, err := k.Host(ctx, id)
	if err != nil {
		return types.Host{}, nil, err
	}
	operator, err := k.parseOperator(host.Operator)
	if err != nil {
		return types.Host{}, nil, err
	}
	if _, err := k.liveOperator(ctx, operator); err != nil {
		return types.Host{}, nil, err
	}
	return host, operator, k.CheckSender(ctx, operator, sender)
}

// RegisterHost registers a host with its first receipt key and returns its id.
//
// Errors: ErrUnknownOperator, ErrTombstoned, ErrInvalidRequest, ErrTooManyHosts, and those of the key: ErrBadKeyProof, ErrKeyUsed,
// ErrBadExpiry.
func (k *Keeper) RegisterHost(ctx context.Context, operator []byte, key KeyRegistration, offer types.HostOffer) ([32]byte, error) {
	var none [32]byte
	if err := offer.Validate(); err != nil {
		return none, err
	}
	op, err := k.liveOperator(ctx, operator)
	if err != nil {
		return none, err
	}
	params, err := k.params.Get(ctx)
	if err != nil {
		return none, err
	}
	if op.Hosts >= params.MaxHosts {
		return none, errorsmod.Wrapf(types.ErrTooManyHosts, "%d hosts, at most %d", op.Hosts, params.MaxHosts)
	}
	keyAddress, err := k.checkNewKey(ctx, operator, key)
	if err != nil {
		return none, err
	}
	number := uint64(op.Hosts)
	id := types.HostID([types.AddressLength]byte(operator), number) // an operator's account has 20 bytes
	host := types.Host{
		Id: id[:], Operator: op.Address, Number: number, ReceiptKey: keyAddress[:], RegisteredHeight: height(ctx),
	}
	setOffer(&host, offer)
	if err := k.hosts.Set(ctx, id[:], host); err != nil {
		return none, err
	}
	op.Hosts++
	if err := k.operators.Set(ctx, operator, op); err != nil {
		return none, err
	}
	if err := emit(ctx, &types.EventHostRegistered{Host: host}); err != nil {
		return none, err
	}
	return id, k.storeKey(ctx, host, keyAddress, key, nil)
}

// UpdateHost replaces a host's endpoint, models and prices.
//
// Errors: ErrInvalidRequest, ErrUnknownHost, ErrUnauthorized, ErrTombstoned.
func (k *Keeper) UpdateHost(ctx context.Context, operator []byte, id [32]byte, offer types.HostOffer) error {
	if err := offer.Validate(); err != nil {
		return err
	}
	host, err := k.ownHost(ctx, operator, id)
	if err != nil {
		return err
	}
	setOffer(&host, offer)
	if err := k.hosts.Set(ctx, host.Id, host); err != nil {
		return err
	}
	return emit(ctx, &types.EventHostUpdated{Host: host})
}

func setOffer(host *types.Host, offer types.HostOffer) {
	host.Endpoint, host.TlsSpkiSha256, host.CrnHash = offer.Endpoint, offer.TLSSPKISHA256, offer.CRNHash
	host.Models = make([]*types.HostModel, len(offer.Models))
	for i := range offer.Models {
		host.Models[i] = &offer.Models[i]
	}
}
