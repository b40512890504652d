// SPDX-License-Identifier: Apache-2.0

package keeper

import (
	"bytes"
	"context"
	"errors"

	"cosmossdk.io/collections"
	errorsmod "cosmossdk.io/errors"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/gpucoord/gpucoord/domain/receipt"
	"github.com/gpucoord/gpucoord/x/operators/types"
)

// NodeProof is a node owner's consent to a link.
type NodeProof struct {
	NodeHash  string   // 64 lower-case hex characters
	Owner     [20]byte // address that must have signed
	Nonce     uint64   // the node's stored nonce plus one
	Expiry    uint64   // Unix seconds from which the signature is refused
	Signature [65]byte // EIP-191 signature of the link text
}

// LinkNode links an Aleph node to an operator. A node has one operator; it moves, and is renewed, only by a fresh signature of
// the owner who linked it first.
//
// Errors: ErrUnknownOperator, ErrTombstoned, ErrBadExpiry, ErrNotNodeOwner, ErrBadNonce, ErrBadLink.
func (k *Keeper) LinkNode(ctx context.Context, operator []byte, proof NodeProof) error {
	op, err := k.liveOperator(ctx, operator)
	if err != nil {
		return err
	}
	if proof.Expiry <= blockTime(ctx) {
		return errorsmod.Wrapf(types.ErrBadExpiry, "signature expired at %d", proof.Expiry)
	}
	old, err := k.nodeLinks.Get(ctx, proof.NodeHash) // absent: nonce 0, no owner
	if err != nil && !errors.Is(err, collections.ErrNotFound) {
		return err
	}
	if len(old.Owner) > 0 && !bytes.Equal(old.Owner, proof.Owner[:]) {
		return errorsmod.Wrapf(types.ErrNotNodeOwner, "node %s", proof.NodeHash)
	}
	if old.Nonce+1 != proof.Nonce {
		return errorsmod.Wrapf(types.ErrBadNonce, "%d after %d", proof.Nonce, old.Nonce)
	}
	text := receipt.LinkText(sdk.UnwrapSDKContext(ctx).ChainID(), op.Address, proof.NodeHash, proof.Nonce, proof.Expiry)
	signer, err := receipt.RecoverAddress(receipt.EIP191Digest(text), proof.Signature)
	if err != nil {
		return errorsmod.Wrap(types.ErrBadLink, err.Error())
	}
	if signer != proof.Owner {
		return errorsmod.Wrapf(types.ErrBadLink, "signed by %x", signer)
	}
	link := types.NodeLink{
		NodeHash: proof.NodeHash, Operator: op.Address, Owner: proof.Owner[:], Nonce: proof.Nonce, LinkedHeight: height(ctx),
	}
	if err := k.nodeLinks.Set(ctx, proof.NodeHash, link); err != nil {
		return err
	}
	return emit(ctx, &types.EventNodeLinked{Link: link})
}

// NodeLink returns the link of a node. Errors: ErrUnknownNode.
func (k *Keeper) NodeLink(ctx context.Context, nodeHash string) (types.NodeLink, error) {
	link, err := k.nodeLinks.Get(ctx, nodeHash)
	if errors.Is(err, collections.ErrNotFound) {
		return types.NodeLink{}, errorsmod.Wrap(types.ErrUnknownNode, nodeHash)
	}
	return link, err
}
