// SPDX-License-Identifier: Apache-2.0

package keeper

import (
	"bytes"
	"context"
	"errors"

	"cosmossdk.io/collections"
	errorsmod "cosmossdk.io/errors"

	"github.com/gpucoord/gpucoord/domain/receipt"
	"github.com/gpucoord/gpucoord/x/receipts/types"
)

// RegisterGateway registers an account as a gateway and takes its bond. An empty controller is the gateway itself; another one must
// have consented, and the consent is used up.
//
// Errors: ErrGatewayExists, ErrBondTooLow, ErrNoConsent, and what the bank returns.
func (k *Keeper) RegisterGateway(ctx context.Context, gateway, controller []byte, moniker string, bond uint64) error {
	if err := k.checkNewGateway(ctx, gateway); err != nil {
		return err
	}
	params, err := k.params.Get(ctx)
	if err != nil {
		return err
	}
	if bond < params.MinGatewayBondUusdc {
		return errorsmod.Wrapf(types.ErrBondTooLow, "%duusdc, least is %d", bond, params.MinGatewayBondUusdc)
	}
	g := types.Gateway{Moniker: moniker, BondUusdc: bond, RegisteredHeight: height(ctx)}
	if g.Address, err = k.bech32(gateway); err != nil {
		return err
	}
	if len(controller) == 0 {
		controller = gateway
	}
	if g.Controller, err = k.bech32(controller); err != nil {
		return err
	}
	if !bytes.Equal(controller, gateway) {
		if err := k.useConsent(ctx, gateway, controller); err != nil {
			return err
		}
	}
	if bond > 0 {
		if err := k.bank.SendCoinsFromAccountToModule(ctx, gateway, types.ModuleName, coins(bond)); err != nil {
			return err
		}
	}
	if err := k.gateways.Set(ctx, gateway, g); err != nil {
		return err
	}
	return emit(ctx, &types.EventGatewayRegistered{Gateway: g})
}

// KeyRegistration is a gateway key with its proof of possession.
type KeyRegistration struct {
	PublicKey [33]byte // compressed secp256k1
	Proof     [65]byte // the key's signature of receipt.KeyProofDigest for the role of a gateway and the gateway's account
	Settler   []byte   // the account that pays for the key's jobs
}

// AddGatewayKey registers a key for jobs issued from key_notice_seconds after this block on, and returns its address. A key is used
// once, chain-wide.
//
// Errors: ErrOverflow, ErrUnknownGateway, ErrTooManyKeys, ErrBondTooLow, ErrBadKeyProof, ErrKeyUsed, ErrUnknownSettler, ErrWrongSettler (of another gateway).
func (k *Keeper) AddGatewayKey(ctx context.Context, gateway []byte, reg KeyRegistration) ([20]byte, error) {
	var none [20]byte
	g, err := k.gateway(ctx, gateway)
	if err != nil {
		return none, err
	}
	params, err := k.params.Get(ctx)
	if err != nil {
		return none, err
	}
	if g.Keys >= params.MaxGatewayKeys {
		return none, errorsmod.Wrapf(types.ErrTooManyKeys, "%d, most is %d", g.Keys, params.MaxGatewayKeys)
	}
	if g.BondUusdc < params.MinGatewayBondUusdc {
		return none, errorsmod.Wrapf(types.ErrBondTooLow, "%duusdc, least is %d", g.BondUusdc, params.MinGatewayBondUusdc)
	}
	address, err := k.checkNewKey(ctx, gateway, &reg)
	if err != nil {
		return none, err
	}
	settler, err := k.settler(ctx, reg.Settler)
	if err != nil {
		return none, err
	}
	if settler.Gateway != g.Address {
		return none, errorsmod.Wrapf(types.ErrWrongSettler, "%s settles for another gateway", settler.Address)
	}
	from, err := afterNotice(ctx, &params)
	if err != nil {
		return none, err
	}
	key := types.GatewayKey{
		Address: address[:], PublicKey: reg.PublicKey[:], Gateway: g.Address, Settler: settler.Address, ValidFrom: from,
	}
	if err := k.gatewayKeys.Set(ctx, key.Address, key); err != nil {
		return none, err
	}
	g.Keys++
	if err := k.gateways.Set(ctx, gateway, g); err != nil {
		return none, err
	}
	settler.Keys++
	if err := k.settlers.Set(ctx, reg.Settler, settler); err != nil {
		return none, err
	}
	return address, emit(ctx, &types.EventGatewayKeyAdded{Key: key})
}

// checkNewKey proves that the key is held by whoever registers it and was never registered before. It returns its address.
func (k *Keeper) checkNewKey(ctx context.Context, gateway []byte, reg *KeyRegistration) ([20]byte, error) {
	var none [20]byte
	address, err := receipt.AddressOfCompressed(reg.PublicKey[:])
	if err != nil {
		return none, errorsmod.Wrap(types.ErrBadKeyProof, err.Error())
	}
	domain, err := k.operators.ReceiptDomain(ctx)
	if err != nil {
		return none, err
	}
	digest := receipt.KeyProofDigest(domain, receipt.RoleGateway, [types.AddressLength]byte(gateway), address)
	signer, err := receipt.RecoverAddress(digest, reg.Proof)
	if err != nil {
		return none, errorsmod.Wrap(types.ErrBadKeyProof, err.Error())
	}
	if signer != address {
		return none, errorsmod.Wrapf(types.ErrBadKeyProof, "signed by %x, key is %x", signer, address)
	}
	used, err := k.gatewayKeys.Has(ctx, address[:])
	if err != nil {
		return none, err
	}
	if used {
		return none, errorsmod.Wrapf(types.ErrKeyUsed, "%x", address)
	}
	return address, nil
}

