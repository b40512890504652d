// SPDX-License-Identifier: Apache-2.0

package types

import (
	errorsmod "cosmossdk.io/errors"

	"github.com/gpucoord/gpucoord/domain/receipt"
)

// gpuCountCeiling bounds Params.MaxGpus and so every list of GPUs.
const gpuCountCeiling = 16

// ValidateCommitments checks a host's list of devices: rising indices, device hashes unique and not zero, memory of 1 to 2^30 MiB.
// Whether the classes exist is for the keeper to say.
//
// Errors: ErrInvalidRequest, ErrTooManyGPUs.
func ValidateCommitments(gpus []GPUCommitment) error {
	if len(gpus) > gpuCountCeiling {
		return errorsmod.Wrapf(ErrTooManyGPUs, "%d listed, at most %d on any chain", len(gpus), gpuCountCeiling)
	}
	seen := make(map[string]bool, len(gpus))
	for i := range gpus {
		g := &gpus[i]
		if i > 0 && g.Index <= gpus[i-1].Index {
			return errorsmod.Wrapf(ErrInvalidRequest, "gpu %d: index %d does not rise", i, g.Index)
		}
		if g.MemoryMib == 0 || g.MemoryMib > maxMemoryMiB {
			return errorsmod.Wrapf(ErrInvalidRequest, "gpu %d: memory_mib is %d, want 1 to %d", i, g.MemoryMib, maxMemoryMiB)
		}
		if err := checkClassName(g.Class); err != nil {
			return errorsmod.Wrapf(ErrInvalidRequest, "gpu %d: %s", i, err)
		}
		if err := checkID("device_hash", g.DeviceHash); err != nil {
			return errorsmod.Wrapf(err, "gpu %d", i)
		}
		if seen[string(g.DeviceHash)] {
			return errorsmod.Wrapf(ErrInvalidRequest, "gpu %d: device is listed twice", i)
		}
		seen[string(g.DeviceHash)] = true
	}
	return nil
}

// StatedGPUs returns the devices as the host key signs them. The device hashes must be 32 bytes, as ValidateCommitments proves.
func StatedGPUs(gpus []GPUCommitment) []receipt.StatedGPU {
	stated := make([]receipt.StatedGPU, len(gpus))
	for i := range gpus {
		g := &gpus[i]
		stated[i] = receipt.StatedGPU{Index: g.Index, Class: g.Class, MemoryMiB: g.MemoryMib}
		copy(stated[i].DeviceHash[:], g.DeviceHash)
	}
	return stated
}
