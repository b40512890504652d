// SPDX-License-Identifier: Apache-2.0

package keeper_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/transparency-dev/merkle/proof"
	"github.com/transparency-dev/merkle/rfc6962"

	"github.com/gpucoord/gpucoord/domain/log"
	"github.com/gpucoord/gpucoord/x/anchors/types"
)

// requireProvable checks, by an implementation that is not ours, the proofs of leaves from..size-1 at every size up to the log's, and
// the consistency of those sizes.
func (f *fixture) requireProvable(t *testing.T, from, size uint64) {
	t.Helper()
	var roots [][]byte
	var hashes [][32]byte
	for i := range size {
		hashes = append(hashes, log.LeafHash(leaf(i)))
		root := log.Root(hashes)
		roots = append(roots, root[:])
	}
	for n := from + 1; n <= size; n++ {
		for i := from; i < n; i += 1 + (n-from)/7 {
			got, err := f.query.Inclusion(f.ctx, &types.QueryInclusionRequest{Index: i, TreeSize: n})
			require.NoError(t, err, "%d in %d", i, n)
			require.Equal(t, roots[n-1], got.Root)
			require.Equal(t, hashes[i][:], got.LeafHash)
			require.NoError(t, proof.VerifyInclusion(rfc6962.DefaultHasher, i, n, got.LeafHash, got.Proof, got.Root))
		}
		for m := max(1, from); m <= n; m += 1 + (n-from)/7 {
			got, err := f.query.Consistency(f.ctx, &types.QueryConsistencyRequest{From: m, To: n})
			require.NoError(t, err, "%d to %d", m, n)
			require.Equal(t, roots[m-1], got.RootFrom)
			require.NoError(t, proof.VerifyConsistency(rfc6962.DefaultHasher, m, n, got.Proof, got.RootFrom, got.RootTo))
		}
	}
}

func TestProofsOfAWholeLog(t *testing.T) {
	f := newFixture(t)
	f.append(t, 0, 70)
	f.requireProvable(t, 0, 70)
	require.NoError(t, f.k.CheckInvariants(f.ctx))

	now, err := f.query.Inclusion(f.ctx, &types.QueryInclusionRequest{Index: 3})
	require.NoError(t, err)
	require.EqualValues(t, 70, now.TreeSize)
	grown, err := f.query.Consistency(f.ctx, &types.QueryConsistencyRequest{From: 70})
	require.NoError(t, err)
	require.Empty(t, grown.Proof)
}

// Of a pruned log, every kept leaf is provable at every size from its own on, at each of many positions of the window.
func TestProofsOfAPrunedLog(t *testing.T) {
	f := emptyFixture(t)
	genesis := types.DefaultGenesis()
	genesis.Params.RetentionLeaves = 1_024
	require.NoError(t, f.k.InitGenesis(f.ctx, genesis))
	f.append(t, 0, 1_024)
	for size := uint64(1_025); size <= 1_100; size++ {
		f.append(t, size-1, 1)
		first := f.firstKept(t)
		require.Equal(t, size-1_024, first)
		require.NoError(t, f.k.CheckInvariants(f.ctx))
		if size%25 != 0 || first < 2 {
			continue
		}
		f.requireProvable(t, first, size)
		_, err := f.query.Inclusion(f.ctx, &types.QueryInclusionRequest{Index: first - 2, TreeSize: size})
		require.ErrorIs(t, err, types.ErrNotProvable)
	}
	exported, err := f.k.ExportGenesis(f.ctx)
	require.NoError(t, err)
	other := emptyFixture(t)
	require.NoError(t, other.k.InitGenesis(other.ctx, exported))
	require.NoError(t, other.k.CheckInvariants(other.ctx))
	other.requireProvable(t, 76, 1_100)
}

func TestProofsRefuse(t *testing.T) {
	f := newFixture(t)
	_, err := f.query.Inclusion(f.ctx, &types.QueryInclusionRequest{})
	require.ErrorIs(t, err, types.ErrInvalidRequest, "the log is empty")
	f.append(t, 0, 9)
	for _, r := range []*types.QueryInclusionRequest{{Index: 9}, {Index: 9, TreeSize: 9}, {Index: 3, TreeSize: 3}, {Index: 0, TreeSize: 10}, {Index: ^uint64(0), TreeSize: ^uint64(0)}} {
		_, err := f.query.Inclusion(f.ctx, r)
		require.ErrorIs(t, err, types.ErrInvalidRequest, r)
	}
	for _, r := range []*types.QueryConsistencyRequest{{From: 0, To: 5}, {From: 6, To: 5}, {From: 5, To: 10}, {From: 10}} {
		_, err := f.query.Consistency(f.ctx, r)
		require.ErrorIs(t, err, types.ErrInvalidRequest, r)
	}
}
