// SPDX-License-Identifier: Apache-2.0

package keeper_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gpucoord/gpucoord/x/receipts/types"
)

// consent lets a gateway name a controller, or no longer.
func (f *fixture) consent(controller, gateway string, given bool) {
	f.t.Helper()
	f.do(&types.MsgConsentToGateway{Controller: addr(controller), Gateway: addr(gateway), Consent: given})
	require.Equal(f.t, &types.EventGatewayConsent{
		Consent: types.GatewayConsent{Controller: addr(controller), Gateway: addr(gateway)}, Given: given,
	}, lastEvent[*types.EventGatewayConsent](f))
}

// A gateway that could name a stranger would take the work of that one's operators out of their eligible usage.
func TestGatewayControllerMustConsent(t *testing.T) {
	f := newFixture(t)
	register := func(gateway, controller string) *types.MsgRegisterGateway {
		return &types.MsgRegisterGateway{Gateway: addr(gateway), Controller: addr(controller), Moniker: "new", BondUusdc: 1_000_000}
	}
	f.pay("gw2", 1_000_000)
	f.pay("gw3", 1_000_000)
	f.refused(types.ErrNoConsent, register("gw2", "op"))
	f.consent("op", "gw3", true)
	f.consent("rival", "gw2", true)
	f.refused(types.ErrNoConsent, register("gw2", "op")) // neither another gateway's consent nor another controller's
	f.consent("op", "gw2", true)
	f.consent("op", "gw2", true) // twice is once
	f.do(register("gw2", "op"))
	require.Equal(t, addr("op"), f.gateway("gw2").Controller)
	g, err := f.k.ExportGenesis(f.ctx)
	require.NoError(t, err)
	require.ElementsMatch(t, []types.GatewayConsent{
		{Controller: addr("op"), Gateway: addr("gw3")}, {Controller: addr("rival"), Gateway: addr("gw2")},
	}, g.GatewayConsents, "what was used is used up")
	require.NoError(t, g.Validate())

	f.do(&types.MsgRegisterSettler{Settler: addr("new"), Gateway: addr("gw2"), Class: types.Class_CLASS_ROUTED})
	require.Equal(t, addr("op"), f.settler("new").Controller, "its settlers are the controller's")
	f.consent("rival", "gw2", false) // of no use any more
	f.consent("op", "gw3", false)
	f.refused(types.ErrNoConsent, register("gw3", "op"))
	own := register("gw3", "gw3")
	f.do(own)
	require.Equal(t, addr("gw3"), f.gateway("gw3").Controller, "an account needs no consent of its own")
}

func TestConsentRefusals(t *testing.T) {
	f := newFixture(t)
	for name, c := range map[string]struct {
		msg  types.MsgConsentToGateway
		want error
	}{
		"to itself":         {types.MsgConsentToGateway{Controller: addr("new"), Gateway: addr("new"), Consent: true}, types.ErrInvalidAddress},
		"to a registered":   {types.MsgConsentToGateway{Controller: addr("op"), Gateway: addr("gw"), Consent: true}, types.ErrGatewayExists},
		"nothing to revoke": {types.MsgConsentToGateway{Controller: addr("op"), Gateway: addr("new")}, types.ErrNoConsent},
		"bad controller":    {types.MsgConsentToGateway{Controller: "x", Gateway: addr("new"), Consent: true}, types.ErrInvalidAddress},
		"32-byte gateway":   {types.MsgConsentToGateway{Controller: addr("op"), Gateway: text(make([]byte, 32)), Consent: true}, types.ErrInvalidAddress},
	} {
		t.Run(name, func(t *testing.T) { f.refused(c.want, &c.msg) })
	}
}
