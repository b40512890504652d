// SPDX-License-Identifier: Apache-2.0

package keeper_test

import (
	"encoding/hex"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gpucoord/gpucoord/x/royalties/types"
)

func hexID(id [32]byte) string { return hex.EncodeToString(id[:]) }

// updateTerms sets new terms of an asset of "lab".
func (f *fixture) updateTerms(t *testing.T, name string, royaltyBps uint64) *types.MsgUpdateTermsResponse {
	t.Helper()
	id := assetID(name)
	resp, err := f.msgs.UpdateTerms(f.ctx, &types.MsgUpdateTerms{
		Owner:      addr("lab"),
		AssetId:    id[:],
		RoyaltyBps: royaltyBps,
		Payees:     payees("lab", 10_000),
	})
	require.NoError(t, err)
	return resp
}

func TestUpdateTermsHoldFromTheNextEpoch(t *testing.T) {
	f := newFixture(t)
	f.register(t, base("m", 500)) // in epoch 5
	f.epochs.epoch = 7
	require.Equal(t, &types.MsgUpdateTermsResponse{Version: 2, FromEpoch: 8}, f.updateTerms(t, "m", 600))
	require.Equal(t, &types.MsgUpdateTermsResponse{Version: 3, FromEpoch: 8}, f.updateTerms(t, "m", 700))
	m := assetID("m")
	f.lastEvent(t, &types.EventTermsUpdated{
		Terms: types.Terms{AssetId: m[:], Version: 3, FromEpoch: 8, RoyaltyBps: 700, Payees: payees("lab", 10_000)},
	})
	f.epochs.epoch = 10
	f.updateTerms(t, "m", 0)

	for epoch, want := range map[uint64]uint64{5: 500, 6: 500, 7: 500, 8: 700, 9: 700, 10: 700, 11: 0, 1_000: 0} {
		pricing, err := f.k.TermsFor(f.ctx, m, [32]byte{}, epoch)
		require.NoError(t, err, "epoch %d", epoch)
		require.Equal(t, want, pricing.Base.RoyaltyBps, "epoch %d", epoch)
	}
	_, err := f.k.TermsFor(f.ctx, m, [32]byte{}, 4)
	require.ErrorIs(t, err, types.ErrUnknownAsset, "no terms before the registration")

	terms, err := f.query.Terms(f.ctx, &types.QueryTermsRequest{AssetId: hexID(m)})
	require.NoError(t, err)
	var versions []uint64
	for _, terms := range terms.Terms {
		versions = append(versions, terms.Version)
	}
	require.Equal(t, []uint64{1, 3, 4}, versions, "version 2 was replaced before it held")
	require.NoError(t, f.k.CheckInvariants(f.ctx))
}

func TestUpdateTermsRefused(t *testing.T) {
	f := withLineage(t)
	for name, c := range map[string]struct {
		owner, asset string
		royaltyBps   uint64
		want         error
	}{
		"not the owner":  {"author", "m", 100, types.ErrUnauthorized},
		"unknown":        {"lab", "nowhere", 100, types.ErrUnknownAsset},
		"taken down":     {"lab", "d", 100, types.ErrTakenDown},
		"above the cap":  {"lab", "m", 3_001, types.ErrBadTerms},
		"not an address": {"", "m", 100, types.ErrInvalidAddress},
	} {
		t.Run(name, func(t *testing.T) {
			id := assetID(c.asset)
			msg := &types.MsgUpdateTerms{AssetId: id[:], RoyaltyBps: c.royaltyBps, Payees: payees("a", 10_000)}
			if c.owner != "" {
				msg.Owner = addr(c.owner)
			}
			f.refused(t, c.want, func() error {
				_, err := f.msgs.UpdateTerms(f.ctx, msg)
				return err
			})
		})
	}
}

