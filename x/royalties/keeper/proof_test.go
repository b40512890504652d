// SPDX-License-Identifier: Apache-2.0

package keeper_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gpucoord/gpucoord/x/royalties/types"
)

func (f *fixture) propose(owner, name string) error {
	id := assetID(name)
	_, err := f.msgs.ProposeAuthorProof(f.ctx, &types.MsgProposeAuthorProof{
		Owner:   addr(owner),
		AssetId: id[:],
		Uri:     "https://hub.example/proof",
		Sha256:  salt[:],
	})
	return err
}

func (f *fixture) decide(signer, name string, accept bool) error {
	id := assetID(name)
	_, err := f.msgs.DecideAuthorProof(f.ctx, &types.MsgDecideAuthorProof{Arbiter: addr(signer), AssetId: id[:], Accept: accept})
	return err
}

func TestAcceptedProofLetsTheBaseEarn(t *testing.T) {
	f := newFixture(t)
	f.register(t, base("m", 500))
	m, proposed := assetID("m"), uint64(f.ctx.BlockHeight())
	require.NoError(t, f.propose("lab", "m"))
	proof := types.AuthorProof{AssetId: m[:], Uri: "https://hub.example/proof", Sha256: salt[:], ProposedHeight: proposed}
	f.lastEvent(t, &types.EventAuthorProofProposed{Proof: proof})
	require.Equal(t, &proof, f.asset(t, m).AuthorProof)

	f.forward(9)
	f.refused(t, types.ErrTooEarly, func() error { return f.decide("arbiter", "m", true) })
	f.forward(1)
	f.refused(t, types.ErrUnauthorized, func() error { return f.decide("lab", "m", true) })
	f.epochs.epoch = 7
	require.NoError(t, f.decide("arbiter", "m", true))
	f.lastEvent(t, &types.EventAuthorProofAccepted{AssetId: m[:], EarningEpoch: 8})

	require.Nil(t, f.asset(t, m).AuthorProof)
	require.Equal(t, uint64(9), f.asset(t, m).Asset.EarningFrom)
	for epoch, want := range map[uint64]bool{5: false, 7: false, 8: true, 9: true} {
		pricing, err := f.k.TermsFor(f.ctx, m, [32]byte{}, epoch)
		require.NoError(t, err)
		require.Equal(t, want, pricing.Base.Earning, "epoch %d", epoch)
	}
	f.refused(t, types.ErrAlreadyEarning, func() error { return f.propose("lab", "m") })
	require.NoError(t, f.k.CheckInvariants(f.ctx))
}

func TestRejectedProofMayBeProposedAgain(t *testing.T) {
	f := newFixture(t)
	f.register(t, base("m", 500))
	m := assetID("m")
	require.NoError(t, f.propose("lab", "m"))
	f.refused(t, types.ErrProofExists, func() error { return f.propose("lab", "m") })
	f.forward(9)
	f.refused(t, types.ErrTooEarly, func() error { return f.decide("arbiter", "m", false) })
	f.forward(1)
	require.NoError(t, f.decide("arbiter", "m", false))
	f.lastEvent(t, &types.EventAuthorProofRejected{AssetId: m[:]})
	require.Zero(t, f.asset(t, m).Asset.EarningFrom)
	f.refused(t, types.ErrUnknownProof, func() error { return f.decide("arbiter", "m", true) })
	require.NoError(t, f.propose("lab", "m"))
}

func TestProposeAuthorProofRefused(t *testing.T) {
	f := withLineage(t)
	for name, c := range map[string]struct {
		owner, asset string
		want         error
	}{
		"not the owner": {"author", "m", types.ErrUnauthorized},
		"unknown":       {"lab", "nowhere", types.ErrUnknownAsset},
		"adapter":       {"author", "p1", types.ErrWrongKind},
		"taken down":    {"lab", "d", types.ErrTakenDown},
	} {
		t.Run(name, func(t *testing.T) {
			f.refused(t, c.want, func() error { return f.propose(c.owner, c.asset) })
		})
	}
}
