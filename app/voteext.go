// SPDX-License-Identifier: Apache-2.0

package app

import (
	"context"
	"errors"
	"fmt"

	abci "github.com/cometbft/cometbft/abci/types"
	"github.com/spf13/cast"

	"github.com/cosmos/cosmos-sdk/client/flags"
	servertypes "github.com/cosmos/cosmos-sdk/server/types"
	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/gpucoord/gpucoord/x/anchors/signer"
	"github.com/gpucoord/gpucoord/x/anchors/types"
)

// Settings of app.toml.
const (
	optionAnchorKeyFile      = "anchor.key_file"
	optionAnchorRemoteSigner = "anchor.remote_signer"
	optionAnchorArchive      = "anchor.archive"
)

var errSignerPanic = errors.New("the anchor signer panicked: report it")

// newAnchorSigner returns the signer of the node's settings, or nil. A node that is told to sign but can not must not start silent.
func newAnchorSigner(opts servertypes.AppOptions) (signer.Signer, error) {
	return signer.New(cast.ToString(opts.Get(flags.FlagHome)), signer.Settings{
		KeyFile:      cast.ToString(opts.Get(optionAnchorKeyFile)),
		RemoteSigner: cast.ToString(opts.Get(optionAnchorRemoteSigner)),
	})
}

// extendVote adds this validator's signature of the open anchor to its vote, or nothing. It never fails: a validator without a key,
// or whose signer is away, votes all the same.
//
// The state is that of the block before the one voted for, as it is when others verify the vote.
func (a *App) extendVote(ctx sdk.Context, req *abci.RequestExtendVote) (*abci.ResponseExtendVote, error) {
	signature, err := a.signAnchor(ctx)
	if err != nil {
		a.Logger().Error("vote without an anchor signature", "height", req.Height, "err", err)
	}
	return &abci.ResponseExtendVote{VoteExtension: signature}, nil
}

// signAnchor returns the signature, or nothing when there is no key, nothing to sign, no membership, or it is on chain already.
func (a *App) signAnchor(ctx sdk.Context) (signature []byte, err error) {
	if a.anchorSigner == nil {
		return nil, nil
	}
	defer func() {
		if r := recover(); r != nil {
			signature, err = nil, fmt.Errorf("%w: %v", errSignerPanic, r)
		}
	}()
	ballot, err := a.Anchors.Ballot(ctx)
	if err != nil || ballot == nil {
		return nil, err
	}
	if known, ok := a.anchorSigner.(interface{ Address() [20]byte }); ok {
		wanted, err := a.signatureWanted(ctx, ballot, known.Address())
		if err != nil || !wanted {
			return nil, err
		}
	}
	signed, err := a.anchorSigner.Sign(context.WithoutCancel(ctx), signer.Request{Origin: ballot.Origin, Anchor: ballot.Anchor})
	if err != nil {
		return nil, err
	}
	// What others would refuse must not be sent: it would cost this validator its vote.
	member, err := a.Anchors.VerifySignature(ballot, signed[:])
	if err != nil {
		return nil, err
	}
	if done, err := a.Anchors.HasSigned(ctx, member); err != nil || done {
		return nil, err
	}
	return signed[:], nil
}

// signatureWanted reports whether the key of that address is a member whose signature is not on chain yet.
func (a *App) signatureWanted(ctx sdk.Context, ballot *types.Ballot, address [20]byte) (bool, error) {
	member := ballot.Signers.Index(address)
	if member < 0 {
		return false, nil
	}
	done, err := a.Anchors.HasSigned(ctx, member)
	return !done, err
}

// verifyVoteExtension accepts nothing, or a member's signature of the open anchor. It depends on the committed state alone, as
// extendVote does at the same height, so that an honest validator is never refused.
func (a *App) verifyVoteExtension(ctx sdk.Context, req *abci.RequestVerifyVoteExtension) (*abci.ResponseVerifyVoteExtension, error) {
	if len(req.VoteExtension) == 0 || a.goodExtension(ctx, req.VoteExtension) {
		return &abci.ResponseVerifyVoteExtension{Status: abci.ResponseVerifyVoteExtension_ACCEPT}, nil
	}
	return &abci.ResponseVerifyVoteExtension{Status: abci.ResponseVerifyVoteExtension_REJECT}, nil
}

// goodExtension never panics: the consensus engine takes a failed verification for a reason to stop the node.
func (a *App) goodExtension(ctx sdk.Context, extension []byte) (good bool) {
	if len(extension) != types.SignatureSize {
		return false
	}
	defer func() {
		if r := recover(); r != nil {
			a.Logger().Error("vote extension refused", "panic", r)
			good = false
		}
	}()
	ballot, err := a.Anchors.Ballot(ctx)
	if err != nil || ballot == nil {
		return false
	}
	_, err = a.Anchors.VerifySignature(ballot, extension)
	return err == nil
}

// anchorEnvelope returns the good and new signatures among the last votes, or nil. Votes that came late were verified by nobody yet.
func (a *App) anchorEnvelope(ctx sdk.Context, req *abci.RequestPrepareProposal) (envelope []byte) {
	defer func() {
		if r := recover(); r != nil {
			a.Logger().Error("proposal without anchor signatures", "height", req.Height, "panic", r)
			envelope = nil
		}
	}()
	var candidates [][]byte
	for i := range req.LocalLastCommit.Votes {
		if extension := req.LocalLastCommit.Votes[i].VoteExtension; len(extension) == types.SignatureSize {
			candidates = append(candidates, extension)
		}
	}
	if len(candidates) == 0 {
		return nil
	}
	const overhead = 8 // of protobuf around one transaction of a block
	envelope, err := a.Anchors.Envelope(ctx, candidates, req.MaxTxBytes-overhead)
	if err != nil {
		a.Logger().Error("proposal without anchor signatures", "height", req.Height, "err", err)
		return nil
	}
	return envelope
}

// checkAnchorEnvelope reports whether the anchor signatures of a block, if it has any, stand first, once, and are good.
func (a *App) checkAnchorEnvelope(ctx sdk.Context, txs [][]byte) bool {
	for i, raw := range txs {
		if !types.IsEnvelope(raw) {
			continue
		}
		if i > 0 {
			return false
		}
		if _, err := a.Anchors.CheckEnvelope(ctx, raw); err != nil {
			return false
		}
	}
	return true
}
