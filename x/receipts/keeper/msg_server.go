// SPDX-License-Identifier: Apache-2.0

package keeper

import (
	"context"

	"github.com/gpucoord/gpucoord/x/receipts/types"
)

type msgServer struct{ k *Keeper }

// NewMsgServer returns the message service of k.
func NewMsgServer(k *Keeper) types.MsgServer { return msgServer{k: k} }

func (m msgServer) ConsentToGateway(ctx context.Context, msg *types.MsgConsentToGateway) (*types.MsgConsentToGatewayResponse, error) {
	controller, err := m.k.parseAddress("controller", msg.Controller)
	if err != nil {
		return nil, err
	}
	gateway, err := m.k.parseParty("gateway", msg.Gateway)
	if err != nil {
		return nil, err
	}
	if err := m.k.ConsentToGateway(ctx, controller, gateway, msg.Consent); err != nil {
		return nil, err
	}
	return &types.MsgConsentToGatewayResponse{}, nil
}

func (m msgServer) RegisterGateway(ctx context.Context, msg *types.MsgRegisterGateway) (*types.MsgRegisterGatewayResponse, error) {
	gateway, err := m.k.parseParty("gateway", msg.Gateway)
	if err != nil {
		return nil, err
	}
	controller, err := m.optional("controller", msg.Controller)
	if err != nil {
		return nil, err
	}
	if err := m.k.RegisterGateway(ctx, gateway, controller, msg.Moniker, msg.BondUusdc); err != nil {
		return nil, err
	}
	return &types.MsgRegisterGatewayResponse{}, nil
}

func (m msgServer) BondGateway(ctx context.Context, msg *types.MsgBondGateway) (*types.MsgBondGatewayResponse, error) {
	if err := msg.ValidateBasic(); err != nil {
		return nil, err
	}
	gateway, err := m.k.parseParty("gateway", msg.Gateway)
	if err != nil {
		return nil, err
	}
	bond, err := m.k.BondGateway(ctx, gateway, msg.AmountUusdc)
	if err != nil {
		return nil, err
	}
	return &types.MsgBondGatewayResponse{BondUusdc: bond}, nil
}

func (m msgServer) UnbondGateway(ctx context.Context, msg *types.MsgUnbondGateway) (*types.MsgUnbondGatewayResponse, error) {
	gateway, err := m.k.parseParty("gateway", msg.Gateway)
	if err != nil {
		return nil, err
	}
	thaw, err := m.k.UnbondGateway(ctx, gateway)
	if err != nil {
		return nil, err
	}
	return &types.MsgUnbondGatewayResponse{ThawId: thaw.Id, MatureHeight: thaw.MatureHeight}, nil
}

func (m msgServer) AddGatewayKey(ctx context.Context, msg *types.MsgAddGatewayKey) (*types.MsgAddGatewayKeyResponse, error) {
	if err := msg.ValidateBasic(); err != nil { // the lengths below rely on it
		return nil, err
	}
	gateway, err := m.k.parseParty("gateway", msg.Gateway)
	if err != nil {
		return nil, err
	}
	settler, err := m.k.parseParty("settler", msg.Settler)
	if err != nil {
		return nil, err
	}
	address, err := m.k.AddGatewayKey(ctx, gateway, KeyRegistration{
		PublicKey: [33]byte(msg.PublicKey), Proof: [65]byte(msg.KeyProof), Settler: settler,
	})
	if err != nil {
		return nil, err
	}
	return &types.MsgAddGatewayKeyResponse{Address: address[:]}, nil
}

func (m msgServer) RemoveGatewayKey(ctx context.Context, msg *types.MsgRemoveGatewayKey) (*types.MsgRemoveGatewayKeyResponse, error) {
	gateway, err := m.k.parseParty("gateway", msg.Gateway)
	if err != nil {
		return nil, err
	}
	until, err := m.k.RemoveGatewayKey(ctx, gateway, msg.Address)
	if err != nil {
		return nil, err
	}
	return &types.MsgRemoveGatewayKeyResponse{ValidUntil: until}, nil
}

func (m msgServer) Accredit(ctx context.Context, msg *types.MsgAccredit) (*types.MsgAccreditResponse, error) {
	if err := m.k.checkAuthority(ctx, msg.Authority); err != nil {
		return nil, err
	}
	gateway, err := m.k.parseParty("gateway", msg.Gateway)
	if err != nil {
		return nil, err
	}
	if err := m.k.Accredit(ctx, gateway, msg.Accredited); err != nil {
		return nil, err
	}
	return &types.MsgAccreditResponse{}, nil
}

