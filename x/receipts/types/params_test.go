// SPDX-License-Identifier: Apache-2.0

package types_test

import (
	"math/big"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gpucoord/gpucoord/x/receipts/types"
)

func TestDefaultParamsAreValid(t *testing.T) {
	p := types.DefaultParams()
	require.NoError(t, p.Validate())
	require.NoError(t, types.DefaultGenesis().Validate())
}

func TestParamsBounds(t *testing.T) {
	for name, spoil := range map[string]func(p *types.Params){
		"take above whole":   func(p *types.Params) { p.TakeBps = 1<<64 - 1 },
		"take and royalties": func(p *types.Params) { p.TakeBps = 7_001 },
		"parts too small":    func(p *types.Params) { p.PoolBps-- },
		"parts too large":    func(p *types.Params) { p.AlephBps++ },
		"part above whole":   func(p *types.Params) { p.PoolBps = 1<<64 - 1 },
		"multiple":           func(p *types.Params) { p.BondClaimMultiple = 19 },
		"multiple zero":      func(p *types.Params) { p.BondClaimMultiple = 0 },
		"multiple too large": func(p *types.Params) { p.BondClaimMultiple = 10_001 },
		"sample unit":        func(p *types.Params) { p.SampleUnitUusdc = 0 },
		"groups":             func(p *types.Params) { p.MaxGroups = 257 },
		"no groups":          func(p *types.Params) { p.MaxGroups = 0 },
		"finalise":           func(p *types.Params) { p.MaxFinalisePerBlock = 0 },
		"finalise too many":  func(p *types.Params) { p.MaxFinalisePerBlock = 1_001 },
		"stuck":              func(p *types.Params) { p.StuckReturnBlocks = 0 },
		"stuck too long":     func(p *types.Params) { p.StuckReturnBlocks = 10_000_001 },
		"thaw":               func(p *types.Params) { p.ThawBlocks = 0 },
		"thaws":              func(p *types.Params) { p.MaxThaws = 65 },
		"thaws per block":    func(p *types.Params) { p.MaxThawsPerBlock = 0 },
		"divisor":            func(p *types.Params) { p.DefaultLimitDivisor = 0 },
		"keys":               func(p *types.Params) { p.MaxGatewayKeys = 65 },
		"deadline":           func(p *types.Params) { p.SettleDeadlineBlocks = 0 },
		"retention":          func(p *types.Params) { p.UsageRetentionEpochs = 7 },
		"retention too long": func(p *types.Params) { p.UsageRetentionEpochs = 1_001 },
		"prune":              func(p *types.Params) { p.MaxPrunePerBlock = 0 },
	} {
		t.Run(name, func(t *testing.T) {
			p := types.DefaultParams()
			spoil(&p)
			require.ErrorIs(t, p.Validate(), types.ErrInvalidParams)
		})
	}
}

// The inequality is the error's text where it is what fails: here 8 multiples at no take, which the floor of 20 would refuse too.
func TestDeterrenceIsNamed(t *testing.T) {
	p := types.DefaultParams()
	p.TakeBps, p.BondClaimMultiple = 0, 8
	require.ErrorContains(t, p.Validate(), "inflated batches pay")
	p.BondClaimMultiple = 9
	require.ErrorContains(t, p.Validate(), "least is 20")
}

// Exact expectation, in rationals, of a batch that inflates a fraction f of its value, for the weakest parameters that pass: one draw
// by value catches with chance f, one of two beacon blocks is the cheating proposer's and he is never caught when it is the last, the
// bond has lost three quarters of its price, and no take is paid.
func TestInflationLosesOnAverage(t *testing.T) {
	for _, take := range []int64{0, 1_000, 7_000} {
		p := types.DefaultParams()
		p.TakeBps = uint64(take)
		require.NoError(t, p.Validate())
		for permille := int64(1); permille <= 1_000; permille++ {
			f := big.NewRat(permille, 1_000)
			caught := new(big.Rat).Mul(f, big.NewRat(1, 2))
			passed := new(big.Rat).Sub(big.NewRat(1, 1), caught)
			gain := new(big.Rat).Mul(f, big.NewRat(10_000-take, 10_000))
			gain.Mul(gain, passed)
			loss := new(big.Rat).Mul(caught, big.NewRat(int64(p.BondClaimMultiple), 4))
			require.Negative(t, new(big.Rat).Sub(gain, loss).Sign(), "take %d, %d permille", take, permille)
		}
	}
}
