// SPDX-License-Identifier: Apache-2.0

package types

import errorsmod "cosmossdk.io/errors"

// Errors of the module. A code is never given to another error.
var (
	// ErrUnauthorized means that the signer may not do this.
	ErrUnauthorized = errorsmod.Register(ModuleName, 2, "the signer may not do this: sign with the account that the message needs")
	// ErrInvalidAddress means that an address cannot be read.
	ErrInvalidAddress = errorsmod.Register(ModuleName, 3, "invalid address: give a bech32 account address of this chain")
	// ErrInvalidHash means that an id, hash or salt has a wrong length.
	ErrInvalidHash = errorsmod.Register(ModuleName, 4, "invalid hash: ids, hashes and salts are 32 bytes and ids are not zero")
	// ErrInvalidText means that a text is too long, too short or has forbidden characters.
	ErrInvalidText = errorsmod.Register(ModuleName, 5, "invalid text: keep to the length and the characters of the field")
	// ErrInvalidParams means that parameters are out of bounds.
	ErrInvalidParams = errorsmod.Register(ModuleName, 6, "invalid params: keep to the bounds in the message's comments")
	// ErrInvalidGenesis means that a genesis state contradicts itself.
	ErrInvalidGenesis = errorsmod.Register(ModuleName, 7, "invalid genesis: remove duplicates and references to nothing")
	// ErrCommitExists means that the owner has an open commit with this hash.
	ErrCommitExists = errorsmod.Register(ModuleName, 8, "the commit exists: reveal it, or commit with another salt")
	// ErrUnknownCommit means that the owner made no commit to this asset id and salt.
	ErrUnknownCommit = errorsmod.Register(ModuleName, 9, "no such commit: commit first, and reveal the same owner, asset id and salt")
	// ErrTooEarly means that a waiting time is not over.
	ErrTooEarly = errorsmod.Register(ModuleName, 10, "too early: wait for the height in the message")
	// ErrCommitExpired means that a commit can no longer be revealed.
	ErrCommitExpired = errorsmod.Register(ModuleName, 11, "the commit has expired: commit again")
	// ErrAssetExists means that the asset id is taken.
	ErrAssetExists = errorsmod.Register(ModuleName, 12, "the asset is registered already: if it is yours, dispute it with the arbiter")
	// ErrUnknownAsset means that there is no such asset, or that there was none in the epoch asked for.
	ErrUnknownAsset = errorsmod.Register(ModuleName, 13, "unknown asset: register it first")
	// ErrTakenDown means that an asset may not be used any more.
	ErrTakenDown = errorsmod.Register(ModuleName, 14, "the asset is taken down: use another")
	// ErrWrongKind means that a base model is needed and an adapter was given, or the other way round.
	ErrWrongKind = errorsmod.Register(ModuleName, 15, "wrong kind of asset: a model is a BASE, an adapter and its parents are ADAPTERs")
	// ErrWrongBase means that an adapter is not one of this base model.
	ErrWrongBase = errorsmod.Register(ModuleName, 16, "the adapter is for another base model: name its own base")
	// ErrNoCommercialUse means that an asset's licence does not allow paid serving.
	ErrNoCommercialUse = errorsmod.Register(ModuleName, 17, "the asset's licence allows no paid serving: use another")
	// ErrBadParents means that a list of parents is not one of a real adapter.
	ErrBadParents = errorsmod.Register(ModuleName, 18, "bad parents: list at most 4 other adapters, nearest first, each once")
	// ErrBadTerms means that a royalty or its payees are out of bounds.
	ErrBadTerms = errorsmod.Register(ModuleName, 19, "bad terms: keep the royalty within the cap and let the payees add up to 10000 bps")
	// ErrProofExists means that an author proof waits for its decision.
	ErrProofExists = errorsmod.Register(ModuleName, 20, "an author proof is open: wait for its decision")
	// ErrUnknownProof means that there is no author proof to decide on.
	ErrUnknownProof = errorsmod.Register(ModuleName, 21, "no author proof is open: the owner proposes one first")
	// ErrAlreadyEarning means that the base earns already.
	ErrAlreadyEarning = errorsmod.Register(ModuleName, 22, "the base earns already: no proof is needed")
	// ErrNoArbiter means that there is no arbiter.
	ErrNoArbiter = errorsmod.Register(ModuleName, 23, "there is no arbiter: governance names one in the params")
	// ErrBelowMinClaim means that an accrual is too small to be paid.
	ErrBelowMinClaim = errorsmod.Register(ModuleName, 24, "the accrual is below the least claim: wait until more has accrued")
	// ErrBadAccrual means that a waterfall does not fit the pricing it is said to come from. Nothing is written then.
	ErrBadAccrual = errorsmod.Register(ModuleName, 25, "the waterfall does not add up: pass the pricing that it was computed from")
	// ErrOverflow means that a total does not fit 64 bits. Nothing is written then.
	ErrOverflow = errorsmod.Register(ModuleName, 26, "the total does not fit 64 bits: claim what has accrued first")
	// ErrInvariant means that the state contradicts itself or the module account.
	ErrInvariant = errorsmod.Register(ModuleName, 27, "state is inconsistent: stop and report it")
)
