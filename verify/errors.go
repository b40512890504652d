// SPDX-License-Identifier: Apache-2.0

package verify

import "errors"

// Errors of a bundle's form.
var (
	ErrTooLarge     = errors.New("BUNDLE_TOO_LARGE: a bundle has at most 64 KiB; make a new one")
	ErrMalformed    = errors.New("BUNDLE_MALFORMED: not a bundle of this version; make one with: gpucoord receipt bundle")
	ErrNotCanonical = errors.New("BUNDLE_NOT_CANONICAL: fields are repeated, reordered or written in another way; use the file as it was made")
	ErrFieldLength  = errors.New("BUNDLE_FIELD_LENGTH: a field is longer or shorter than the format says; the file was cut or changed")
)

// Errors of the checks.
var (
	ErrLeafMismatch     = errors.New("LEAF_MISMATCH: the opened leaf is not this record's; open the leaf of this record")
	ErrWrongCount       = errors.New("WRONG_COUNT: the opening's number of leaves is not the group's; open the committed group")
	ErrWrongGroup       = errors.New("WRONG_GROUP: the record's host, epoch, model, adapter or seq is not the group's; take the group of this record")
	ErrNotBatchLeaf     = errors.New("NOT_BATCH_LEAF: the leaf of the log is not a settled batch; take the batch's own leaf")
	ErrBatchSums        = errors.New("BATCH_SUMS: the group counts more than its whole batch; take the group of this batch")
	ErrStateProof       = errors.New("STATE_PROOF: a proof does not lead to the header's app hash; take proofs at the height before the header's")
	ErrStateKey         = errors.New("STATE_KEY: a proof is of another key or store than the format asks for")
	ErrStateValue       = errors.New("STATE_VALUE: a proven value is not what the format asks for")
	ErrWrongOrigin      = errors.New("WRONG_ORIGIN: the bundle's origin id is not the one in the chain's state; it is of another chain")
	ErrWrongChain       = errors.New("WRONG_CHAIN: the header is of another chain than the bundle says")
	ErrAnchorAhead      = errors.New("ANCHOR_AHEAD: the anchor is newer than the header or later than its time; take a header after the anchor")
	ErrHeader           = errors.New("BAD_HEADER: the header, its validators or its commit are not well formed")
	ErrCommit           = errors.New("BAD_COMMIT: the commit is not by more than two thirds of the header's validators")
	ErrWrongValidators  = errors.New("WRONG_VALIDATORS: the validators do not hash to what the header says")
	ErrFutureTime       = errors.New("FUTURE_TIME: the header is from the future; set this machine's clock, or do not trust the header")
	ErrServedLater      = errors.New("SERVED_LATER: the record was served after the header's time")
	ErrFork             = errors.New("TRUST_MISMATCH: the header at the trusted height has another hash; the bundle or the trusted hash is of a fork")
	ErrNotTrusted       = errors.New("NOT_TRUSTED: the light client does not accept the header from the trusted one")
	ErrNoTrustedHeader  = errors.New("the bundle has no header of the trusted height; make one with: gpucoord receipt bundle --trust-height HEIGHT")
	ErrContract         = errors.New("CONTRACT: the contract does not agree")
	ErrContractOrigin   = errors.New("CONTRACT_ORIGIN: the contract is for another chain; ask for the address of this chain's")
	ErrContractFrozen   = errors.New("CONTRACT_FROZEN: the contract saw two conflicting anchors and proves nothing any more")
	ErrContractNoAnchor = errors.New("CONTRACT_NO_ANCHOR: the contract does not hold this anchor, or no longer; make a bundle with its newest anchor")
	ErrRPC              = errors.New("the EVM node did not answer as it should; try another one")
)
