// SPDX-License-Identifier: Apache-2.0

package keeper_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	sdk "github.com/cosmos/cosmos-sdk/types"
	stakingtypes "github.com/cosmos/cosmos-sdk/x/staking/types"

	"github.com/gpucoord/gpucoord/domain/anchor"
	"github.com/gpucoord/gpucoord/domain/receipt"
	"github.com/gpucoord/gpucoord/x/anchors/types"
)

// statement is an anchor signed by the named validator's key.
func (f *fixture) statement(name string, a anchor.Anchor) (types.Anchor, []byte) {
	signature := receipt.Sign(keyOf(name), anchor.NewDomain([32]byte{7}).Digest(a))
	return types.AnchorOf(a), signature[:]
}

func (f *fixture) report(first types.Anchor, firstSignature []byte, second *types.Anchor, secondSignature []byte) error {
	_, err := f.msgs.SubmitAnchorEvidence(f.ctx, &types.MsgSubmitAnchorEvidence{
		Submitter: addr("watcher"), First: first, FirstSignature: firstSignature, Second: second, SecondSignature: secondSignature,
	})
	return err
}

func TestEvidence(t *testing.T) {
	f := newAnchored(t, 4)
	f.end(t)
	attested := f.attest(t, 6, 1, four...)
	truth, err := attested.Anchor.Domain()
	require.NoError(t, err)
	lie, lie2, future, past := truth, truth, truth, truth
	lie.Root[0]++
	lie2.Root[1]++
	future.Nonce = 9
	past.Nonce = 0

	good, goodSignature := f.statement("v0", truth)
	bad, badSignature := f.statement("v0", lie)
	other, otherSignature := f.statement("v1", lie2)
	forged, forgedSignature := f.statement("stranger", lie)
	zero, zeroSignature := f.statement("v0", past)
	elsewhere := receipt.Sign(keyOf("v0"), anchor.NewDomain([32]byte{8}).Digest(lie))
	for name, c := range map[string]struct {
		err, want error
	}{
		"the truth":              {f.report(good, goodSignature, nil, nil), types.ErrNoFault},
		"the truth twice":        {f.report(good, goodSignature, &good, goodSignature), types.ErrNoFault},
		"two signers":            {f.report(bad, badSignature, &other, otherSignature), types.ErrBadSignature},
		"no validator":           {f.report(forged, forgedSignature, nil, nil), types.ErrNoKey},
		"signature of another":   {f.report(bad, goodSignature, nil, nil), types.ErrNoKey},
		"another chain":          {f.report(bad, elsewhere[:], nil, nil), types.ErrNoKey},
		"nonce zero":             {f.report(zero, zeroSignature, nil, nil), types.ErrInvalidMessage},
		"signature but no other": {f.report(bad, badSignature, nil, badSignature), types.ErrInvalidMessage},
		"short":                  {f.report(bad, badSignature[:64], nil, nil), types.ErrInvalidMessage},
	} {
		require.ErrorIs(t, c.err, c.want, name)
	}
	require.Empty(t, f.staking.slashed)

	require.NoError(t, f.report(bad, badSignature, nil, nil))
	operator := string(sdk.ValAddress(account("v0")))
	require.Equal(t, []slash{{operator: operator, power: 100, height: 4, fraction: "0.050000000000000000"}}, f.staking.slashed)
	require.True(t, f.staking.jailed[operator])
	require.True(t, f.staking.tombstoned[operator])
	require.Equal(t, 9999, f.staking.until[operator].Year())
	require.ErrorIs(t, f.report(bad, badSignature, nil, nil), types.ErrNotSlashable, "once is all")

	// A nonce that is still to come is no excuse.
	soon, soonSignature := f.statement("v1", future)
	require.NoError(t, f.report(soon, soonSignature, nil, nil))
	require.True(t, f.staking.tombstoned[string(sdk.ValAddress(account("v1")))])
}

// Two statements of one nonce are a fault at any nonce, even when one of them is the chain's own.
func TestDoubleSigning(t *testing.T) {
	f := newAnchored(t, 4)
	f.end(t)
	attested := f.attest(t, 6, 1, four...)
	truth, err := attested.Anchor.Domain()
	require.NoError(t, err)
	lie := truth
	lie.TreeSize++
	good, goodSignature := f.statement("v2", truth)
	bad, badSignature := f.statement("v2", lie)
	require.NoError(t, f.report(good, goodSignature, &bad, badSignature))
	require.True(t, f.staking.tombstoned[string(sdk.ValAddress(account("v2")))])
}

// A replaced key stays accountable until the unbonding time is over, and nobody pays for a key that is older.
func TestReplacedKeyIsAccountable(t *testing.T) {
	f := newAnchored(t, 4)
	f.end(t)
	f.at(700)
	f.register(t, "v3", keyOf("fresh"))
	wrong := anchor.Anchor{Nonce: 50, Height: 1, Time: 1, NextValset: [32]byte{1}}
	bad, badSignature := f.statement("v3", wrong)
	late := f.ctx
	f.ctx = late.WithBlockTime(late.BlockTime().Add(f.staking.unbonding + time.Second))
	require.ErrorIs(t, f.report(bad, badSignature, nil, nil), types.ErrTooOld)
	f.ctx = late.WithBlockTime(late.BlockTime().Add(f.staking.unbonding))
	require.NoError(t, f.report(bad, badSignature, nil, nil))

	gone := string(sdk.ValAddress(account("v2")))
	v := f.staking.validators[gone]
	v.Status = stakingtypes.Unbonded
	f.staking.validators[gone] = v
	bad, badSignature = f.statement("v2", wrong)
	require.ErrorIs(t, f.report(bad, badSignature, nil, nil), types.ErrNotSlashable)
}

// Nobody gets away by withdrawing first: stake is liable since the newest anchor that named the signer, with the power it had there,
// whatever nonce the lie has.
func TestStakeThatLeftStandsForALie(t *testing.T) {
	for name, nonce := range map[string]uint64{"a nonce to come": 1_000, "the nonce that drops him": 2, "made again after a timeout": 3} {
		t.Run(name, func(t *testing.T) {
			f := newAnchored(t, 4)
			f.end(t)
			f.attest(t, 6, 1, four...)
			f.at(50)
			f.staking.bond("v3", 0) // everything is withdrawn in this block
			f.end(t)
			f.at(160) // the anchor that drops v3 found no quorum, and is made again under the next nonce: v3 may still sign
			f.end(t)
			require.EqualValues(t, 3, f.ballot(t).Anchor.Nonce)
			f.attest(t, 161, 3, "v0", "v1", "v2")
			f.at(900)
			lie, signature := f.statement("v3", anchor.Anchor{Nonce: nonce, Height: 1, Time: 1, NextValset: [32]byte{1}})
			require.NoError(t, f.report(lie, signature, nil, nil))
			require.Len(t, f.staking.slashed, 1)
			require.EqualValues(t, 4, f.staking.slashed[0].height, "since anchor 1, made at 5, named v3")
			require.EqualValues(t, 100, f.staking.slashed[0].power)
		})
	}
}
