// SPDX-License-Identifier: Apache-2.0

package keeper_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gpucoord/gpucoord/domain/receipt"
	operatorstypes "github.com/gpucoord/gpucoord/x/operators/types"
	"github.com/gpucoord/gpucoord/x/receipts/types"
)

func TestRegisterGateway(t *testing.T) {
	f := newFixture(t)
	f.pay("gw2", 2_000_000)
	msg := func(bond uint64) *types.MsgRegisterGateway {
		return &types.MsgRegisterGateway{Gateway: addr("gw2"), Controller: addr("boss"), Moniker: "two", BondUusdc: bond}
	}
	f.refused(types.ErrNoConsent, msg(1_500_000))
	f.consent("boss", "gw2", true)
	f.refused(types.ErrBondTooLow, msg(999_999))
	f.refused(errBank, msg(2_000_001))
	f.refused(types.ErrInvalidRequest, &types.MsgRegisterGateway{Gateway: addr("gw2"), Moniker: "", BondUusdc: 1_000_000})
	f.refused(types.ErrInvalidRequest, &types.MsgRegisterGateway{Gateway: addr("gw2"), Moniker: strings.Repeat("x", 65), BondUusdc: 1_000_000})
	f.refused(types.ErrInvalidAddress, &types.MsgRegisterGateway{Gateway: text(make([]byte, 32)), Moniker: "x", BondUusdc: 1_000_000})
	f.do(msg(1_500_000))
	want := types.Gateway{Address: addr("gw2"), Controller: addr("boss"), Moniker: "two", BondUusdc: 1_500_000, RegisteredHeight: 1}
	require.Equal(t, want, f.gateway("gw2"))
	require.Equal(t, want, lastEvent[*types.EventGatewayRegistered](f).Gateway)
	require.Equal(t, uint64(500_000), f.bank.balances[string(raw("gw2"))])
	require.Equal(t, addr("gw"), f.gateway("gw").Controller)
	f.refused(types.ErrGatewayExists, msg(1_500_000))
	require.NoError(t, f.k.CheckInvariants(f.ctx))
}

func TestGatewayKeys(t *testing.T) {
	f := newFixture(t)
	f.pay("gw2", 1_000_000)
	f.do(&types.MsgRegisterGateway{Gateway: addr("gw2"), Moniker: "two", BondUusdc: 1_000_000})
	f.refused(types.ErrUnknownGateway, f.keyMsg("nobody", "new", "set"))
	f.refused(types.ErrUnknownSettler, f.keyMsg("gw", "new", "nobody"))
	f.refused(types.ErrWrongSettler, f.keyMsg("gw2", "new", "set"))
	f.refused(types.ErrWrongSettler, f.keyMsg("gw", "new", "op"))
	f.refused(types.ErrKeyUsed, f.keyMsg("gw", "payer", "set"))
	stolen := f.keyMsg("gw2", "new", "set") // its proof is for another account
	stolen.Gateway = addr("gw")
	f.refused(types.ErrBadKeyProof, stolen)
	broken := f.keyMsg("gw", "new", "set")
	broken.PublicKey[0] = 9
	f.refused(types.ErrBadKeyProof, broken)
	broken.PublicKey = broken.PublicKey[1:]
	f.refused(types.ErrInvalidRequest, broken)

	f.do(f.keyMsg("gw", "new", "set"))
	added := lastEvent[*types.EventGatewayKeyAdded](f).Key
	require.Equal(t, uint64(genesisTime+6), added.ValidFrom)
	require.Equal(t, uint32(3), f.gateway("gw").Keys)
	f.setParams(func(p *types.Params) { p.MaxGatewayKeys = 3 })
	f.refused(types.ErrTooManyKeys, f.keyMsg("gw", "fourth", "set"))

	address := receipt.KeyAddress(secret("new"))
	remove := &types.MsgRemoveGatewayKey{Gateway: addr("gw"), Address: address[:]}
	f.refused(types.ErrUnknownKey, &types.MsgRemoveGatewayKey{Gateway: addr("gw"), Address: raw("nobody")})
	f.refused(types.ErrUnauthorized, &types.MsgRemoveGatewayKey{Gateway: addr("gw2"), Address: address[:]})
	f.goTo(5)
	f.do(remove)
	require.Equal(t, uint64(genesisTime+30), lastEvent[*types.EventGatewayKeyRemoved](f).Key.ValidUntil)
	f.refused(types.ErrKeyEnded, remove)
	f.refused(types.ErrKeyUsed, f.keyMsg("gw", "new", "set")) // for ever
	f.do(f.keyMsg("gw", "fourth", "set"))
	resp, err := f.query.Gateway(f.ctx, &types.QueryGatewayRequest{Address: addr("gw")})
	require.NoError(t, err)
	require.Len(t, resp.Keys, 4)
}

