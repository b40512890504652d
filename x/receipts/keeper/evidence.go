// SPDX-License-Identifier: Apache-2.0

package keeper

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"

	"cosmossdk.io/collections"
	errorsmod "cosmossdk.io/errors"
	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/gpucoord/gpucoord/x/receipts/types"
)

// evidenceByteGas is what reading and hashing one byte of evidence costs beside the transaction's own bytes.
const evidenceByteGas = 10

// chargeEvidence charges for evidence before it is looked at.
func chargeEvidence(ctx context.Context, evidence []byte, signatures uint64) {
	meter := sdk.UnwrapSDKContext(ctx).GasMeter()
	meter.ConsumeGas(uint64(len(evidence))*evidenceByteGas, "bytes of evidence")
	meter.ConsumeGas(signatures*signatureGas, "signatures of evidence")
}

// useEvidence remembers a fault, which it names by its id, until its epoch is pruned. Error: ErrEvidenceUsed.
func (k *Keeper) useEvidence(ctx context.Context, id [32]byte, epoch uint64, fault string) error {
	used, err := k.evidence.Get(ctx, id[:])
	if err == nil {
		return errorsmod.Wrapf(types.ErrEvidenceUsed, "%s, at height %d", used.Fault, used.Height)
	}
	if !errors.Is(err, collections.ErrNotFound) {
		return err
	}
	return k.evidence.Set(ctx, id[:], types.UsedEvidence{Id: id[:], Epoch: epoch, Fault: fault, Height: height(ctx)})
}

// checkReporter refuses the accused operator, its controller and its relayers as reporter. Error: ErrOwnEvidence.
func (k *Keeper) checkReporter(ctx context.Context, operator, reporter []byte) error {
	op, err := k.operators.Operator(ctx, operator)
	if err != nil {
		return err
	}
	controller, err := k.parseAddress("controller", op.Controller)
	if err != nil {
		return err
	}
	if bytes.Equal(controller, reporter) || k.operators.CheckSender(ctx, operator, reporter) == nil {
		return errorsmod.Wrapf(types.ErrOwnEvidence, "%X is or acts for %s", reporter, op.Address)
	}
	return nil
}

// hostKeyOperator returns the host and the operator of a receipt key. Error: operators' ErrUnknownHostKey.
func (k *Keeper) hostKeyOperator(ctx context.Context, key [20]byte) (hostID [32]byte, operator []byte, err error) {
	host, err := k.operators.HostKey(ctx, key)
	if err != nil {
		return hostID, nil, err
	}
	if len(host.HostId) != types.HashLength {
		return hostID, nil, errorsmod.Wrapf(types.ErrInvariant, "host id of key %x has %d bytes", key, len(host.HostId))
	}
	operator, err = k.parseParty("operator", host.Operator)
	return [32]byte(host.HostId), operator, err
}

// claimKey is the key under which the batch with a host key's seqs at a settler, up to last, is found.
func claimKey(epoch uint64, hostKey, settler []byte, last uint64) epochPair {
	key := make([]byte, 0, 2*types.AddressLength+8)
	key = append(append(key, hostKey...), settler...)
	return collections.Join(epoch, binary.BigEndian.AppendUint64(key, last))
}

// claimOf returns the batch of an epoch that claims the seqs around seq of a host key at a settler, or false. There is at most one:
// each batch begins above the watermark of the one before. It reads one entry, however many batches there are.
func (k *Keeper) claimOf(ctx context.Context, epoch uint64, hostKey, settler []byte, seq uint64) (id uint64, found bool, err error) {
	from := claimKey(epoch, hostKey, settler, seq)
	ranger := collections.NewPrefixedPairRange[uint64, []byte](epoch).StartInclusive(from.K2())
	err = k.claims.Walk(ctx, ranger, func(key epochPair, batch uint64) (bool, error) {
		prefix := from.K2()[:2*types.AddressLength]
		if bytes.HasPrefix(key.K2(), prefix) {
			id, found = batch, true
		}
		return true, nil
	})
	return id, found, err
}

// indexClaims makes a batch findable by the seqs it claims.
func (k *Keeper) indexClaims(ctx context.Context, b *types.Batch) error {
	for first, end := range b.BySettler() {
		last := uint64(0)
		for i := first; i < end; i++ {
			last = max(last, b.Groups[i].LastSeq)
		}
		if err := k.claims.Set(ctx, claimKey(b.Epoch, b.HostKey, b.Groups[first].Settler, last), b.Id); err != nil {
			return err
		}
	}
	return nil
}
