// SPDX-License-Identifier: Apache-2.0

package keeper_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gpucoord/gpucoord/x/royalties/types"
)

func (f *fixture) reassign(signer, name, owner string, allow bool) (*types.MsgReassignResponse, error) {
	id := assetID(name)
	return f.msgs.Reassign(f.ctx, &types.MsgReassign{
		Arbiter: addr(signer), AssetId: id[:], Owner: addr(owner), AllowCommercialUse: allow,
	})
}

// A squatter registers a public model, shuts it to paid serving and asks to be taken for its author.
func TestReassignOpensASquattedModel(t *testing.T) {
	f := newFixture(t)
	squat := base("m", 500)
	squat.Owner, squat.Payees, squat.CommercialUse = addr("squatter"), payees("squatter", 10_000), false
	f.register(t, squat)
	require.NoError(t, f.propose("squatter", "m"))
	m := assetID("m")
	_, err := f.k.TermsFor(f.ctx, m, [32]byte{}, 5)
	require.ErrorIs(t, err, types.ErrNoCommercialUse)

	resp, err := f.reassign("arbiter", "m", "lab", true)
	require.NoError(t, err)
	require.Equal(t, &types.MsgReassignResponse{Version: 2, FromEpoch: 6}, resp)
	got := f.asset(t, m)
	require.Equal(t, addr("lab"), got.Asset.Owner)
	require.True(t, got.Asset.CommercialUse)
	require.Nil(t, got.AuthorProof, "the squatter's proof is not the author's")
	terms := types.Terms{AssetId: m[:], Version: 2, FromEpoch: 6, RoyaltyBps: 500, Payees: payees("lab", 10_000)}
	require.Equal(t, terms, got.Terms)
	f.lastEvent(t, &types.EventAssetReassigned{Asset: got.Asset, Terms: terms})

	// The running epoch keeps its terms; the next one has the new owner's.
	for epoch, payee := range map[uint64]string{5: "squatter", 6: "lab"} {
		pricing, err := f.k.TermsFor(f.ctx, m, [32]byte{}, epoch)
		require.NoError(t, err)
		require.Equal(t, payees(payee, 10_000), pricing.Base.Payees, "epoch %d", epoch)
	}
	f.refused(t, types.ErrUnauthorized, func() error { return f.propose("squatter", "m") })
	require.NoError(t, f.propose("lab", "m"))
	require.NoError(t, f.k.CheckInvariants(f.ctx))
}

func TestReassignShutsNothing(t *testing.T) {
	f := withLineage(t)
	_, err := f.reassign("arbiter", "m", "author", false)
	require.NoError(t, err)
	require.True(t, f.asset(t, assetID("m")).Asset.CommercialUse)
}

func TestReassignRefused(t *testing.T) {
	f := withLineage(t)
	for name, c := range map[string]struct {
		signer, asset string
		want          error
	}{
		"the owner himself": {"lab", "m", types.ErrUnauthorized},
		"governance":        {"governance", "m", types.ErrUnauthorized},
		"unknown":           {"arbiter", "nowhere", types.ErrUnknownAsset},
		"taken down":        {"arbiter", "d", types.ErrTakenDown},
	} {
		t.Run(name, func(t *testing.T) {
			f.refused(t, c.want, func() error {
				_, err := f.reassign(c.signer, c.asset, "author", true)
				return err
			})
		})
	}
	m := assetID("m")
	long, err := addressCodec.BytesToString(make([]byte, 32))
	require.NoError(t, err)
	f.refused(t, types.ErrInvalidAddress, func() error {
		_, err := f.msgs.Reassign(f.ctx, &types.MsgReassign{Arbiter: addr("arbiter"), AssetId: m[:], Owner: long})
		return err
	})
	require.ErrorIs(t, (&types.MsgReassign{AssetId: []byte("short")}).ValidateBasic(), types.ErrInvalidHash)
}
