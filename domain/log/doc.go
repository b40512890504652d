// SPDX-License-Identifier: Apache-2.0

// Package log is the append-only log of facts: an RFC 9162 Merkle tree with SHA-256.
//
//	leaf hash = SHA256(0x00 | leaf data)     node = SHA256(0x01 | left | right)     root of size 0 = SHA256 of nothing
//
// A tree of n > 1 leaves splits at the largest power of two below n. Inclusion proofs are those of RFC 9162 2.1.3, consistency proofs
// those of 2.1.4 for 0 < from <= to; for from = to the proof is empty and the roots must be equal. Paths are bottom up.
//
// Leaf data, integers big-endian and unsigned (offset: field):
//
//	kind 1, finalized batch, 121 bytes: 0 "GCF1"; 4 kind = 1; 5 batchId u64; 13 operator 20; 33 hostId 32; 65 epoch u64; 73 count u64;
//	                                    81 amount u64 (micro-USD); 89 batch root 32
//	kind 2, epoch statement, 110 bytes: 0 "GCF1"; 4 kind = 2; 5 epoch u64; 13 reputation root 32; 45 registry root 32;
//	                                    77 royalty root 32; 109 gate u8
//
// The state of a growing log is its compact range: the roots of the full subtrees of the leaves so far, one for each bit set in the
// size, the largest first.
//
// # What a proof does not prove
//
// An inclusion proof shows that a leaf is in the tree of the given size and root, not that the leaf is true, that it is there once, or
// that anyone else was shown the same root: for that, compare roots that are signed. A consistency proof shows that the smaller tree is
// a prefix of the larger one, not that either is the chain's. Size and root must come together from a source that is trusted.
package log
