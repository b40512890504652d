// SPDX-License-Identifier: Apache-2.0

package keeper_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gpucoord/gpucoord/x/operators/types"
)

func (f *fixture) consent(t *testing.T, controller, operator string, given bool) {
	t.Helper()
	f.clearEvents()
	_, err := f.msgs.ConsentToOperator(f.ctx, &types.MsgConsentToOperator{
		Controller: addr(controller), Operator: addr(operator), Consent: given,
	})
	require.NoError(t, err)
	f.events(t, &types.EventControllerConsent{
		Consent: types.ControllerConsent{Controller: addr(controller), Operator: addr(operator)}, Given: given,
	})
	f.clearEvents()
}

func (f *fixture) register(controller, operator string) func(context.Context) error {
	return func(ctx context.Context) error {
		_, err := f.msgs.RegisterOperator(ctx, &types.MsgRegisterOperator{
			Operator: addr(operator), Controller: addr(controller), Moniker: operator,
		})
		return err
	}
}

func TestControllerMustConsent(t *testing.T) {
	f := newFixture(t)
	f.refused(t, types.ErrNoConsent, f.register("rival", "alice"))
	f.consent(t, "rival", "bob", true)
	f.refused(t, types.ErrNoConsent, f.register("rival", "alice"))
	f.consent(t, "rival", "alice", true)
	f.consent(t, "rival", "alice", true) // twice is once
	f.end(t)
	require.NoError(t, f.register("rival", "alice")(f.ctx))
	require.Equal(t, addr("rival"), f.get(t, "alice").Controller)
	genesis, err := f.k.ExportGenesis(f.ctx)
	require.NoError(t, err)
	require.Equal(t, []types.ControllerConsent{{Controller: addr("rival"), Operator: addr("bob")}}, genesis.ControllerConsents, "a consent is used up")

	f.consent(t, "rival", "bob", false)
	f.refused(t, types.ErrNoConsent, f.register("rival", "bob"))
	f.end(t)
}

func TestConsentRefusals(t *testing.T) {
	f := newFixture(t)
	f.operator(t, "alice", 0)
	long, err := addressCodec.BytesToString(hash32("32 bytes"))
	require.NoError(t, err)
	for name, c := range map[string]struct {
		msg  types.MsgConsentToOperator
		want error
	}{
		"to itself":         {types.MsgConsentToOperator{Controller: addr("bob"), Operator: addr("bob"), Consent: true}, types.ErrInvalidAddress},
		"to a registered":   {types.MsgConsentToOperator{Controller: addr("bob"), Operator: addr("alice"), Consent: true}, types.ErrOperatorExists},
		"nothing to revoke": {types.MsgConsentToOperator{Controller: addr("bob"), Operator: addr("carol")}, types.ErrNoConsent},
		"bad controller":    {types.MsgConsentToOperator{Controller: "x", Operator: addr("carol"), Consent: true}, types.ErrInvalidAddress},
		"32-byte operator":  {types.MsgConsentToOperator{Controller: addr("bob"), Operator: long, Consent: true}, types.ErrInvalidAddress},
	} {
		t.Run(name, func(t *testing.T) {
			f.refused(t, c.want, func(ctx context.Context) error {
				_, err := f.msgs.ConsentToOperator(ctx, &c.msg)
				return err
			})
		})
	}
}
