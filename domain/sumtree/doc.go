// SPDX-License-Identifier: Apache-2.0

// Package sumtree commits to the receipts of one group, with their sums, to the groups of one batch, and draws samples from them.
//
// All integers are big-endian and unsigned; | is concatenation; tags are four ASCII bytes. Amounts are micro-USD.
//
// # Sum tree
//
//	entry          56 bytes: hash 32 | amount u64 | tokens u64 | ok u32 | fail u32
//	leaf preimage 100 bytes: "GCL1" | seq u64 | jobId 32 | SHA256(SR1) 32 | amount u64 | tokens u64 | ok u32 | fail u32
//	node preimage 116 bytes: "GCN1" | left entry 56 | right entry 56
//
// A leaf's entry is SHA256(leaf preimage) with the leaf's sums, a node's SHA256(node preimage) with the member-wise sums of its children,
// each addition checked by builder and verifier alike. The shape is RFC 9162's: level by level from the left, an odd last entry
// promoted unchanged. The tree of one leaf is its leaf entry; there is no empty tree. Leaves ascend strictly by seq, gaps allowed.
// tokens = promptTokens + outputTokens; ok = 1 for outcome OK; fail = 1 for PROVIDER_FAIL, UPSTREAM_FAIL and REFUSED.
//
// An opening is (n, index, leaf, path): path holds the sibling entries bottom up, and nothing for a level in which the entry is promoted.
// With last = n-1, while last > 0: an odd index has its sibling on the left, else index < last has it on the right, else the entry is
// promoted; then both are halved. The leaf's offset is the sum of the amounts of its left siblings on the path.
//
// # Groups and batch
//
//	group preimage 220 bytes: "GCT1" | operator 20 | hostId 32 | settler 20 | modelId 32 | adapterId 32 |
//	                          count u64 | firstSeq u64 | lastSeq u64 | root entry 56
//
// groupHash = SHA256(group preimage). The batch root is the RFC 9162 tree over the groups in order, with leaf SHA256("GCB0" | groupHash)
// and node SHA256("GCB1" | left | right). Groups have one operator and host and ascend strictly by settler | modelId | adapterId.
//
// # Samples
//
//	h0 = SHA256("GCS0" | seed 32 | batchId u64 | j u32)                   draws the group
//	h1 = SHA256("GCS1" | seed 32 | batchId u64 | groupIndex u32 | j u32)  draws the leaf in it
//
// Draw j of k is by value: group and leaf are those whose [offset, offset + amount) holds the hash modulo the sum. The last draw, and
// every draw of a batch worth nothing, is by index: a group's size is its count, a leaf's 1. Hashes are 256-bit integers.
//
// # What an opening does not prove
//
// It does not bind n: another n with the same path shape is accepted. Take n from the group, which binds it. It does not prove that the
// leaf tells the truth about its record, that the other leaves exist or can be opened, that seq ascends elsewhere in the tree, or that
// a job is claimed once: two valid openings of one jobId at different places are the proof of a double claim, and their absence none.
package sumtree
