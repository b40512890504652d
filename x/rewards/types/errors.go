// SPDX-License-Identifier: Apache-2.0

package types

import errorsmod "cosmossdk.io/errors"

// Errors of the module. A code is never given to another error.
var (
	// ErrUnauthorized means that the signer may not do this.
	ErrUnauthorized = errorsmod.Register(ModuleName, 2, "the signer may not do this: sign with the account that the message needs")
	// ErrInvalidAddress means that an address cannot be read.
	ErrInvalidAddress = errorsmod.Register(ModuleName, 3, "invalid address: give a bech32 account address of this chain")
	// ErrInvalidParams means that parameters are out of bounds.
	ErrInvalidParams = errorsmod.Register(ModuleName, 4, "invalid params: keep to the bounds in the message's comments")
	// ErrPaybackTooHigh means that one who owns everything could get back more than 95 % of the take.
	ErrPaybackTooHigh = errorsmod.Register(ModuleName, 5, "payback too high: payback_cap_bps + probers_bps + aleph_bps must be at most 9500")
	// ErrInvalidGenesis means that a genesis state contradicts itself.
	ErrInvalidGenesis = errorsmod.Register(ModuleName, 6, "invalid genesis: remove duplicates and references to nothing")
	// ErrInvalidAmount means that an amount is 0.
	ErrInvalidAmount = errorsmod.Register(ModuleName, 7, "invalid amount: give at least 1 uusdc")
	// ErrOverflow means that a total does not fit 64 bits. Nothing is written then.
	ErrOverflow = errorsmod.Register(ModuleName, 8, "the total does not fit 64 bits: use smaller amounts")
	// ErrBelowMinClaim means that a reward is too small to be paid.
	ErrBelowMinClaim = errorsmod.Register(ModuleName, 9, "the reward is below the least claim: wait until more was awarded")
	// ErrUnknownEpoch means that no settlement of the epoch exists.
	ErrUnknownEpoch = errorsmod.Register(ModuleName, 10, "the epoch has no settlement: ask for one whose settlement has begun")
	// ErrUnknownRow means that the operator has no row in the epoch.
	ErrUnknownRow = errorsmod.Register(ModuleName, 11, "the operator has no row in the epoch: it had no settled work, or the row is not scored yet or pruned")
	// ErrBadLedger means that the usage ledger answered what it never should.
	ErrBadLedger = errorsmod.Register(ModuleName, 12, "the usage ledger breaks its order or bounds: report it with the epoch")
	// ErrBadEntry means that an entry of the usage ledger cannot be scored.
	ErrBadEntry = errorsmod.Register(ModuleName, 13, "a usage entry has no known class: report it with the epoch and operator")
	// ErrBrokenInvariant means that the state contradicts itself.
	ErrBrokenInvariant = errorsmod.Register(ModuleName, 14, "broken invariant: stop and report the state")
)
