// SPDX-License-Identifier: Apache-2.0

// Package receipt defines the two signed objects of a served job, their canonical record and the rules a record must pass.
//
// All integers are big-endian and unsigned; | is concatenation; tags such as "GCX1" are four ASCII bytes; keccak256 is the original
// Keccak. Amounts are micro-USD, issuedAt, servedAt and expiresAt Unix seconds, ttftMs and durationMs milliseconds.
// An address is the last 20 bytes of keccak256 over the 64-byte uncompressed secp256k1 public key.
//
// # Signed objects
//
// Both are EIP-712 structs with static members only, in the domain
//
//	EIP712Domain(string name,string version,uint256 chainId,bytes32 salt)
//
// with name "gpucoord", version "1", the EIP-155 chain id and salt = SHA256(CometBFT chain-id). The types are the constants jobAuthType
// and receiptType. An encoded struct is keccak256(type string) and one 32-byte word a member (integers and addresses left-padded):
// 384 bytes for JobAuth, 672 for Receipt, 160 for the domain. digest = keccak256(0x19 0x01 | domainSeparator | keccak256(encoded struct)).
// The JobAuth digest is the jobId. sigPayer signs the jobId; sigOperator (the host's receipt key, whose address is operator) and the
// optional sigFinal (payer again) sign the Receipt digest. A signature is r 32 | s 32 | v 1 with s <= (n-1)/2 and v 27 or 28.
//
// # Record SR1
//
// 533 bytes, or 598 with sigFinal (offset: field):
//
//	 0 version = 1      74 adapterId 32      186 nonce 8        258 outcome 1        299 ttftMs 4         403 sigPayer 65
//	 1 flags (bit 0:   106 requestCommit 32  194 issuedAt 8     259 promptTokens 8   303 durationMs 4     468 sigOperator 65
//	   sigFinal)       138 paymentRef 32     202 expiresAt 8    267 cachedTokens 8   307 outputCommit 32  533 sigFinal 65,
//	 2 payer 20        170 maxAmount 8       210 hostId 32      275 outputTokens 8   339 execCommit 32        if flags = 1
//	22 operator 20     178 reservationId 8   242 epoch 8        283 amount 8         371 attestRef 32
//	42 modelId 32                            250 seq 8          291 servedAt 8
//
// The jobId is recomputed, never stored. Every byte is significant: Decode then AppendSR1 gives the bytes back.
// [Checker.Check] applies the 13 rules in their order; [Context.Check] the rules that need chain state.
//
// # What a record does not prove
//
// A record that passes every rule proves that the payer's key authorised a job and that the host's key stated an outcome for it; with
// sigFinal that the payer's key accepted the statement. It does not prove that the model named was the model run, that the token counts
// are those of a tokenizer, that the commitments open to anything, that payer and operator are different people, or that paymentRef was
// paid. A record has no meaning outside its domain.
package receipt
