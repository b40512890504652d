// SPDX-License-Identifier: Apache-2.0

package types

import (
	"google.golang.org/grpc/codes"

	errorsmod "cosmossdk.io/errors"
)

// Errors of the module. Each tells what to do about it; codes are never used again.
var (
	ErrInvalidAddress = errorsmod.RegisterWithGRPCCode(ModuleName, 2, codes.InvalidArgument, "invalid address: use a bech32 account of this chain, 20 bytes for settlers and operators")
	ErrInvalidRequest = errorsmod.RegisterWithGRPCCode(ModuleName, 3, codes.InvalidArgument, "invalid field: correct it as its description says")
	ErrUnauthorized   = errorsmod.RegisterWithGRPCCode(ModuleName, 4, codes.PermissionDenied, "signer may not do this: sign with the account that the message needs")
	ErrInvalidParams  = errorsmod.Register(ModuleName, 5, "invalid parameters: keep every bound")
	ErrInvalidGenesis = errorsmod.Register(ModuleName, 6, "invalid genesis: correct the entry")
	ErrInvariant      = errorsmod.Register(ModuleName, 7, "state is inconsistent: stop and report it")
	ErrOverflow       = errorsmod.Register(ModuleName, 8, "sum does not fit 64 bits: use smaller amounts")

	ErrGatewayExists  = errorsmod.RegisterWithGRPCCode(ModuleName, 9, codes.AlreadyExists, "gateway is registered: add keys to it")
	ErrUnknownGateway = errorsmod.RegisterWithGRPCCode(ModuleName, 10, codes.NotFound, "no such gateway: register it first")
	ErrBondTooLow     = errorsmod.Register(ModuleName, 11, "bond is too low: bond at least min_gateway_bond_uusdc")
	ErrKeyUsed        = errorsmod.RegisterWithGRPCCode(ModuleName, 12, codes.AlreadyExists, "gateway key was registered before: make a new key")
	ErrBadKeyProof    = errorsmod.Register(ModuleName, 13, "proof of possession does not fit: sign the key proof for this chain and gateway with the new key")
	ErrTooManyKeys    = errorsmod.Register(ModuleName, 14, "gateway has the most live keys it may have: remove one first")
	ErrUnknownKey     = errorsmod.RegisterWithGRPCCode(ModuleName, 15, codes.NotFound, "no such gateway key: register it first")
	ErrKeyEnded       = errorsmod.Register(ModuleName, 16, "gateway key has ended already: nothing is left to remove")

	ErrSettlerExists  = errorsmod.RegisterWithGRPCCode(ModuleName, 17, codes.AlreadyExists, "settler is registered: deposit to it, or use another account for another class")
	ErrUnknownSettler = errorsmod.RegisterWithGRPCCode(ModuleName, 18, codes.NotFound, "no such settler: register it first")
	ErrBadClass       = errorsmod.Register(ModuleName, 19, "class does not fit: routed, pinned or trial with a gateway, direct without one and without pays_operators")
	ErrIsOperator     = errorsmod.Register(ModuleName, 20, "account is an operator: let a gateway settle by an account of its own")
	ErrNotAvailable   = errorsmod.Register(ModuleName, 21, "not that much is available: withdraw less, or wait until locks return")
	ErrTooManyThaws   = errorsmod.Register(ModuleName, 22, "settler has the most thawing entries it may have: wait until one matures")

	ErrSubmitWindow = errorsmod.Register(ModuleName, 23, "epoch is outside its submit window: submit a batch in the blocks that follow its epoch")
	ErrUnknownEpoch = errorsmod.RegisterWithGRPCCode(ModuleName, 24, codes.NotFound, "no such epoch in state: it has not begun, or is pruned")
	ErrLossDeclared = errorsmod.Register(ModuleName, 25, "a loss is declared for the host and epoch: no more of it can be claimed")
	ErrGroupCount   = errorsmod.Register(ModuleName, 26, "batch has no group or more than max_groups: split it")
	ErrEmptyGroup   = errorsmod.Register(ModuleName, 27, "group has no receipt: leave it out")
	ErrSeqRange     = errorsmod.Register(ModuleName, 28, "seq range cannot hold the group's receipts: give the first and last seq of its leaves")
	ErrOutcomeCount = errorsmod.Register(ModuleName, 29, "ok and fail are more than the group's receipts: count each receipt at most once")
	ErrBadTop       = errorsmod.Register(ModuleName, 30, "root is not the parent of left and right: send the two children of the group's root, none for one receipt")
	ErrGroupOrder   = errorsmod.Register(ModuleName, 31, "groups do not form a batch: sort them by settler, model, adapter and keep sums in 64 bits")
	ErrWatermark    = errorsmod.Register(ModuleName, 32, "seq was claimed before at this settler: continue above the watermark")
	ErrMinJobAmount = errorsmod.Register(ModuleName, 33, "amount is below ok times min_job_amount_uusdc: serve at a higher price")
	ErrTokenCeiling = errorsmod.Register(ModuleName, 34, "tokens of the host and epoch exceed its ceiling: commit the GPUs that serve them")
	ErrCover        = errorsmod.Register(ModuleName, 35, "cover is too low for the open claims: add bond, or wait until batches are final")
	ErrWrongSettler = errorsmod.Register(ModuleName, 36, "settler cannot settle this host's work: use the gateway's settler, or the operator for direct work")
	ErrBadDA        = errorsmod.Register(ModuleName, 37, "DA reference is malformed: give a printable address of at most 256 bytes and a SHA-256")
	ErrUnknownBatch = errorsmod.RegisterWithGRPCCode(ModuleName, 38, codes.NotFound, "no such batch in state: it was never submitted, or is pruned")
	ErrBatchStatus  = errorsmod.Register(ModuleName, 39, "batch is in another status: look at it first")
	ErrUnknownGroup = errorsmod.RegisterWithGRPCCode(ModuleName, 40, codes.NotFound, "batch has no such group: count groups from 0")
	ErrGroupFunded  = errorsmod.Register(ModuleName, 41, "group is funded: nothing is left to lock")
	ErrNotFunded    = errorsmod.Register(ModuleName, 42, "escrow or limit does not suffice: deposit to the settler, or raise the operator's limit")

	ErrOpenWindow     = errorsmod.Register(ModuleName, 43, "samples cannot be opened now: open them in the epoch's open window")
	ErrNoSeed         = errorsmod.RegisterWithGRPCCode(ModuleName, 44, codes.NotFound, "the epoch's beacon is not drawn: wait for the end of its beacon window")
	ErrSampleOpened   = errorsmod.Register(ModuleName, 45, "draw was opened before: open the others")
	ErrBadSample      = errorsmod.Register(ModuleName, 46, "opening is not of the drawn leaf: open the leaf that the seed draws")
	ErrBadRecord      = errorsmod.Register(ModuleName, 47, "record breaks a rule: open the record as it was signed")
	ErrRecordMismatch = errorsmod.Register(ModuleName, 48, "record is not the leaf's: send the record that was hashed into the leaf")

	ErrEpochNotReady  = errorsmod.Register(ModuleName, 49, "epoch cannot be closed yet: wait for its open batches or its deadline")
	ErrEpochClosed    = errorsmod.Register(ModuleName, 50, "epoch is closed: its usage is frozen")
	ErrNothingToClaim = errorsmod.Register(ModuleName, 51, "nothing has accrued: wait for a batch to be final")
	ErrPriceChanged   = errorsmod.Register(ModuleName, 52, "group's price differs from what was locked: governance decides by SettleStuck")

	ErrTooManyReceipts = errorsmod.Register(ModuleName, 53, "group has more receipts than one group may claim: split it over batches")
	ErrKeysLive        = errorsmod.Register(ModuleName, 54, "gateway has live keys: remove them all first")
	ErrBondThaws       = errorsmod.Register(ModuleName, 55, "a bond of the gateway thaws already: wait until it is paid")
	ErrNoBond          = errorsmod.Register(ModuleName, 56, "gateway has no bond: nothing is left to return")
	ErrNoConsent       = errorsmod.Register(ModuleName, 57, "the controller has not consented to be named: have it send a consent for this gateway first")
	ErrJailedEpoch     = errorsmod.Register(ModuleName, 58, "the operator was jailed for the whole epoch: claim work of epochs with a block outside the jail, and serve again when it ends")

	ErrBadEvidence     = errorsmod.Register(ModuleName, 59, "evidence is malformed: encode it as its kind says, whole and without anything behind it")
	ErrOwnEvidence     = errorsmod.RegisterWithGRPCCode(ModuleName, 60, codes.PermissionDenied, "the accused, its controller and its relayers cannot report it: report from another account")
	ErrEvidenceUsed    = errorsmod.RegisterWithGRPCCode(ModuleName, 61, codes.AlreadyExists, "the fault was shown before: it has had its consequence")
	ErrChallengeWindow = errorsmod.Register(ModuleName, 62, "this cannot be asked now: demand data until the challenge window ends, claim omissions after the submit window")
	ErrTooManyDemands  = errorsmod.Register(ModuleName, 63, "the batch has the most open demands it may have: wait for an answer")
	ErrDemandExists    = errorsmod.RegisterWithGRPCCode(ModuleName, 64, codes.AlreadyExists, "the reporter has an open demand for the batch: wait for its answer")
	ErrUnknownDemand   = errorsmod.RegisterWithGRPCCode(ModuleName, 65, codes.NotFound, "no such demand: it was answered, or its deadline has passed")
	ErrOpenDemands     = errorsmod.Register(ModuleName, 66, "the batch has demands for its data: answer them first")
	ErrNotOmitted      = errorsmod.Register(ModuleName, 67, "the record is not shown to be omitted: show a record whose place in its group lacks it")
	ErrNotAccredited   = errorsmod.RegisterWithGRPCCode(ModuleName, 69, codes.PermissionDenied, "the gateway is not accredited: ask governance to accredit it before it reports")
	ErrReported        = errorsmod.RegisterWithGRPCCode(ModuleName, 70, codes.AlreadyExists, "the gateway has reported for the epoch: put all rows into one report")
	ErrUnknownFailures = errorsmod.RegisterWithGRPCCode(ModuleName, 71, codes.NotFound, "no such row of failures: it was never reported, or was refuted, or is pruned")
	ErrNotRefuted      = errorsmod.Register(ModuleName, 72, "the record does not refute the row: show a countersigned one of a job that the row lists")
	ErrNotInBatch      = errorsmod.Register(ModuleName, 68, "the batch is not one of the records': name the open batches whose groups and seq ranges hold them, or none")
)
