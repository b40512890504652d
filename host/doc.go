// SPDX-License-Identifier: Apache-2.0

// Package host is the metering proxy in front of one vLLM or SGLang engine.
//
// It serves a completion only to the holder of a signed job authorisation, counts tokens from the engine's own usage, and signs a receipt.
// What it promises, in the order things happen to a job:
//
//  1. Nothing is asked of the engine before every check has passed and the job's nonce is on disk.
//  2. The receipt is on disk before its client sees it; a repeated authorisation gets the same receipt and no second answer.
//  3. A sequence number is reserved on disk before it is used, and never used twice; seq and epoch ascend together.
//  4. A host whose log is behind the chain signs nothing.
//  5. Every error has a code and says what to do. A job that failed costs nothing.
//
// What a receipt states about tokens is the engine's word; the host adds nothing to it and takes nothing away.
// The host writes no prompt, output, key, address or customer to logs, metrics or disk: the log holds hashes, counts and signatures.
package host
