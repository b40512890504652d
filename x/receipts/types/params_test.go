// SPDX-License-Identifier: Apache-2.0

package types_test

import (
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
		"key notice":         func(p *types.Params) { p.KeyNoticeSeconds = 3_601 },
	} {
		t.Run(name, func(t *testing.T) {
			p := types.DefaultParams()
			spoil(&p)
			require.ErrorIs(t, p.Validate(), types.ErrInvalidParams)
		})
	}
}

// The inequalities are the error's text where they are what fails: 10 multiples, which the floor of 20 would refuse too.
func TestDeterrenceIsNamed(t *testing.T) {
	p := types.DefaultParams()
	p.BondClaimMultiple = 10
	require.ErrorContains(t, p.Validate(), "inflated batches pay")
	p.BondClaimMultiple = 11
	require.ErrorContains(t, p.Validate(), "least is 20")

	p = types.DefaultParams()
	p.TakeBps = 0
	require.ErrorContains(t, p.Validate(), "take_bps 0 < 1")
	p = types.DefaultParams()
	p.PoolBps, p.InsuranceBps, p.AlephBps = 0, 0, 9_500
	require.ErrorContains(t, p.Validate(), "payback_cap_bps 0 + probers_bps 500 + aleph_bps 9500 > 9500")
	p.AlephBps, p.PoolBps = 9_000, 500
	require.NoError(t, p.Validate())
}
