// SPDX-License-Identifier: Apache-2.0

package types

import (
	"google.golang.org/grpc/codes"

	errorsmod "cosmossdk.io/errors"
)

// Errors of the module. Each tells what to do about it; codes are never used again. Retired: 27.
var (
	ErrInvalidAddress    = errorsmod.RegisterWithGRPCCode(ModuleName, 2, codes.InvalidArgument, "invalid address: use a bech32 account of this chain, 20 bytes for an operator")
	ErrInvalidRequest    = errorsmod.RegisterWithGRPCCode(ModuleName, 3, codes.InvalidArgument, "invalid field: correct it as its description says")
	ErrUnauthorized      = errorsmod.RegisterWithGRPCCode(ModuleName, 4, codes.PermissionDenied, "sender may not do this: use the operator, one of its relayers, or governance")
	ErrUnknownOperator   = errorsmod.RegisterWithGRPCCode(ModuleName, 5, codes.NotFound, "no such operator: register it first")
	ErrOperatorExists    = errorsmod.RegisterWithGRPCCode(ModuleName, 6, codes.AlreadyExists, "operator is registered: use an update")
	ErrTombstoned        = errorsmod.Register(ModuleName, 7, "operator is tombstoned: it is out for good")
	ErrJailed            = errorsmod.Register(ModuleName, 8, "operator is jailed: wait until the jail ends")
	ErrBondTooLow        = errorsmod.Register(ModuleName, 9, "bond is too low: add bond")
	ErrBondOverflow      = errorsmod.Register(ModuleName, 10, "bond does not fit 64 bits: bond less")
	ErrTooManyUnbondings = errorsmod.Register(ModuleName, 11, "unbonding queue of the operator is full: wait until an entry matures")
	ErrUnknownHost       = errorsmod.RegisterWithGRPCCode(ModuleName, 12, codes.NotFound, "no such host: register it first")
	ErrTooManyHosts      = errorsmod.Register(ModuleName, 13, "operator has the most hosts it may have: update one of them")
	ErrUnknownHostKey    = errorsmod.RegisterWithGRPCCode(ModuleName, 14, codes.NotFound, "no such receipt key: register it for a host first")
	ErrKeyUsed           = errorsmod.RegisterWithGRPCCode(ModuleName, 15, codes.AlreadyExists, "receipt key was registered before: make a new key")
	ErrBadKeyProof       = errorsmod.Register(ModuleName, 16, "proof of possession does not fit: sign the key proof for this chain and operator with the new key")
	ErrKeyExpired        = errorsmod.Register(ModuleName, 17, "receipt key is expired: register a new one with a later expiry")
	ErrTooManyGPUs       = errorsmod.Register(ModuleName, 18, "host lists too many GPUs: list at most max_gpus")
	ErrUnknownClass      = errorsmod.Register(ModuleName, 19, "unknown GPU class: use a class of the parameters")
	ErrDeviceClaimed     = errorsmod.Register(ModuleName, 20, "another host claims the device with evidence as good: bring better evidence")
	ErrBadNonceHeight    = errorsmod.Register(ModuleName, 21, "nonce height is too old, in the future or not above the last statement's: probe again with a fresh block hash")
	ErrNoBlockHash       = errorsmod.RegisterWithGRPCCode(ModuleName, 22, codes.NotFound, "no stored hash at that height: ask within the last 16384 blocks")
	ErrBadStatement      = errorsmod.Register(ModuleName, 23, "statement is not signed by the host's receipt key: sign exactly what the message lists")
	ErrBadExpiry         = errorsmod.Register(ModuleName, 24, "expiry has passed: choose a later one")
	ErrUnknownGrant      = errorsmod.RegisterWithGRPCCode(ModuleName, 25, codes.NotFound, "no such relayer grant: authorise the relayer first")
	ErrBadLink           = errorsmod.Register(ModuleName, 26, "link is not signed by the stated owner: sign the link text with the owner's key")
	ErrBadNonce          = errorsmod.Register(ModuleName, 28, "nonce is not the next of this node and owner: use the stored nonce plus one")
	ErrUnknownNode       = errorsmod.RegisterWithGRPCCode(ModuleName, 29, codes.NotFound, "node is not linked: link it first")
	ErrInvalidParams     = errorsmod.Register(ModuleName, 30, "invalid parameters: keep every bound")
	ErrFixedParam        = errorsmod.Register(ModuleName, 31, "parameter is fixed at genesis: leave it as it is")
	ErrPriceMove         = errorsmod.Register(ModuleName, 32, "bond price moves too far in one epoch: stay within -50 % and +10 % of its price at the epoch's start")
	ErrBeforeGenesis     = errorsmod.RegisterWithGRPCCode(ModuleName, 33, codes.OutOfRange, "the first epoch has not begun: wait for the genesis height")
	ErrInvalidGenesis    = errorsmod.Register(ModuleName, 34, "invalid genesis: correct the entry")
	ErrInvariant         = errorsmod.Register(ModuleName, 35, "state is inconsistent: stop and report it")
	ErrBadReputation     = errorsmod.Register(ModuleName, 36, "reputation is above 1000000 ppm: use at most 1000000")
	ErrBadEpoch          = errorsmod.RegisterWithGRPCCode(ModuleName, 37, codes.OutOfRange, "epoch is out of range: use a smaller one")
	ErrNoConsent         = errorsmod.Register(ModuleName, 39, "the controller has not consented to be named: have it send a consent for this operator first")
	ErrPanicked          = errorsmod.Register(ModuleName, 40, "an item of a block panicked: report it")
	ErrBadBlockHash      = errorsmod.Register(ModuleName, 38, "block hash is not 32 bytes: run under CometBFT")
)
