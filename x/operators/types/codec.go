// SPDX-License-Identifier: Apache-2.0

package types

import (
	codectypes "github.com/cosmos/cosmos-sdk/codec/types"
	sdk "github.com/cosmos/cosmos-sdk/types"
	"github.com/cosmos/cosmos-sdk/types/msgservice"
)

// RegisterInterfaces registers the module's messages.
func RegisterInterfaces(registry codectypes.InterfaceRegistry) {
	registry.RegisterImplementations((*sdk.Msg)(nil),
		&MsgConsentToOperator{},
		&MsgRegisterOperator{},
		&MsgUpdateOperator{},
		&MsgBond{},
		&MsgUnbond{},
		&MsgRegisterHost{},
		&MsgUpdateHost{},
		&MsgRegisterHostKey{},
		&MsgCommitGPUs{},
		&MsgSubmitCapacity{},
		&MsgAuthoriseRelayer{},
		&MsgRevokeRelayer{},
		&MsgLinkNode{},
		&MsgResolveDeferred{},
		&MsgCommitReport{},
		&MsgRegisterVerifier{},
		&MsgLeaveVerifiers{},
		&MsgSubmitAttestation{},
		&MsgSignVerdict{},
		&MsgChallengeAttestation{},
		&MsgRegisterProber{},
		&MsgUnbondProber{},
		&MsgCommitObservations{},
		&MsgRevealObservations{},
		&MsgUpdateParams{},
	)
	msgservice.RegisterMsgServiceDesc(registry, &_Msg_serviceDesc)
}