func TestPayer(t *testing.T) {
	f := newFixture(t)
	address := receipt.KeyAddress(secret("payer"))
	f.goTo(5)
	f.do(&types.MsgRemoveGatewayKey{Gateway: addr("gw"), Address: address[:]})
	f.do(&types.MsgAccredit{Authority: addr("governance"), Gateway: addr("gw"), Accredited: true})
	ask := func(key string, at uint64, operator string) *types.QueryPayerResponse {
		k := receipt.KeyAddress(secret(key))
		resp, err := f.query.Payer(f.ctx, &types.QueryPayerRequest{Key: hexOf(k[:]), IssuedAt: at, Operator: addr(operator)})
		require.NoError(t, err)
		return resp
	}
	for at, isGateway := range map[uint64]bool{genesisTime + 5: false, genesisTime + 6: true, genesisTime + 30: true, genesisTime + 31: false} {
		resp := ask("payer", at, "op")
		require.Equal(t, isGateway, resp.GatewayKey, "%d", at)
		require.Equal(t, isGateway, resp.Settler.Address == addr("set"))
		require.Equal(t, isGateway, resp.Settler.Accredited)
	}
	require.Equal(t, uint64(125_000), ask("payer", genesisTime+6, "op").LockableUusdc)
	require.Equal(t, uint64(1_000_000), ask("customer", 0, "op").LockableUusdc)
	require.Equal(t, &types.QueryPayerResponse{}, ask("customer", 0, "op2")) // never registered
	_, err := f.query.Payer(f.ctx, &types.QueryPayerRequest{Key: "00", Operator: addr("op")})
	require.ErrorIs(t, err, types.ErrInvalidRequest)
}

func TestAccredit(t *testing.T) {
	f := newFixture(t)
	f.refused(types.ErrUnauthorized, &types.MsgAccredit{Authority: addr("gw"), Gateway: addr("gw"), Accredited: true})
	f.refused(types.ErrUnknownGateway, &types.MsgAccredit{Authority: addr("governance"), Gateway: addr("set"), Accredited: true})
	f.do(&types.MsgAccredit{Authority: addr("governance"), Gateway: addr("gw"), Accredited: true})
	require.Equal(t, &types.EventAccreditationChanged{Gateway: addr("gw"), Accredited: true}, lastEvent[*types.EventAccreditationChanged](f))
	require.True(t, f.settler("paying").Accredited)
	require.False(t, f.settler("op").Accredited)
}

func TestRegisterSettler(t *testing.T) {
	f := newFixture(t)
	routed := types.Class_CLASS_ROUTED
	f.refused(types.ErrSettlerExists, &types.MsgRegisterSettler{Settler: addr("set"), Gateway: addr("gw"), Class: routed})
	f.refused(types.ErrUnknownGateway, &types.MsgRegisterSettler{Settler: addr("new"), Gateway: addr("nobody"), Class: routed})
	f.refused(types.ErrIsOperator, &types.MsgRegisterSettler{Settler: addr("op2"), Gateway: addr("gw"), Class: routed})
	f.refused(operatorstypes.ErrUnknownOperator, &types.MsgRegisterSettler{Settler: addr("new"), Class: types.Class_CLASS_DIRECT})
	f.refused(types.ErrBadClass, &types.MsgRegisterSettler{Settler: addr("op2"), Class: routed})
	f.refused(types.ErrBadClass, &types.MsgRegisterSettler{Settler: addr("new"), Gateway: addr("gw"), Class: types.Class_CLASS_DIRECT})
	f.refused(types.ErrBadClass, &types.MsgRegisterSettler{Settler: addr("op2"), Class: types.Class_CLASS_DIRECT, PaysOperators: true})
	f.refused(types.ErrBadClass, &types.MsgRegisterSettler{Settler: addr("new"), Gateway: addr("gw")})
	f.do(&types.MsgRegisterSettler{Settler: addr("new"), Gateway: addr("gw"), Class: types.Class_CLASS_TRIAL})
	require.Equal(t, types.Settler{
		Address: addr("new"), Gateway: addr("gw"), Controller: addr("gw"), Class: types.Class_CLASS_TRIAL, RegisteredHeight: 1,
	}, lastEvent[*types.EventSettlerRegistered](f).Settler)
}
