// SPDX-License-Identifier: Apache-2.0

// Package anchor defines what validators sign about the log, the set that signs it, and how many signatures are enough.
//
// The digest is EIP-712 without a chain id: a fact about this chain is as true on every EVM chain, so one set of
// signatures serves them all. The domain's salt is the origin id, which tells this chain from any other with its name.
package anchor

import "errors"

// Errors of anchors, validator sets and signatures.
var (
	ErrEmptySet     = errors.New("the validator set is empty: an anchor needs at least one anchor key")
	ErrTooMany      = errors.New("more than 256 validators: the signature bitmap has 256 bits")
	ErrOrder        = errors.New("members are not in strictly ascending order of address: sort them, each once")
	ErrZeroAddress  = errors.New("a member has the zero address: register an anchor key")
	ErrZeroPower    = errors.New("a member has no power: leave it out")
	ErrPowerTooHigh = errors.New("the powers add up to more than (2^63 - 1) / 8: scale them down")
	ErrNotMember    = errors.New("the signer is not in the validator set: sign with the registered anchor key")
	ErrWrongSet     = errors.New("these members do not hash to the validator set asked for: fetch the set by its hash")
	ErrLowPower     = errors.New("the signatures hold two thirds of the power or less: collect more")
	ErrBitmap       = errors.New("the bitmap and the signatures do not fit each other or the set: one signature for each bit, no bit beyond the set")
	ErrBadSignature = errors.New("a signature is not by the member its bit names: drop it and collect another")
)
