// SPDX-License-Identifier: Apache-2.0

package keeper

import (
	"context"

	errorsmod "cosmossdk.io/errors"

	"github.com/gpucoord/gpucoord/domain/receipt"
	"github.com/gpucoord/gpucoord/domain/score"
	"github.com/gpucoord/gpucoord/domain/u128"
	"github.com/gpucoord/gpucoord/x/operators/types"
)

const (
	wholeBps = 10_000
	topLevel = 4 // L4 of domain/score, 10000 bps
)

// Statement is a probe of a host's devices that its receipt key signed.
type Statement struct {
	NonceHeight uint64                // height whose block hash it is bound to
	Simulated   bool                  // the devices are simulated
	GPUs        []types.GPUCommitment // the host's whole list
	Signature   [65]byte              // over receipt.CapacityStatement
}

// SubmitCapacity accepts a signed probe (L1, still a declaration) and replaces the host's list of devices by it. The evidence is
// as old as the block hash it is bound to. A device that another host holds with evidence as good is left out.
//
// Returns how many devices the host holds now.
// Errors: ErrInvalidRequest, ErrUnknownHost, ErrUnauthorized, ErrTombstoned, ErrTooManyGPUs, ErrUnknownClass, ErrBadNonceHeight,
// ErrNoBlockHash, ErrKeyExpired, ErrBadStatement.
func (k *Keeper) SubmitCapacity(ctx context.Context, sender []byte, id [32]byte, st Statement) (uint32, error) {
	host, operator, err := k.senderHost(ctx, sender, id)
	if err != nil {
		return 0, err
	}
	if len(st.GPUs) == 0 {
		return 0, errorsmod.Wrap(types.ErrInvalidRequest, "the statement lists no devices")
	}
	if err := k.checkCommitments(ctx, st.GPUs); err != nil {
		return 0, err
	}
	if err := k.checkStatement(ctx, host, st); err != nil {
		return 0, err
	}
	held, err := k.gpusOf(ctx, host.Id)
	if err != nil {
		return 0, err
	}
	wanted := make([]types.GPU, len(st.GPUs))
	for i := range st.GPUs {
		wanted[i] = newGPU(host.Id, &st.GPUs[i])
		wanted[i].Level, wanted[i].EvidenceHeight = types.EvidenceLevel_EVIDENCE_LEVEL_NVML, st.NonceHeight
		wanted[i].Simulated = st.Simulated
	}
	claims, err := k.weighClaims(ctx, wanted)
	if err != nil {
		return 0, err
	}
	host.EvidenceHeight, host.Simulated = st.NonceHeight, st.Simulated
	if err := k.replaceGPUs(ctx, host, held, claims); err != nil {
		return 0, err
	}
	operatorText, err := k.addressCodec.BytesToString(operator)
	if err != nil {
		return 0, err
	}
	accepted := uint32(len(claims.accepted)) //nolint:gosec // at most max_gpus
	return accepted, emit(ctx, &types.EventCapacityAccepted{
		HostId: host.Id, Operator: operatorText, Level: types.EvidenceLevel_EVIDENCE_LEVEL_NVML,
		Gpus: accepted, Simulated: st.Simulated, NonceHeight: st.NonceHeight,
	})
}

// checkStatement checks that the host's present key signed the statement over a fresh nonce.
func (k *Keeper) checkStatement(ctx context.Context, host types.Host, st Statement) error {
	nonce, err := k.capacityNonce(ctx, host, st.NonceHeight)
	if err != nil {
		return err
	}
	signer, err := receipt.RecoverAddress(receipt.CapacityStatement(nonce, st.Simulated, types.StatedGPUs(st.GPUs)), st.Signature)
	if err != nil {
		return errorsmod.Wrap(types.ErrBadStatement, err.Error())
	}
	if signer != [20]byte(host.ReceiptKey) {
		return errorsmod.Wrapf(types.ErrBadStatement, "signed by %x, key is %x", signer, host.ReceiptKey)
	}
	return nil
}

// capacityNonce returns the nonce a statement of the host at that height must be bound to.
//
// A nonce height must rise from statement to statement, so that nobody can repeat an old one.
func (k *Keeper) capacityNonce(ctx context.Context, host types.Host, nonceHeight uint64) ([32]byte, error) {
	var none [32]byte
	params, err := k.params.Get(ctx)
	if err != nil {
		return none, err
	}
	now := height(ctx)
	if nonceHeight > now || now-nonceHeight > params.CapacityNonceBlocks || nonceHeight <= host.EvidenceHeight {
		return none, errorsmod.Wrapf(types.ErrBadNonceHeight, "%d at height %d, last statement %d, at most %d blocks old",
			nonceHeight, now, host.EvidenceHeight, params.CapacityNonceBlocks)
	}
	hash, err := k.BlockHash(ctx, nonceHeight)
	if err != nil {
		return none, err
	}
	e, err := params.Schedule.Domain().Of(nonceHeight)
	if err != nil {
		return none, errorsmod.Wrapf(types.ErrBadNonceHeight, "%d: %s", nonceHeight, err)
	}
	key, err := k.hostKeys.Get(ctx, host.ReceiptKey)
	if err != nil {
		return none, err
	}
	if key.ExpiresAt != 0 && key.ExpiresAt <= blockTime(ctx) {
		return none, errorsmod.Wrapf(types.ErrKeyExpired, "at %d", key.ExpiresAt)
	}
	if len(key.Address) != 20 || len(key.PublicKey) != 33 {
		return none, errorsmod.Wrapf(types.ErrInvariant, "key %x has a wrong length", key.Address)
	}
	domain, err := k.ReceiptDomain(ctx)
	if err != nil {
		return none, err
	}
	return receipt.CapacityNonce(domain.Salt(), e, hash, [20]byte(key.Address), [33]byte(key.PublicKey)), nil
}

