// SPDX-License-Identifier: Apache-2.0

package keeper_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gpucoord/gpucoord/x/royalties/types"
)

// One pricer gives for every pair, also when asked again, what a fresh one gives, and refuses what it refuses.
func TestPricerRemembers(t *testing.T) {
	f := newFixture(t)
	c := waterfallCases()["all earn, a is paid twice"]
	want := c.setUp(t, f)
	price := f.k.Pricer(9)
	base, err := f.k.TermsFor(f.ctx, assetID("m"), [32]byte{}, 9)
	require.NoError(t, err)
	for range 2 {
		got, err := price(f.ctx, assetID("m"), assetID("x"))
		require.NoError(t, err)
		require.Equal(t, want, got)
		got, err = price(f.ctx, assetID("m"), [32]byte{})
		require.NoError(t, err)
		require.Equal(t, base, got)
		_, err = price(f.ctx, assetID("x"), [32]byte{})
		require.ErrorIs(t, err, types.ErrWrongKind, "an asset that was read as an adapter is no model")
		_, err = price(f.ctx, assetID("m"), assetID("none"))
		require.ErrorIs(t, err, types.ErrUnknownAsset)
	}
}
