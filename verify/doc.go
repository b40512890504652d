// SPDX-License-Identifier: Apache-2.0

// Package verify checks offline that one receipt is a settled fact of the chain.
//
// A Bundle is one JSON file that leads from a receipt to a block header and to an anchor, each step checked by itself:
//
//	record -> leaf of its group's sum tree -> group -> batch root -> leaf of the log -> log root
//	log root -> the anchor that validators signed for EVM chains
//	log root -> the chain's state -> app hash in a header -> commit of more than 2/3 -> the header the user trusts
//
// Integers are decimal strings, bytes are base64. Only as many signatures are carried as hold more than two thirds.
//
//	format                 "gpucoord-receipt-bundle/1"
//	chain_id, origin_id    the chain's id, and what it started from (32 bytes)
//	record                 SR1, 533 or 598 bytes
//	opening                the leaf's opening in its group, as in MsgOpenSamples.opening
//	group                  the group's preimage without the host id, which the leaf of the log has, and the path to the batch root
//	leaf                   the batch's leaf of the log: index, 121 bytes, inclusion path at anchor.tree_size
//	anchor                 the anchor, with the signatures of the members whose bits are set, 65 bytes each
//	log_consistency        the proof from anchor.tree_size to the size of the log in the state; empty when they are equal
//	state                  ICS-23 existence proofs, with keys and values in them: the log, the anchor's members, the origin, the parameters
//	header, commit         the header whose app hash roots the state, and its commit: for each bit set, Unix nanoseconds i64 | signature 64
//	validators             those who signed: for each, Ed25519 key 32 | power uvarint
//	trusted                an earlier header to start from, and its next validators where they are not the header's
//
// # What it does not prove
//
// That the receipt tells the truth about the work, that the job is claimed once, that the payer's gateway owed this
// settler, or that the chain's rules held at any other leaf. All proofs stand or fall with the header that the user trusts.
package verify