func TestTermsForRefusals(t *testing.T) {
	f := withLineage(t) // all in epoch 5, d is taken down from 6
	private := base("private", 500)
	private.CommercialUse, private.License = false, "CC-BY-NC-4.0"
	f.register(t, private)
	hobby := adapter("hobby", "m", 100, payees("a", 10_000))
	hobby.CommercialUse = false
	f.register(t, hobby)
	f.takeDown(t, "p1")

	for name, c := range map[string]struct {
		model, adapter string
		epoch          uint64
		want           error
	}{
		"unknown model":               {"nowhere", "", 5, types.ErrUnknownAsset},
		"unknown adapter":             {"m", "nowhere", 5, types.ErrUnknownAsset},
		"registered later":            {"m", "", 4, types.ErrUnknownAsset},
		"model is an adapter":         {"p1", "", 5, types.ErrWrongKind},
		"adapter is a base":           {"m", "n", 5, types.ErrWrongKind},
		"adapter of another base":     {"n", "p1", 5, types.ErrWrongBase},
		"model taken down":            {"d", "", 6, types.ErrTakenDown},
		"model before the take-down":  {"d", "", 5, nil},
		"adapter taken down":          {"m", "p1", 6, types.ErrTakenDown},
		"long after the take-down":    {"m", "p1", 60, types.ErrTakenDown},
		"adapter, epoch of take-down": {"m", "p1", 5, nil},
		"model not for commerce":      {"private", "", 5, types.ErrNoCommercialUse},
		"adapter not for commerce":    {"m", "hobby", 5, types.ErrNoCommercialUse},
	} {
		t.Run(name, func(t *testing.T) {
			var adapterID [32]byte
			if c.adapter != "" {
				adapterID = assetID(c.adapter)
			}
			_, err := f.k.TermsFor(f.ctx, assetID(c.model), adapterID, c.epoch)
			require.ErrorIs(t, err, c.want)
		})
	}
}

func TestTermsForAdapterWithTakenDownParent(t *testing.T) {
	f := withLineage(t)
	f.register(t, adapter("x", "m", 1_000, payees("a", 10_000), "p2", "p1"))
	f.takeDown(t, "p1")
	pricing, err := f.k.TermsFor(f.ctx, assetID("m"), assetID("x"), 9)
	require.NoError(t, err)
	require.Equal(t, types.Pricing{
		RoyaltyCapBps: 3_000,
		Adapter:       &types.AssetTerms{ID: assetID("x"), RoyaltyBps: 1_000, Earning: true, Payees: payees("a", 10_000)},
		Base:          &types.AssetTerms{ID: assetID("m"), RoyaltyBps: 500, Earning: false, Payees: payees("lab", 10_000)},
		Parents: []types.AssetTerms{
			{ID: assetID("p2"), RoyaltyBps: 200, Earning: true, Payees: payees("a", 5_000, "p2", 5_000)},
			{ID: assetID("p1"), RoyaltyBps: 300, Earning: true, Payees: payees("p1", 10_000)},
		},
	}, pricing)
}

func TestRoyaltyCapHoldsFromTheNextEpoch(t *testing.T) {
	f := newFixture(t)
	f.register(t, base("m", 500))
	setCap := func(bps uint64) {
		params := types.DefaultParams()
		params.RoyaltyCapBps = bps
		_, err := f.msgs.UpdateParams(f.ctx, &types.MsgUpdateParams{Authority: addr("governance"), Params: params})
		require.NoError(t, err)
	}
	f.epochs.epoch = 8
	setCap(1_000)
	setCap(2_000) // replaces what never held
	f.epochs.epoch = 20
	setCap(100)
	for epoch, want := range map[uint64]uint64{5: 3_000, 8: 3_000, 9: 2_000, 20: 2_000, 21: 100, 90: 100} {
		pricing, err := f.k.TermsFor(f.ctx, assetID("m"), [32]byte{}, epoch)
		require.NoError(t, err)
		require.Equal(t, want, pricing.RoyaltyCapBps, "epoch %d", epoch)
	}
	require.NoError(t, f.k.CheckInvariants(f.ctx))
}

// What was locked for a batch must be what its settlement asks for, so nothing may change the price of an epoch in which
// work was served already.
func TestNoMessageChangesTheRunningEpoch(t *testing.T) {
	f := withLineage(t)
	f.register(t, adapter("x", "m", 1_000, payees("a", 10_000), "p1"))
	require.NoError(t, f.propose("lab", "m"))
	f.forward(10)
	price := func(epoch uint64) types.Pricing {
		pricing, err := f.k.TermsFor(f.ctx, assetID("m"), assetID("x"), epoch)
		require.NoError(t, err)
		return pricing
	}
	running := price(5)

	f.updateTerms(t, "m", 900)
	require.NoError(t, f.decide("arbiter", "m", true))
	params := types.DefaultParams()
	params.RoyaltyCapBps, params.Arbiter = 1_000, addr("arbiter")
	require.NoError(t, f.k.UpdateParams(f.ctx, addr("governance"), params))
	next := price(6)
	require.NotEqual(t, running.RoyaltyCapBps, next.RoyaltyCapBps)
	require.NotEqual(t, running.Base, next.Base)
	f.takeDown(t, "m")
	f.takeDown(t, "x")

	require.Equal(t, running, price(5))
}