// afterNotice returns when a change of a key's life takes effect. A host takes jobs that are issued a little in the future, so a change
// at once would give jobs that are served already another settler: their samples could not be opened, which costs the operator's bond.
//
// Errors: ErrOverflow.
func afterNotice(ctx context.Context, params *types.Params) (uint64, error) {
	at := blockTime(ctx)
	err := addTo(&at, params.KeyNoticeSeconds)
	return at, err
}

// RemoveGatewayKey ends a key for jobs issued later than key_notice_seconds after this block, though not before it began, and returns
// its last second. The key counts as live no more. Its jobs stay payable: the settler's escrow thaws for longer than they can arrive.
//
// Errors: ErrOverflow, ErrUnknownKey, ErrUnauthorized (another gateway's), ErrKeyEnded.
func (k *Keeper) RemoveGatewayKey(ctx context.Context, gateway, address []byte) (uint64, error) {
	key, err := k.gatewayKeys.Get(ctx, address)
	if errors.Is(err, collections.ErrNotFound) {
		return 0, errorsmod.Wrapf(types.ErrUnknownKey, "%x", address)
	}
	if err != nil {
		return 0, err
	}
	g, err := k.gateway(ctx, gateway)
	switch {
	case err != nil:
		return 0, err
	case key.Gateway != g.Address:
		return 0, errorsmod.Wrapf(types.ErrUnauthorized, "key %x is of gateway %s", address, key.Gateway)
	case key.ValidUntil != 0:
		return 0, errorsmod.Wrapf(types.ErrKeyEnded, "%x, at %d", address, key.ValidUntil)
	case g.Keys == 0:
		return 0, errorsmod.Wrap(types.ErrInvariant, "a gateway with a live key counts none")
	}
	params, err := k.params.Get(ctx)
	if err != nil {
		return 0, err
	}
	until, err := afterNotice(ctx, &params)
	if err != nil {
		return 0, err
	}
	key.ValidUntil = max(until, key.ValidFrom) // the notice may have been longer when it was registered
	if err := k.gatewayKeys.Set(ctx, address, key); err != nil {
		return 0, err
	}
	g.Keys--
	if err := k.gateways.Set(ctx, gateway, g); err != nil {
		return 0, err
	}
	return key.ValidUntil, emit(ctx, &types.EventGatewayKeyRemoved{Key: key})
}

// Accredit accredits a gateway or withdraws it. Usage rows keep what held when they were first credited.
//
// Errors: ErrUnknownGateway.
func (k *Keeper) Accredit(ctx context.Context, gateway []byte, accredited bool) error {
	g, err := k.gateway(ctx, gateway)
	if err != nil {
		return err
	}
	g.Accredited = accredited
	if err := k.gateways.Set(ctx, gateway, g); err != nil {
		return err
	}
	return emit(ctx, &types.EventAccreditationChanged{Gateway: g.Address, Accredited: accredited})
}

// gateway returns a gateway. Error: ErrUnknownGateway.
func (k *Keeper) gateway(ctx context.Context, gateway []byte) (types.Gateway, error) {
	g, err := k.gateways.Get(ctx, gateway)
	if errors.Is(err, collections.ErrNotFound) {
		return types.Gateway{}, errorsmod.Wrapf(types.ErrUnknownGateway, "%X", gateway)
	}
	return g, err
}

// settlerOf returns who settles a job: the settler of the payer's gateway key if that was valid at issuedAt, else the operator.
func (k *Keeper) settlerOf(ctx context.Context, payer [20]byte, issuedAt uint64, operator []byte) (settler []byte, isGateway bool, err error) {
	key, err := k.gatewayKeys.Get(ctx, payer[:])
	if errors.Is(err, collections.ErrNotFound) {
		return operator, false, nil
	}
	if err != nil {
		return nil, false, err
	}
	if !validAt(&key, issuedAt) {
		return operator, false, nil
	}
	settler, err = k.parseParty("settler", key.Settler)
	return settler, true, err
}

// validAt reports whether a gateway key was valid for a job issued at a time.
func validAt(key *types.GatewayKey, issuedAt uint64) bool {
	return issuedAt >= key.ValidFrom && (key.ValidUntil == 0 || issuedAt <= key.ValidUntil)
}

// changeGateway changes the gateway of a settler, if it has one.
func (k *Keeper) changeGateway(ctx context.Context, settler *types.Settler, change func(*types.Gateway) error) error {
	if settler.Gateway == "" {
		return nil
	}
	addr, err := k.parseParty("gateway", settler.Gateway)
	if err != nil {
		return err
	}
	g, err := k.gateway(ctx, addr)
	if err != nil {
		return err
	}
	if err := change(&g); err != nil {
		return err
	}
	return k.gateways.Set(ctx, addr, g)
}