// Capacity sums what an operator's hosts have committed, at the present height. Devices of a class that the parameters no longer
// know count only as devices. Work: the operator's hosts and devices, at most max_hosts * max_gpus.
//
// Errors: ErrUnknownOperator, those of score.VCU.
func (k *Keeper) Capacity(ctx context.Context, operator []byte) (types.Capacity, error) {
	op, err := k.Operator(ctx, operator)
	if err != nil {
		return types.Capacity{}, err
	}
	params, err := k.params.Get(ctx)
	if err != nil {
		return types.Capacity{}, err
	}
	var sum types.Capacity
	in := score.VCUIn{FullBlocks: params.EvidenceFullBlocks, ZeroBlocks: params.EvidenceZeroBlocks}
	for number := range uint64(op.Hosts) {
		id := types.HostID([types.AddressLength]byte(operator), number) // an operator's account has 20 bytes
		gpus, err := k.gpusOf(ctx, id[:])
		if err != nil {
			return types.Capacity{}, err
		}
		for i := range gpus {
			addGPU(&sum, &in, &params, &gpus[i], height(ctx))
		}
	}
	sum.MilliVCU, _, err = score.VCU(in)
	return sum, err
}

// addGPU adds one device. The parameters' ladder is applied to the class here and domain/score told its top level, at which it
// counts in full: so the ladder can be changed by governance.
func addGPU(sum *types.Capacity, in *score.VCUIn, params *types.Params, gpu *types.GPU, at uint64) {
	sum.GPUs++
	class, known := params.Class(gpu.Class)
	if known {
		sum.TokensPerSecond += class.TokensPerSecond
	}
	if gpu.Simulated {
		sum.Simulated++
		return
	}
	level := int(gpu.Level) - int(types.EvidenceLevel_EVIDENCE_LEVEL_DECLARED)
	if !known || level < 0 || level >= len(params.LadderBps) {
		return
	}
	in.GPUs = append(in.GPUs, score.VCUGPU{
		Class: u128.Part(class.VcuPpm, params.LadderBps[level], wholeBps),
		Level: topLevel,
		Age:   at - min(at, gpu.EvidenceHeight),
	})
}

// TokenCeiling returns the most tokens a host may claim in one epoch: for each device the throughput of the slowest class of at
// most its memory, because no evidence of the present levels proves a class, times the epoch's nominal seconds, times
// token_ceiling_bps. A host without devices gets the slowest class once. Rounding: down, once.
//
// Errors: ErrUnknownHost.
func (k *Keeper) TokenCeiling(ctx context.Context, hostID [32]byte) (uint64, error) {
	host, err := k.Host(ctx, hostID)
	if err != nil {
		return 0, err
	}
	params, err := k.params.Get(ctx)
	if err != nil {
		return 0, err
	}
	gpus, err := k.gpusOf(ctx, host.Id)
	if err != nil {
		return 0, err
	}
	tokensPerSecond := uint64(0)
	for i := range gpus {
		tokensPerSecond += slowestClass(&params, gpus[i].MemoryMib)
	}
	if len(gpus) == 0 {
		tokensPerSecond = slowestClass(&params, 0)
	}
	// Both factors stay below 2^64: 16 * 10^9 * 10^6, and 10^8 * 3.6 * 10^6.
	ceiling, ok := u128.MulDiv(tokensPerSecond*params.TokenCeilingBps, params.Schedule.EpochBlocks*params.BlockTimeMs, wholeBps*1_000)
	if !ok {
		return 1<<64 - 1, nil
	}
	return ceiling, nil
}

// slowestClass returns the least throughput among the classes of at most that memory, or among all where there is none.
func slowestClass(params *types.Params, memoryMiB uint64) uint64 {
	fitting, slowest := uint64(0), uint64(0)
	for _, c := range params.GpuClasses {
		if slowest == 0 || c.TokensPerSecond < slowest {
			slowest = c.TokensPerSecond
		}
		if c.MemoryMib <= memoryMiB && (fitting == 0 || c.TokensPerSecond < fitting) {
			fitting = c.TokensPerSecond
		}
	}
	if fitting == 0 {
		return slowest
	}
	return fitting
}
