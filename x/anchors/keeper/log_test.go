// SPDX-License-Identifier: Apache-2.0

package keeper_test

import (
	"crypto/sha256"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/cosmos/cosmos-sdk/types/query"

	"github.com/gpucoord/gpucoord/domain/log"
	"github.com/gpucoord/gpucoord/x/anchors/types"
)

func TestAppendedLeavesAreProvable(t *testing.T) {
	f := newFixture(t)
	size, root, err := f.k.Head(f.ctx)
	require.NoError(t, err)
	require.Zero(t, size)
	require.Equal(t, sha256.Sum256(nil), root)

	const n = 37
	var hashes [][32]byte
	for i := range uint64(n) {
		f.append(t, i, 1)
		hashes = append(hashes, log.LeafHash(leaf(i)))
		size, root, err = f.k.Head(f.ctx)
		require.NoError(t, err)
		require.Equal(t, i+1, size)
		require.Equal(t, log.Root(hashes), root)
		require.NoError(t, f.k.CheckInvariants(f.ctx))
	}
	for i := range uint64(n) {
		stored, err := f.k.Leaf(f.ctx, i)
		require.NoError(t, err)
		path, err := log.InclusionProof(hashes, i, n)
		require.NoError(t, err)
		require.NoError(t, log.VerifyInclusion(root, n, i, log.LeafHash(stored.Data), path))
	}
}

func TestAppendEmitsTheLeafAndTheRoot(t *testing.T) {
	f := newFixture(t)
	f.append(t, 0, 2)
	first, second := log.LeafHash(leaf(0)), log.LeafHash(leaf(1))
	root := log.Root([][32]byte{first, second})
	f.events(t,
		&types.EventLeafAppended{Leaf: types.Leaf{Index: 0, Kind: 1, Data: leaf(0), Height: 5}, Root: first[:], Size_: 1},
		&types.EventLeafAppended{Leaf: types.Leaf{Index: 1, Kind: 2, Data: leaf(1), Height: 5}, Root: root[:], Size_: 2})
}

func TestAppendRefusesOtherData(t *testing.T) {
	f := newFixture(t)
	f.append(t, 0, 3)
	before := f.export(t)
	wrongTag, wrongKind := leaf(0), leaf(0)
	wrongTag[0], wrongKind[4] = 'X', 2
	for name, data := range map[string][]byte{
		"empty": nil, "tag only": []byte("GCF1"), "wrong tag": wrongTag, "batch of the other kind": wrongKind,
		"short": leaf(1)[:109], "long": append(leaf(1), 0), "unknown kind": append([]byte("GCF1\x03"), make([]byte, 105)...),
	} {
		_, err := f.k.Append(f.ctx, data)
		require.ErrorIs(t, err, types.ErrBadLeaf, name)
	}
	require.Equal(t, before, f.export(t))
}

func TestOnlyTheRetentionIsKept(t *testing.T) {
	f := emptyFixture(t)
	genesis := types.DefaultGenesis()
	genesis.Params.RetentionLeaves = 1_030
	require.NoError(t, f.k.InitGenesis(f.ctx, genesis))
	f.append(t, 0, 1_030)
	require.EqualValues(t, 0, f.firstKept(t))
	f.append(t, 1_030, 1)
	require.EqualValues(t, 1, f.firstKept(t))
	_, err := f.k.Leaf(f.ctx, 0)
	require.ErrorIs(t, err, types.ErrUnknownLeaf)
	require.NoError(t, f.k.CheckInvariants(f.ctx))

	// A shorter retention is reached two leaves an append, so no block pays for it alone.
	_, err = f.msgs.UpdateParams(f.ctx, &types.MsgUpdateParams{Authority: addr("governance"), Params: types.Params{RetentionLeaves: 1_024}})
	require.NoError(t, err)
	f.append(t, 1_031, 1)
	require.EqualValues(t, 3, f.firstKept(t))
	f.append(t, 1_032, 10)
	require.EqualValues(t, 1_042-1_024, f.firstKept(t))
	require.NoError(t, f.k.CheckInvariants(f.ctx))
}

// firstKept is the oldest leaf by the query.
func (f *fixture) firstKept(t *testing.T) uint64 {
	t.Helper()
	resp, err := f.query.Log(f.ctx, &types.QueryLogRequest{})
	require.NoError(t, err)
	size, root, err := f.k.Head(f.ctx)
	require.NoError(t, err)
	require.Equal(t, size, resp.Size_)
	require.Equal(t, root[:], resp.Root)
	return resp.FirstKept
}

func TestQueries(t *testing.T) {
	f := newFixture(t)
	f.append(t, 0, 205)
	one, err := f.query.Leaf(f.ctx, &types.QueryLeafRequest{Index: 204})
	require.NoError(t, err)
	require.Equal(t, types.Leaf{Index: 204, Kind: 1, Data: leaf(204), Height: 5}, one.Leaf)
	_, err = f.query.Leaf(f.ctx, &types.QueryLeafRequest{Index: 205})
	require.ErrorIs(t, err, types.ErrUnknownLeaf)

	page, err := f.query.Leaves(f.ctx, &types.QueryLeavesRequest{Pagination: &query.PageRequest{Limit: 1_000, CountTotal: true}})
	require.NoError(t, err)
	require.Len(t, page.Leaves, 200)
	require.Zero(t, page.Pagination.Total)
	rest, err := f.query.Leaves(f.ctx, &types.QueryLeavesRequest{Pagination: &query.PageRequest{Key: page.Pagination.NextKey}})
	require.NoError(t, err)
	require.Len(t, rest.Leaves, 5)
	require.EqualValues(t, 200, rest.Leaves[0].Index)

	params, err := f.query.Params(f.ctx, &types.QueryParamsRequest{})
	require.NoError(t, err)
	require.Equal(t, types.DefaultParams(), params.Params)
}

func TestUpdateParams(t *testing.T) {
	f := newFixture(t)
	_, err := f.msgs.UpdateParams(f.ctx, &types.MsgUpdateParams{Authority: addr("alice"), Params: types.DefaultParams()})
	require.ErrorIs(t, err, types.ErrUnauthorized)
	short := &types.MsgUpdateParams{Authority: addr("governance"), Params: types.Params{RetentionLeaves: 1_023}}
	require.ErrorIs(t, short.ValidateBasic(), types.ErrInvalidParams)
	_, err = f.msgs.UpdateParams(f.ctx, short)
	require.ErrorIs(t, err, types.ErrInvalidParams)
	f.events(t)
	_, err = f.msgs.UpdateParams(f.ctx, &types.MsgUpdateParams{Authority: addr("governance"), Params: types.Params{RetentionLeaves: 1_024}})
	require.NoError(t, err)
	f.events(t, &types.EventParamsUpdated{Authority: addr("governance"), Params: types.Params{RetentionLeaves: 1_024}.Filled()})

	// A set may not be trusted longer than its stake can be slashed.
	f.staking.unbonding = 24 * time.Hour
	_, err = f.msgs.UpdateParams(f.ctx, &types.MsgUpdateParams{Authority: addr("governance"), Params: types.Params{TrustingPeriodSeconds: 86_400}})
	require.ErrorIs(t, err, types.ErrInvalidParams)
}
