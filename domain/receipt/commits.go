// SPDX-License-Identifier: Apache-2.0

package receipt

import (
	"crypto/sha256"
	"encoding/binary"
)

// ExecCommit is what a host commits to about one execution. The commitment binds the host to the values; it does not prove them.
type ExecCommit struct {
	// RuntimeID is the hash of the runtime, SamplingHash that of the sampling parameters.
	RuntimeID, SamplingHash [32]byte
	// Seed is the sampling seed.
	Seed uint64
	// PromptTokHash and OutTokHash are hashes of the token sequences.
	PromptTokHash, OutTokHash [32]byte
	// EvKind is the kind of evidence and EvRoot its root; both are zero where there is none.
	EvKind uint8
	EvRoot [32]byte
}

// Hash returns SHA256("GCX1" | runtimeId 32 | samplingHash 32 | seed u64 | promptTokHash 32 | outTokHash 32 | evKind u8 | evRoot 32).
func (e ExecCommit) Hash() [32]byte {
	buf := make([]byte, 0, 173)
	buf = append(buf, "GCX1"...)
	buf = append(buf, e.RuntimeID[:]...)
	buf = append(buf, e.SamplingHash[:]...)
	buf = binary.BigEndian.AppendUint64(buf, e.Seed)
	buf = append(buf, e.PromptTokHash[:]...)
	buf = append(buf, e.OutTokHash[:]...)
	buf = append(buf, e.EvKind)
	buf = append(buf, e.EvRoot[:]...)
	return sha256.Sum256(buf)
}

// CapacityNonce returns the nonce that a host's capacity evidence of an epoch must be bound to:
// SHA256("GCA1" | salt 32 | epoch u64 | blockHash 32 | operator 20 | receiptPubKey 33).
//
// salt is the domain's; receiptPubKey the compressed key whose address is operator.
func CapacityNonce(salt [32]byte, epoch uint64, blockHash [32]byte, operator [20]byte, receiptPubKey [33]byte) [32]byte {
	buf := make([]byte, 0, 129)
	buf = append(buf, "GCA1"...)
	buf = append(buf, salt[:]...)
	buf = binary.BigEndian.AppendUint64(buf, epoch)
	buf = append(buf, blockHash[:]...)
	buf = append(buf, operator[:]...)
	buf = append(buf, receiptPubKey[:]...)
	return sha256.Sum256(buf)
}

// GPUNonce returns the nonce of one GPU under a capacity nonce: SHA256("GCA2" | capacityNonce 32 | gpuIndex u32).
func GPUNonce(capacityNonce [32]byte, gpuIndex uint32) [32]byte {
	buf := make([]byte, 0, 40)
	buf = append(buf, "GCA2"...)
	buf = append(buf, capacityNonce[:]...)
	buf = binary.BigEndian.AppendUint32(buf, gpuIndex)
	return sha256.Sum256(buf)
}

// StatedGPU is one GPU of a capacity statement.
type StatedGPU struct {
	// Index is the GPU's index on its host.
	Index uint32
	// DeviceHash identifies the device chain-wide.
	DeviceHash [32]byte
	// Class is the name of its class.
	Class string
	// MemoryMiB is its memory.
	MemoryMiB uint64
}

// CapacityStatement returns the digest a host key signs over its probe of its GPUs, in the order given:
// SHA256("GCE1" | nonce 32 | simulated u8 | n u32 | for each GPU: GPUNonce 32 | deviceHash 32 | SHA256(class name) 32 | memoryMiB u64).
//
// The signature proves who declares the GPUs, and that he did so after the nonce was known; not that they exist.
func CapacityStatement(nonce [32]byte, simulated bool, gpus []StatedGPU) [32]byte {
	buf := make([]byte, 0, 41+len(gpus)*104)
	buf = append(buf, "GCE1"...)
	buf = append(buf, nonce[:]...)
	flag := byte(0)
	if simulated {
		flag = 1
	}
	buf = append(buf, flag)
	buf = binary.BigEndian.AppendUint32(buf, uint32(len(gpus))) //nolint:gosec // a host has far fewer than 2^32 GPUs
	for i := range gpus {
		gpuNonce, class := GPUNonce(nonce, gpus[i].Index), sha256.Sum256([]byte(gpus[i].Class))
		buf = append(buf, gpuNonce[:]...)
		buf = append(buf, gpus[i].DeviceHash[:]...)
		buf = append(buf, class[:]...)
		buf = binary.BigEndian.AppendUint64(buf, gpus[i].MemoryMiB)
	}
	return sha256.Sum256(buf)
}
