// SPDX-License-Identifier: Apache-2.0

package types

import (
	"google.golang.org/grpc/codes"

	errorsmod "cosmossdk.io/errors"
)

// Errors of the module. Each tells what to do about it; codes are never used again.
var (
	ErrUnauthorized     = errorsmod.RegisterWithGRPCCode(ModuleName, 2, codes.PermissionDenied, "sender may not do this: use governance")
	ErrBadLeaf          = errorsmod.Register(ModuleName, 3, "leaf data is neither a finalised batch nor an epoch statement: build it with domain/log")
	ErrUnknownLeaf      = errorsmod.RegisterWithGRPCCode(ModuleName, 4, codes.NotFound, "leaf is not kept: ask an archive for older ones")
	ErrInvalidParams    = errorsmod.Register(ModuleName, 5, "invalid parameters: keep every bound")
	ErrInvalidGenesis   = errorsmod.Register(ModuleName, 6, "invalid genesis: correct the entry")
	ErrInvariant        = errorsmod.Register(ModuleName, 7, "state is inconsistent: stop and report it")
	ErrInvalidRequest   = errorsmod.RegisterWithGRPCCode(ModuleName, 8, codes.InvalidArgument, "invalid query: correct the field")
	ErrNotProvable      = errorsmod.RegisterWithGRPCCode(ModuleName, 9, codes.NotFound, "hashes of the proof are no longer kept: ask an archive")
	ErrNoOrigin         = errorsmod.RegisterWithGRPCCode(ModuleName, 10, codes.FailedPrecondition, "chain has no origin id: it started before anchors existed; restart it from an export")
	ErrNoAnchor         = errorsmod.RegisterWithGRPCCode(ModuleName, 11, codes.NotFound, "anchor is not kept or not attested: ask for another nonce, or an archive")
	ErrNoValset         = errorsmod.RegisterWithGRPCCode(ModuleName, 12, codes.NotFound, "validator set is not known: use a hash that an anchor names")
	ErrNoKey            = errorsmod.RegisterWithGRPCCode(ModuleName, 13, codes.NotFound, "anchor key is not registered: register it")
	ErrInvalidMessage   = errorsmod.Register(ModuleName, 14, "invalid message: correct the field")
	ErrUnknownValidator = errorsmod.Register(ModuleName, 15, "validator does not exist: create it first")
	ErrBadProof         = errorsmod.Register(ModuleName, 16, "proof is not the key's signature of this chain and validator: make it with gpucoord anchors key proof")
	ErrKeyTaken         = errorsmod.Register(ModuleName, 17, "anchor key was registered before: make a new one")
	ErrKeyTooYoung      = errorsmod.Register(ModuleName, 18, "anchor key was registered too short ago: replace it later")
	ErrBadEnvelope      = errorsmod.Register(ModuleName, 19, "anchor signatures are not as the proposer has to put them: refuse the block")
	ErrBadSignature     = errorsmod.Register(ModuleName, 20, "signature is not by a member of the signers' set over the open anchor: drop it")
	ErrNoFault          = errorsmod.Register(ModuleName, 21, "what was signed is no fault: bring a false anchor, or two of one nonce")
	ErrTooOld           = errorsmod.Register(ModuleName, 22, "evidence is too old: bring it before the unbonding time ends")
	ErrNotSlashable     = errorsmod.Register(ModuleName, 23, "validator is unbonded, gone or tombstoned already: there is nothing to slash")
)
