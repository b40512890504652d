// SPDX-License-Identifier: Apache-2.0

package types

import (
	codectypes "github.com/cosmos/cosmos-sdk/codec/types"
	sdk "github.com/cosmos/cosmos-sdk/types"
	"github.com/cosmos/cosmos-sdk/types/msgservice"
)

// RegisterInterfaces makes the module's messages known to registry.
func RegisterInterfaces(registry codectypes.InterfaceRegistry) {
	registry.RegisterImplementations((*sdk.Msg)(nil),
		&MsgConsentToGateway{},
		&MsgRegisterGateway{},
		&MsgBondGateway{},
		&MsgUnbondGateway{},
		&MsgAddGatewayKey{},
		&MsgRemoveGatewayKey{},
		&MsgAccredit{},
		&MsgRegisterSettler{},
		&MsgDeposit{},
		&MsgSetLimit{},
		&MsgWithdraw{},
		&MsgSubmitBatch{},
		&MsgFundGroup{},
		&MsgOpenSamples{},
		&MsgDeclareLoss{},
		&MsgClaimEarnings{},
		&MsgChallenge{},
		&MsgDemandData{},
		&MsgAnswerData{},
		&MsgClaimOmitted{},
		&MsgReportFailures{},
		&MsgRefuteFailure{},
		&MsgSettleStuck{},
		&MsgUpdateParams{},
	)
	msgservice.RegisterMsgServiceDesc(registry, &_Msg_serviceDesc)
}
