// SPDX-License-Identifier: Apache-2.0

package keeper_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gpucoord/gpucoord/x/royalties/types"
)

// withLineage has the bases m and n, the adapters p1 and p2 on m, q on n, and the taken-down base d.
func withLineage(t *testing.T) *fixture {
	t.Helper()
	f := newFixture(t)
	for _, name := range []string{"m", "n", "d"} {
		f.register(t, base(name, 500))
	}
	f.register(t, adapter("p1", "m", 300, payees("p1", 10_000)))
	f.register(t, adapter("p2", "m", 200, payees("a", 5_000, "p2", 5_000)))
	f.register(t, adapter("q", "n", 200, payees("q", 10_000)))
	f.takeDown(t, "d")
	return f
}

func (f *fixture) takeDown(t *testing.T, name string) {
	t.Helper()
	id := assetID(name)
	_, err := f.msgs.TakeDown(f.ctx, &types.MsgTakeDown{Arbiter: addr("arbiter"), AssetId: id[:]})
	require.NoError(t, err)
}

func TestRegisterAdapterChecksLineage(t *testing.T) {
	for name, c := range map[string]struct {
		msg  *types.MsgRegisterAsset
		want error
	}{
		"unknown base":           {adapter("x", "nowhere", 100, payees("a", 10_000)), types.ErrUnknownAsset},
		"base is an adapter":     {adapter("x", "p1", 100, payees("a", 10_000)), types.ErrWrongKind},
		"base is taken down":     {adapter("x", "d", 100, payees("a", 10_000)), types.ErrTakenDown},
		"unknown parent":         {adapter("x", "m", 100, payees("a", 10_000), "p1", "nowhere"), types.ErrUnknownAsset},
		"parent on another base": {adapter("x", "m", 100, payees("a", 10_000), "q"), types.ErrBadParents},
		"parent is a base":       {adapter("x", "m", 100, payees("a", 10_000), "n"), types.ErrBadParents},
		"royalty above the cap":  {adapter("x", "m", 3_001, payees("a", 10_000)), types.ErrBadTerms},
		"more payees than allowed": {
			adapter("x", "m", 100, payees("1", 9_992, "2", 1, "3", 1, "4", 1, "5", 1, "6", 1, "7", 1, "8", 1, "9", 1)),
			types.ErrBadTerms,
		},
		"payee of another chain": {
			adapter("x", "m", 100, []types.Payee{{Address: "cosmos1qypqxpq9qcrsszg2pvxq6rs0zqg3yyc5lzv7xu", Bps: 10_000}}),
			types.ErrInvalidAddress,
		},
	} {
		t.Run(name, func(t *testing.T) {
			f := withLineage(t)
			require.NoError(t, c.msg.ValidateBasic())
			f.commit(t, "author", assetID("x"))
			f.forward(2)
			f.refused(t, c.want, func() error {
				_, err := f.msgs.RegisterAsset(f.ctx, c.msg)
				return err
			})
		})
	}
}

func TestRegisterAdapterOnTakenDownParent(t *testing.T) {
	f := withLineage(t)
	f.takeDown(t, "p1")
	f.register(t, adapter("x", "m", 100, payees("a", 10_000), "p2", "p1"))
	p1, p2 := assetID("p1"), assetID("p2")
	require.Equal(t, [][]byte{p2[:], p1[:]}, f.asset(t, assetID("x")).Asset.Parents, "nearest first, as listed")
	require.NoError(t, f.k.CheckInvariants(f.ctx))
}

func TestTakeDown(t *testing.T) {
	f := withLineage(t)
	m := assetID("m")
	f.takeDown(t, "m")
	f.lastEvent(t, &types.EventAssetTakenDown{AssetId: m[:], Epoch: 6})
	asset := f.asset(t, m).Asset
	require.Equal(t, types.AssetStatus_ASSET_STATUS_TAKEN_DOWN, asset.Status)
	require.Equal(t, uint64(6), asset.TakenDownEpoch)

	for name, c := range map[string]struct {
		signer, asset string
		want          error
	}{
		"again":       {"arbiter", "m", types.ErrTakenDown},
		"unknown":     {"arbiter", "nowhere", types.ErrUnknownAsset},
		"not arbiter": {"lab", "n", types.ErrUnauthorized},
	} {
		t.Run(name, func(t *testing.T) {
			f.refused(t, c.want, func() error {
				id := assetID(c.asset)
				_, err := f.msgs.TakeDown(f.ctx, &types.MsgTakeDown{Arbiter: addr(c.signer), AssetId: id[:]})
				return err
			})
		})
	}
}

func TestNoArbiter(t *testing.T) {
	f := emptyFixture(t)
	require.NoError(t, f.k.InitGenesis(f.ctx, types.DefaultGenesis()))
	f.register(t, base("m", 500))
	id := assetID("m")
	f.refused(t, types.ErrNoArbiter, func() error {
		_, err := f.msgs.TakeDown(f.ctx, &types.MsgTakeDown{Arbiter: addr("arbiter"), AssetId: id[:]})
		return err
	})
	f.refused(t, types.ErrNoArbiter, func() error {
		_, err := f.msgs.DecideAuthorProof(f.ctx, &types.MsgDecideAuthorProof{Arbiter: addr("arbiter"), AssetId: id[:]})
		return err
	})
}
