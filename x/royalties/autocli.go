// SPDX-License-Identifier: Apache-2.0

package royalties

import (
	autocliv1 "cosmossdk.io/api/cosmos/autocli/v1"

	"github.com/gpucoord/gpucoord/x/royalties/types"
)

// AutoCLIOptions describes the module's commands.
func (AppModule) AutoCLIOptions() *autocliv1.ModuleOptions {
	return &autocliv1.ModuleOptions{
		Query: &autocliv1.ServiceCommandDescriptor{
			Service:           types.Query_serviceDesc.ServiceName,
			RpcCommandOptions: queryCommands(),
		},
		Tx: &autocliv1.ServiceCommandDescriptor{
			Service:           types.Msg_serviceDesc.ServiceName,
			RpcCommandOptions: txCommands(),
		},
	}
}

func queryCommands() []*autocliv1.RpcCommandOptions {
	return []*autocliv1.RpcCommandOptions{
		{RpcMethod: "Params", Use: "params", Short: "Show the parameters"},
		{RpcMethod: "Asset", Use: "asset [asset-id]", Short: "Show an asset, its newest terms and earnings", PositionalArgs: args("asset_id")},
		{RpcMethod: "Assets", Use: "assets", Short: "List assets by id"},
		{RpcMethod: "Terms", Use: "terms [asset-id]", Short: "List an asset's terms by first epoch", PositionalArgs: args("asset_id")},
		{RpcMethod: "Accrual", Use: "accrual [payee]", Short: "Show what a payee may claim", PositionalArgs: args("payee")},
		{RpcMethod: "Accruals", Use: "accruals", Short: "List accruals by payee"},
	}
}

func txCommands() []*autocliv1.RpcCommandOptions {
	return []*autocliv1.RpcCommandOptions{
		{RpcMethod: "CommitAsset", Use: "commit-asset [hash]", Short: "Hide an asset id until it is revealed", PositionalArgs: args("hash")},
		{
			RpcMethod:      "RegisterAsset",
			Use:            "register-asset [asset-id] [salt]",
			Short:          "Reveal a commit and register the asset with its first terms",
			PositionalArgs: args("asset_id", "salt"),
		},
		{
			RpcMethod:      "UpdateTerms",
			Use:            "update-terms [asset-id] [royalty-bps]",
			Short:          "Give an asset new terms from the next epoch",
			PositionalArgs: args("asset_id", "royalty_bps"),
		},
		{
			RpcMethod:      "ProposeAuthorProof",
			Use:            "propose-author-proof [asset-id] [uri] [sha256]",
			Short:          "Claim the authorship of a base model",
			PositionalArgs: args("asset_id", "uri", "sha256"),
		},
		{
			RpcMethod:      "DecideAuthorProof",
			Use:            "decide-author-proof [asset-id] [accept]",
			Short:          "Accept (true) or reject (false) an author proof, as the arbiter",
			PositionalArgs: args("asset_id", "accept"),
		},
		{RpcMethod: "TakeDown", Use: "take-down [asset-id]", Short: "Stop new use of an asset, as the arbiter", PositionalArgs: args("asset_id")},
		{
			RpcMethod:      "Reassign",
			Use:            "reassign [asset-id] [owner]",
			Short:          "Give an asset to its true owner, as the arbiter",
			PositionalArgs: args("asset_id", "owner"),
		},
		{RpcMethod: "Claim", Use: "claim", Short: "Pay out all accrued royalties"},
		{RpcMethod: "UpdateParams", Skip: true}, // by governance proposal only
	}
}

func args(fields ...string) []*autocliv1.PositionalArgDescriptor {
	list := make([]*autocliv1.PositionalArgDescriptor, len(fields))
	for i, field := range fields {
		list[i] = &autocliv1.PositionalArgDescriptor{ProtoField: field}
	}
	return list
}
