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
		&MsgCommitAsset{},
		&MsgRegisterAsset{},
		&MsgUpdateTerms{},
		&MsgProposeAuthorProof{},
		&MsgDecideAuthorProof{},
		&MsgTakeDown{},
		&MsgReassign{},
		&MsgClaim{},
		&MsgUpdateParams{},
	)
	msgservice.RegisterMsgServiceDesc(registry, &_Msg_serviceDesc)
}
