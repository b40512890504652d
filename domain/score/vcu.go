// SPDX-License-Identifier: Apache-2.0

package score

import "github.com/gpucoord/gpucoord/domain/u128"

// ladderBps is the part of a GPU's capacity that counts at each evidence level, L0 to L4.
var ladderBps = [...]uint64{0, 0, 8_000, 9_000, 10_000}

// VCUGPU is one GPU with the evidence for it.
type VCUGPU struct {
	Class uint64 // capacity of one GPU of its class, VCU in ppm
	Level uint64 // evidence level, 0 to 4
	Age   uint64 // age of the evidence, blocks
}

// VCUIn is what the capacity of an operator is made of.
type VCUIn struct {
	FullBlocks      uint64 // evidence up to this age counts in full
	ZeroBlocks      uint64 // evidence from this age on counts nothing; above FullBlocks
	ConfirmedBefore uint64 // capacity confirmed in the epoch before, milli-VCU
	GPUs            []VCUGPU
}

// VCU returns the capacity of an operator, and the trusted part of it, which is at most what was confirmed in the epoch
// before; both in milli-VCU.
//
// Rounding: down for each GPU at each step, and once for the sum.
// Errors: ErrBadWindow (FullBlocks >= ZeroBlocks), ErrBadLevel, ErrSumOverflow.
func VCU(in VCUIn) (vcu, trusted uint64, err error) {
	if in.FullBlocks >= in.ZeroBlocks {
		return 0, 0, ErrBadWindow
	}
	for _, gpu := range in.GPUs {
		if gpu.Level >= uint64(len(ladderBps)) {
			return 0, 0, ErrBadLevel
		}
	}
	sum := uint64(0)
	for _, gpu := range in.GPUs {
		counted := u128.Part(u128.Part(gpu.Class, ladderBps[gpu.Level], bpsWhole), in.ageFactor(gpu.Age), ppm)
		var ok bool
		if sum, ok = u128.Add(sum, counted); !ok {
			return 0, 0, ErrSumOverflow
		}
	}
	vcu = sum / 1000 // ppm of a VCU to thousandths
	return vcu, min(vcu, in.ConfirmedBefore), nil
}

// ageFactor returns how much evidence of the age counts, in ppm: all, then falling in a straight line, then nothing.
func (in *VCUIn) ageFactor(age uint64) uint64 {
	switch {
	case age <= in.FullBlocks:
		return ppm
	case age >= in.ZeroBlocks:
		return 0
	default:
		return u128.Part(ppm, in.ZeroBlocks-age, in.ZeroBlocks-in.FullBlocks)
	}
}
