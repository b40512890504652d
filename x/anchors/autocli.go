// SPDX-License-Identifier: Apache-2.0

package anchors

import (
	autocliv1 "cosmossdk.io/api/cosmos/autocli/v1"

	"github.com/gpucoord/gpucoord/x/anchors/types"
)

// AutoCLIOptions describes the module's commands.
func (AppModule) AutoCLIOptions() *autocliv1.ModuleOptions {
	return &autocliv1.ModuleOptions{
		Query: &autocliv1.ServiceCommandDescriptor{
			Service: types.Query_serviceDesc.ServiceName,
			RpcCommandOptions: []*autocliv1.RpcCommandOptions{
				{RpcMethod: "Params", Use: "params", Short: "Show the parameters"},
				{RpcMethod: "Log", Use: "log", Short: "Show the log's size and root"},
				{
					RpcMethod: "Leaf", Use: "leaf [index]", Short: "Show a leaf of the retention window",
					PositionalArgs: []*autocliv1.PositionalArgDescriptor{{ProtoField: "index"}},
				},
				{RpcMethod: "Leaves", Use: "leaves", Short: "List the leaves of the retention window"},
				query("Inclusion", "inclusion [index] [tree-size]", "Prove that a leaf is in the log of some size; 0 is the current one", "index", "tree_size"),
				query("Consistency", "consistency [from] [to]", "Prove that the log only grew between two sizes; 0 is the current one", "from", "to"),
				query("Origin", "origin", "Show the chain's origin id and the EIP-712 domain of its anchors"),
				query("Anchor", "anchor [nonce]", "Show an attested anchor", "nonce"),
				query("LatestAnchor", "latest", "Show the newest attested anchor"),
				query("Anchors", "anchors", "List the attested anchors that are kept"),
				query("Pending", "pending", "Show the anchor that is being signed, or why there is none"),
				query("Valset", "valset [hash]", "Show the members of a signers' set", "hash"),
				query("NextSubmittable", "next-submittable [valset] [nonce]", "Show what a contract with this set and nonce can take", "valset", "nonce"),
				query("AnchorKey", "key [validator]", "Show a validator's anchor key", "validator"),
				query("AnchorKeys", "keys", "List all anchor keys ever registered"),
			},
		},
		Tx: &autocliv1.ServiceCommandDescriptor{
			Service: types.Msg_serviceDesc.ServiceName,
			RpcCommandOptions: []*autocliv1.RpcCommandOptions{
				{RpcMethod: "UpdateParams", Skip: true}, // governance only
				{
					RpcMethod: "RegisterAnchorKey", Use: "register-key [address] [proof]",
					Short:          "Name or replace the key with which the validator --from signs anchors",
					Long:           "Name or replace the key with which the validator of --from signs anchors. \"gpucoord anchors key proof\" prints address and proof, in hex.",
					Example:        "gpucoord tx anchors register-key 00112233445566778899aabbccddeeff00112233 PROOF --from validator",
					PositionalArgs: []*autocliv1.PositionalArgDescriptor{{ProtoField: "address"}, {ProtoField: "proof"}},
				},
				{
					RpcMethod: "SubmitAnchorEvidence", Use: "submit-evidence [first] [first-signature]",
					Short:          "Report a signature of an anchor that the chain never made; --second and --second-signature for two of one nonce",
					PositionalArgs: []*autocliv1.PositionalArgDescriptor{{ProtoField: "first"}, {ProtoField: "first_signature"}},
				},
			},
		},
	}
}

// query describes a query whose fields stand in the order of args.
func query(method, use, short string, args ...string) *autocliv1.RpcCommandOptions {
	options := &autocliv1.RpcCommandOptions{RpcMethod: method, Use: use, Short: short}
	for _, arg := range args {
		options.PositionalArgs = append(options.PositionalArgs, &autocliv1.PositionalArgDescriptor{ProtoField: arg})
	}
	return options
}
