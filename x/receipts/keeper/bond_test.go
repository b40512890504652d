// SPDX-License-Identifier: Apache-2.0

package keeper_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gpucoord/gpucoord/domain/receipt"
	"github.com/gpucoord/gpucoord/x/receipts/types"
)

// endKeys ends both keys of the fixture's gateway.
func (f *fixture) endKeys() {
	f.t.Helper()
	for _, key := range []string{"payer", "payer2"} {
		address := receipt.KeyAddress(secret(key))
		f.do(&types.MsgRemoveGatewayKey{Gateway: addr("gw"), Address: address[:]})
	}
}

func TestBondGateway(t *testing.T) {
	f := newFixture(t)
	f.pay("gw", 500)
	f.refused(types.ErrUnknownGateway, &types.MsgBondGateway{Gateway: addr("nobody"), AmountUusdc: 1})
	f.refused(types.ErrInvalidRequest, &types.MsgBondGateway{Gateway: addr("gw")})
	f.refused(types.ErrOverflow, &types.MsgBondGateway{Gateway: addr("gw"), AmountUusdc: 1<<64 - 1})
	f.refused(errBank, &types.MsgBondGateway{Gateway: addr("gw"), AmountUusdc: 501})
	f.do(&types.MsgBondGateway{Gateway: addr("gw"), AmountUusdc: 500})
	require.Equal(t, uint64(1_000_500), f.gateway("gw").BondUusdc)
	require.Equal(t, &types.EventGatewayBonded{Gateway: addr("gw"), BondUusdc: 1_000_500, AmountUusdc: 500}, lastEvent[*types.EventGatewayBonded](f))
	require.Zero(t, f.bank.balances[string(raw("gw"))])
	require.NoError(t, f.k.CheckInvariants(f.ctx))
}

// A bond comes back whole, once, after it has thawed for as long as claims on the last jobs can arrive; no claim takes from it.
func TestUnbondGateway(t *testing.T) {
	f := newFixture(t)
	unbond := &types.MsgUnbondGateway{Gateway: addr("gw")}
	f.refused(types.ErrUnknownGateway, &types.MsgUnbondGateway{Gateway: addr("nobody")})
	f.refused(types.ErrKeysLive, unbond)
	f.endKeys()
	f.do(unbond)
	thaw := types.Thaw{Id: 1, Gateway: addr("gw"), AmountUusdc: 1_000_000, MatureHeight: 201}
	require.Equal(t, thaw, lastEvent[*types.EventGatewayUnbonding](f).Thaw)
	require.Equal(t, []uint64{0, 1_000_000}, []uint64{f.gateway("gw").BondUusdc, f.gateway("gw").UnbondingUusdc})
	require.NoError(t, f.k.CheckInvariants(f.ctx))
	f.refused(types.ErrBondThaws, unbond)
	f.refused(types.ErrBondTooLow, f.keyMsg("gw", "third", "set"))

	before := f.export()
	g, err := f.k.ExportGenesis(f.ctx)
	require.NoError(t, err)
	require.Equal(t, string(before), string(f.reload(g).export()))

	f.goTo(201)
	require.Zero(t, f.bank.balances[string(raw("gw"))])
	f.goTo(202)
	require.Equal(t, uint64(1_000_000), f.bank.balances[string(raw("gw"))])
	require.Equal(t, &types.EventWithdrawalPaid{Thaw: thaw}, lastEvent[*types.EventWithdrawalPaid](f))
	require.Zero(t, f.gateway("gw").UnbondingUusdc)
	f.refused(types.ErrNoBond, unbond)

	f.do(&types.MsgBondGateway{Gateway: addr("gw"), AmountUusdc: 999_999})
	f.refused(types.ErrBondTooLow, f.keyMsg("gw", "third", "set"))
	f.do(&types.MsgBondGateway{Gateway: addr("gw"), AmountUusdc: 1})
	f.do(f.keyMsg("gw", "third", "set"))
}

// A gateway whose account is a settler too keeps bond and escrow apart: a claim locks thawing escrow and never the bond.
func TestThawingBondIsNoEscrow(t *testing.T) {
	f := newFixture(t)
	f.addSettler("gw", "gw", types.Class_CLASS_ROUTED, true, "payer3")
	f.deposit("gw", 700)
	f.do(&types.MsgSetLimit{Settler: addr("gw"), Operator: addr("op"), LimitUusdc: 1 << 40})
	f.endKeys()
	address := receipt.KeyAddress(secret("payer3"))
	w := work{settler: "gw", payer: "payer3", model: plain, jobs: jobs(1, 701)}
	f.goTo(11)
	f.do(&types.MsgRemoveGatewayKey{Gateway: addr("gw"), Address: address[:]})
	f.do(&types.MsgUnbondGateway{Gateway: addr("gw")})
	f.do(&types.MsgWithdraw{Settler: addr("gw"), AmountUusdc: 700})
	f.goTo(21)
	require.True(t, f.submit(f.build("host", 0, w)).States[0].Unfunded)
	w.jobs = jobs(2, 600)
	require.False(t, f.submit(f.build("host", 0, w)).States[0].Unfunded)
	require.Equal(t, &types.EventWithdrawalLocked{
		Thaw: types.Thaw{Id: 2, Settler: addr("gw"), AmountUusdc: 100, MatureHeight: 211}, LockedUusdc: 600,
	}, lastEvent[*types.EventWithdrawalLocked](f))
	require.Equal(t, uint64(1_000_000), f.gateway("gw").UnbondingUusdc)
	require.NoError(t, f.k.CheckInvariants(f.ctx))
}