func (m msgServer) RegisterSettler(ctx context.Context, msg *types.MsgRegisterSettler) (*types.MsgRegisterSettlerResponse, error) {
	if err := msg.ValidateBasic(); err != nil { // a class without its gateway must never be stored
		return nil, err
	}
	settler, err := m.k.parseParty("settler", msg.Settler)
	if err != nil {
		return nil, err
	}
	terms := SettlerTerms{Class: msg.Class, PaysOperators: msg.PaysOperators}
	if msg.Gateway != "" {
		if terms.Gateway, err = m.k.parseParty("gateway", msg.Gateway); err != nil {
			return nil, err
		}
	}
	if err := m.k.RegisterSettler(ctx, settler, terms); err != nil {
		return nil, err
	}
	return &types.MsgRegisterSettlerResponse{}, nil
}

func (m msgServer) Deposit(ctx context.Context, msg *types.MsgDeposit) (*types.MsgDepositResponse, error) {
	depositor, err := m.k.parseAddress("depositor", msg.Depositor)
	if err != nil {
		return nil, err
	}
	settler, err := m.k.parseParty("settler", msg.Settler)
	if err != nil {
		return nil, err
	}
	if err := m.k.Deposit(ctx, depositor, settler, msg.AmountUusdc); err != nil {
		return nil, err
	}
	return &types.MsgDepositResponse{}, nil
}

func (m msgServer) SetLimit(ctx context.Context, msg *types.MsgSetLimit) (*types.MsgSetLimitResponse, error) {
	pair, err := m.k.partyPair(msg.Settler, msg.Operator)
	if err != nil {
		return nil, err
	}
	if msg.UseDefault {
		err = m.k.RemoveLimit(ctx, pair.K1(), pair.K2())
	} else {
		err = m.k.SetLimit(ctx, pair.K1(), pair.K2(), msg.LimitUusdc)
	}
	if err != nil {
		return nil, err
	}
	return &types.MsgSetLimitResponse{}, nil
}

func (m msgServer) Withdraw(ctx context.Context, msg *types.MsgWithdraw) (*types.MsgWithdrawResponse, error) {
	if err := msg.ValidateBasic(); err != nil { // an empty entry must never be stored
		return nil, err
	}
	settler, err := m.k.parseParty("settler", msg.Settler)
	if err != nil {
		return nil, err
	}
	thaw, err := m.k.Withdraw(ctx, settler, msg.AmountUusdc)
	if err != nil {
		return nil, err
	}
	return &types.MsgWithdrawResponse{ThawId: thaw.Id, MatureHeight: thaw.MatureHeight}, nil
}

func (m msgServer) SubmitBatch(ctx context.Context, msg *types.MsgSubmitBatch) (*types.MsgSubmitBatchResponse, error) {
	sender, err := m.k.parseAddress("sender", msg.Sender)
	if err != nil {
		return nil, err
	}
	b, err := m.k.SubmitBatch(ctx, sender, msg)
	if err != nil {
		return nil, err
	}
	resp := &types.MsgSubmitBatchResponse{BatchId: b.Id}
	for i := range b.States {
		if b.States[i].Unfunded {
			resp.Unfunded = append(resp.Unfunded, uint32(i)) //nolint:gosec // at most 256
		}
	}
	return resp, nil
}

func (m msgServer) FundGroup(ctx context.Context, msg *types.MsgFundGroup) (*types.MsgFundGroupResponse, error) {
	if _, err := m.k.parseAddress("sender", msg.Sender); err != nil {
		return nil, err
	}
	if err := m.k.FundGroup(ctx, msg.BatchId, msg.Group); err != nil {
		return nil, err
	}
	return &types.MsgFundGroupResponse{}, nil
}

func (m msgServer) OpenSamples(ctx context.Context, msg *types.MsgOpenSamples) (*types.MsgOpenSamplesResponse, error) {
	sender, err := m.k.parseAddress("sender", msg.Sender)
	if err != nil {
		return nil, err
	}
	b, err := m.k.OpenSamples(ctx, sender, msg.BatchId, msg.Samples)
	if err != nil {
		return nil, err
	}
	return &types.MsgOpenSamplesResponse{Opened: b.Opened, Samples: b.Samples, Status: b.Status}, nil
}

func (m msgServer) DeclareLoss(ctx context.Context, msg *types.MsgDeclareLoss) (*types.MsgDeclareLossResponse, error) {
	if err := msg.ValidateBasic(); err != nil { // the length below relies on it
		return nil, err
	}
	sender, err := m.k.parseAddress("sender", msg.Sender)
	if err != nil {
		return nil, err
	}
	if err := m.k.DeclareLoss(ctx, sender, [types.HashLength]byte(msg.HostId), msg.Epoch); err != nil {
		return nil, err
	}
	return &types.MsgDeclareLossResponse{}, nil
}

