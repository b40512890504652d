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

// CommitGPUs replaces a host's list of devices by declarations (L0); an empty list withdraws all. A device that the host
// already holds keeps its evidence as long as class and memory stay the same.
//
// Errors: ErrInvalidRequest, ErrUnknownHost, ErrUnauthorized, ErrTombstoned, ErrTooManyGPUs, ErrUnknownClass, ErrDeviceClaimed.
func (k *Keeper) CommitGPUs(ctx context.Context, sender []byte, id [32]byte, list []types.GPUCommitment) error {
	host, _, err := k.senderHost(ctx, sender, id)
	if err != nil {
		return err
	}
	if err := k.checkCommitments(ctx, list); err != nil {
		return err
	}
	held, err := k.gpusOf(ctx, host.Id)
	if err != nil {
		return err
	}
	wanted := make([]types.GPU, len(list))
	for i := range list {
		wanted[i] = newGPU(host.Id, &list[i])
		wanted[i].Level, wanted[i].EvidenceHeight = types.EvidenceLevel_EVIDENCE_LEVEL_DECLARED, height(ctx)
		keepEvidence(&wanted[i], held)
	}
	claims, err := k.weighClaims(ctx, wanted)
	if err != nil {
		return err
	}
	if len(claims.refused) > 0 {
		return errorsmod.Wrapf(types.ErrDeviceClaimed, "device %x", claims.refused[0].DeviceHash)
	}
	return k.replaceGPUs(ctx, host, held, claims)
}

// checkCommitments checks a list of devices against the parameters.
func (k *Keeper) checkCommitments(ctx context.Context, list []types.GPUCommitment) error {
	if err := types.ValidateCommitments(list); err != nil {
		return err
	}
	params, err := k.params.Get(ctx)
	if err != nil {
		return err
	}
	if len(list) > int(params.MaxGpus) {
		return errorsmod.Wrapf(types.ErrTooManyGPUs, "%d listed, at most %d", len(list), params.MaxGpus)
	}
	for i := range list {
		if _, known := params.Class(list[i].Class); !known {
			return errorsmod.Wrapf(types.ErrUnknownClass, "%q", list[i].Class)
		}
	}
	return nil
}

func newGPU(hostID []byte, c *types.GPUCommitment) types.GPU {
	return types.GPU{HostId: hostID, Index: c.Index, Class: c.Class, MemoryMib: c.MemoryMib, DeviceHash: c.DeviceHash}
}

// keepEvidence carries over what the host has proven about the same device.
func keepEvidence(gpu *types.GPU, held []types.GPU) {
	for i := range held {
		h := &held[i]
		if bytes.Equal(h.DeviceHash, gpu.DeviceHash) && h.Class == gpu.Class && h.MemoryMib == gpu.MemoryMib {
			gpu.Level, gpu.EvidenceHeight, gpu.Simulated = h.Level, h.EvidenceHeight, h.Simulated
			return
		}
	}
}

// claims is a host's list of devices weighed against those of all other hosts.
type claims struct {
	accepted []types.GPU
	refused  []types.GPU // held by another host with evidence as good
	evicted  []types.GPU // as other hosts hold them now
}

// weighClaims finds who holds the wanted devices. It writes nothing.
func (k *Keeper) weighClaims(ctx context.Context, wanted []types.GPU) (claims, error) {
	params, err := k.params.Get(ctx)
	if err != nil {
		return claims{}, err
	}
	var c claims
	for _, gpu := range wanted {
		holder, err := k.gpus.Indexes.device.MatchExact(ctx, gpu.DeviceHash)
		if errors.Is(err, collections.ErrNotFound) || (err == nil && bytes.Equal(holder.K1(), gpu.HostId)) {
			c.accepted = append(c.accepted, gpu)
			continue
		}
		if err != nil {
			return claims{}, err
		}
		rival, err := k.gpus.Get(ctx, holder)
		if err != nil {
			return claims{}, err
		}
		if !outranks(&gpu, &rival, height(ctx), params.EvidenceZeroBlocks) {
			c.refused = append(c.refused, gpu)
			continue
		}
		c.accepted, c.evicted = append(c.accepted, gpu), append(c.evicted, rival)
	}
	return c, nil
}

// outranks reports whether a claim takes a device from its holder: by a strictly higher level, or at the same level if the
// holder's is simulated and the claim is not; never by a simulated claim from one that is not. Evidence old enough to count
// nothing stands as a declaration, so that a device can change hands.
func outranks(claim, held *types.GPU, at, zeroBlocks uint64) bool {
	if claim.Simulated && !held.Simulated {
		return false
	}
	level := held.Level
	if at-min(at, held.EvidenceHeight) >= zeroBlocks {
		level = types.EvidenceLevel_EVIDENCE_LEVEL_DECLARED
	}
	return claim.Level > level || (claim.Level == level && held.Simulated && !claim.Simulated)
}

// replaceGPUs writes a host's weighed list in place of the one it held, and takes evicted devices from their hosts.
func (k *Keeper) replaceGPUs(ctx context.Context, host types.Host, held []types.GPU, c claims) error {
	for i := range c.evicted {
		if err := k.evict(ctx, c.evicted[i], host.Id); err != nil {
			return err
		}
	}
	staying := make(map[string]bool, len(c.accepted))
	for i := range c.accepted {
		staying[string(c.accepted[i].DeviceHash)] = true
	}
	for _, gpu := range held {
		if err := k.gpus.Remove(ctx, collections.Join(gpu.HostId, gpu.Index)); err != nil {
			return err
		}
		if staying[string(gpu.DeviceHash)] {
			continue
		}
		if err := emit(ctx, &types.EventGPUReleased{Gpu: gpu}); err != nil {
			return err
		}
	}
	for _, gpu := range c.accepted {
		if err := k.gpus.Set(ctx, collections.Join(gpu.HostId, gpu.Index), gpu); err != nil {
			return err
		}
		if err := emit(ctx, &types.EventGPUCommitted{Gpu: gpu}); err != nil {
			return err
		}
	}
	host.Gpus = uint32(len(c.accepted)) //nolint:gosec // at most max_gpus
	return k.hosts.Set(ctx, host.Id, host)
}

// evict takes one device from the host that holds it.
func (k *Keeper) evict(ctx context.Context, gpu types.GPU, by []byte) error {
	loser, err := k.hosts.Get(ctx, gpu.HostId)
	if err != nil {
		return err
	}
	if loser.Gpus == 0 {
		return errorsmod.Wrapf(types.ErrInvariant, "host %x has a device but counts none", gpu.HostId)
	}
	if err := k.gpus.Remove(ctx, collections.Join(gpu.HostId, gpu.Index)); err != nil {
		return err
	}
	loser.Gpus--
	if err := k.hosts.Set(ctx, loser.Id, loser); err != nil {
		return err
	}
	return emit(ctx, &types.EventGPUReleased{Gpu: gpu, EvictedBy: by})
}

// gpusOf returns a host's devices by index; at most max_gpus at the time they were committed, 16 ever.
func (k *Keeper) gpusOf(ctx context.Context, hostID []byte) ([]types.GPU, error) {
	var gpus []types.GPU
	err := k.gpus.Walk(ctx, collections.NewPrefixedPairRange[[]byte, uint32](hostID), func(_ gpuKey, gpu types.GPU) (bool, error) {
		gpus = append(gpus, gpu)
		return false, nil
	})
	return gpus, err
}
