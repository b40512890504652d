// SPDX-License-Identifier: Apache-2.0

package keeper

import (
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

// LinkNode links an Aleph node to an operator in the name of the owner who signed. A node has one operator for each owner; the
// link moves, and is renewed, only by a fresh signature of that owner. The chain does not know who owns a node, so links of
// different owners do not touch each other: whoever comes first cannot shut the true owner out.
//
// Errors: ErrUnknownOperator, ErrTombstoned, ErrBadExpiry, ErrBarred, ErrBadNonce, ErrBadLink.
func (k *Keeper) LinkNode(ctx context.Context, operator []byte, proof NodeProof) error {
	op, err := k.liveOperator(ctx, operator)
	if err != nil {
		return err
	}
	if proof.Expiry <= blockTime(ctx) {
		return errorsmod.Wrapf(types.ErrBadExpiry, "signature expired at %d", proof.Expiry)
	}
	at := collections.Join(proof.NodeHash, proof.Owner[:])
	old, err := k.nodeLinks.Get(ctx, at) // absent: nonce 0
	if err != nil && !errors.Is(err, collections.ErrNotFound) {
		return err
	}
	if err := k.checkLinkFree(ctx, &old); err != nil {
		return err
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
	if err := k.nodeLinks.Set(ctx, at, link); err != nil {
		return err
	}
	return emit(ctx, &types.EventNodeLinked{Link: link})
}

// checkLinkFree checks that a link, which may be the zero one, can move: a tombstoned operator's nodes go down with it.
func (k *Keeper) checkLinkFree(ctx context.Context, link *types.NodeLink) error {
	if link.Operator == "" {
		return nil
	}
	addr, err := k.parseOperator(link.Operator)
	if err != nil {
		return err
	}
	op, err := k.Operator(ctx, addr)
	if err != nil {
		return err
	}
	if op.Status == types.OperatorStatus_OPERATOR_STATUS_TOMBSTONED {
		return errorsmod.Wrapf(types.ErrBarred, "node %q", link.NodeHash)
	}
	return nil
}

// NodeLink returns the link of a node by an owner. Errors: ErrUnknownNode.
func (k *Keeper) NodeLink(ctx context.Context, nodeHash string, owner [20]byte) (types.NodeLink, error) {
	link, err := k.nodeLinks.Get(ctx, collections.Join(nodeHash, owner[:]))
	if errors.Is(err, collections.ErrNotFound) {
		return types.NodeLink{}, errorsmod.Wrapf(types.ErrUnknownNode, "%q by %x", nodeHash, owner)
	}
	return link, err
}
