// SPDX-License-Identifier: Apache-2.0

package types

import (
	"google.golang.org/grpc/codes"

	errorsmod "cosmossdk.io/errors"
)

// Errors of the module. Each tells what to do about it; codes are never used again.
var (
	ErrUnauthorized   = errorsmod.RegisterWithGRPCCode(ModuleName, 2, codes.PermissionDenied, "sender may not do this: use governance")
	ErrBadLeaf        = errorsmod.Register(ModuleName, 3, "leaf data is neither a finalised batch nor an epoch statement: build it with domain/log")
	ErrUnknownLeaf    = errorsmod.RegisterWithGRPCCode(ModuleName, 4, codes.NotFound, "leaf is not kept: ask an archive for older ones")
	ErrInvalidParams  = errorsmod.Register(ModuleName, 5, "invalid parameters: keep every bound")
	ErrInvalidGenesis = errorsmod.Register(ModuleName, 6, "invalid genesis: correct the entry")
	ErrInvariant      = errorsmod.Register(ModuleName, 7, "state is inconsistent: stop and report it")
	ErrInvalidRequest = errorsmod.RegisterWithGRPCCode(ModuleName, 8, codes.InvalidArgument, "invalid query: correct the field")
)