func (m msgServer) ClaimEarnings(ctx context.Context, msg *types.MsgClaimEarnings) (*types.MsgClaimEarningsResponse, error) {
	operator, err := m.k.parseParty("operator", msg.Operator)
	if err != nil {
		return nil, err
	}
	amount, err := m.k.ClaimEarnings(ctx, operator)
	if err != nil {
		return nil, err
	}
	return &types.MsgClaimEarningsResponse{AmountUusdc: amount}, nil
}

func (m msgServer) Challenge(ctx context.Context, msg *types.MsgChallenge) (*types.MsgChallengeResponse, error) {
	if err := msg.ValidateBasic(); err != nil { // the lengths below rely on it
		return nil, err
	}
	reporter, err := m.k.parseParty("reporter", msg.Reporter)
	if err != nil {
		return nil, err
	}
	return m.k.Challenge(ctx, reporter, msg)
}

func (m msgServer) DemandData(ctx context.Context, msg *types.MsgDemandData) (*types.MsgDemandDataResponse, error) {
	reporter, err := m.k.parseParty("reporter", msg.Reporter)
	if err != nil {
		return nil, err
	}
	d, err := m.k.DemandData(ctx, reporter, msg)
	if err != nil {
		return nil, err
	}
	return &types.MsgDemandDataResponse{DemandId: d.Id, DueHeight: d.DueHeight}, nil
}

func (m msgServer) AnswerData(ctx context.Context, msg *types.MsgAnswerData) (*types.MsgAnswerDataResponse, error) {
	sender, err := m.k.parseAddress("sender", msg.Sender)
	if err != nil {
		return nil, err
	}
	if err := m.k.AnswerData(ctx, sender, msg); err != nil {
		return nil, err
	}
	return &types.MsgAnswerDataResponse{}, nil
}

func (m msgServer) ClaimOmitted(ctx context.Context, msg *types.MsgClaimOmitted) (*types.MsgClaimOmittedResponse, error) {
	reporter, err := m.k.parseParty("reporter", msg.Reporter)
	if err != nil {
		return nil, err
	}
	slashed, err := m.k.ClaimOmitted(ctx, reporter, msg.Evidence)
	if err != nil {
		return nil, err
	}
	return &types.MsgClaimOmittedResponse{SlashedUltai: slashed}, nil
}

func (m msgServer) ReportFailures(ctx context.Context, msg *types.MsgReportFailures) (*types.MsgReportFailuresResponse, error) {
	if err := msg.ValidateBasic(); err != nil { // a root of another length must never be stored
		return nil, err
	}
	gateway, err := m.k.parseParty("gateway", msg.Gateway)
	if err != nil {
		return nil, err
	}
	if err := m.k.ReportFailures(ctx, gateway, msg.Epoch, msg.Rows); err != nil {
		return nil, err
	}
	return &types.MsgReportFailuresResponse{}, nil
}

func (m msgServer) RefuteFailure(ctx context.Context, msg *types.MsgRefuteFailure) (*types.MsgRefuteFailureResponse, error) {
	if err := msg.ValidateBasic(); err != nil { // the lengths below rely on it
		return nil, err
	}
	if _, err := m.k.parseAddress("sender", msg.Sender); err != nil {
		return nil, err
	}
	pair, err := m.k.partyPair(msg.Settler, msg.Operator)
	if err != nil {
		return nil, err
	}
	r := &Refutation{
		Epoch: msg.Epoch, Operator: pair.K2(), Settler: pair.K1(), Index: msg.Index, Record: msg.Record, Sender: msg.Sender,
		Path: make([][32]byte, len(msg.Path)),
	}
	for i, hash := range msg.Path {
		r.Path[i] = [32]byte(hash)
	}
	if err := m.k.RefuteFailure(ctx, r); err != nil {
		return nil, err
	}
	return &types.MsgRefuteFailureResponse{}, nil
}

func (m msgServer) SettleStuck(ctx context.Context, msg *types.MsgSettleStuck) (*types.MsgSettleStuckResponse, error) {
	if err := m.k.checkAuthority(ctx, msg.Authority); err != nil {
		return nil, err
	}
	if err := m.k.SettleStuck(ctx, msg.BatchId, msg.Settle); err != nil {
		return nil, err
	}
	return &types.MsgSettleStuckResponse{}, nil
}

func (m msgServer) UpdateParams(ctx context.Context, msg *types.MsgUpdateParams) (*types.MsgUpdateParamsResponse, error) {
	if err := m.k.checkAuthority(ctx, msg.Authority); err != nil {
		return nil, err
	}
	if err := m.k.UpdateParams(ctx, msg.Authority, msg.Params); err != nil {
		return nil, err
	}
	return &types.MsgUpdateParamsResponse{}, nil
}

// optional reads an address that may be left out.
func (m msgServer) optional(field, text string) ([]byte, error) {
	if text == "" {
		return nil, nil
	}
	return m.k.parseAddress(field, text)
}
