// SPDX-License-Identifier: Apache-2.0

package app

import (
	"fmt"
	"sync"

	"github.com/cosmos/gogoproto/proto"

	"github.com/cosmos/cosmos-sdk/client"
	"github.com/cosmos/cosmos-sdk/codec"
	"github.com/cosmos/cosmos-sdk/codec/address"
	codectypes "github.com/cosmos/cosmos-sdk/codec/types"
	"github.com/cosmos/cosmos-sdk/std"
	sdk "github.com/cosmos/cosmos-sdk/types"
	authtx "github.com/cosmos/cosmos-sdk/x/auth/tx"
	"github.com/cosmos/cosmos-sdk/x/tx/signing"
)

const (
	// Name is the application's name, also the keyring's service name and the environment prefix in lower case.
	Name = "gpucoord"

	// Bech32Prefix starts every account address; validators use it with "valoper" and "valcons" appended.
	Bech32Prefix = "gpucoord"

	// BondDenom is the micro-unit of the staking and fee token.
	BondDenom = "ualeph"
)

// The SDK reads the address prefixes and the staking denom from process-wide variables; they are set once, here,
// and never sealed, so that a test binary may hold several apps.
var configureSDK = sync.OnceFunc(func() {
	config := sdk.GetConfig()
	config.SetBech32PrefixForAccount(Bech32Prefix, Bech32Prefix+"pub")
	config.SetBech32PrefixForValidator(Bech32Prefix+"valoper", Bech32Prefix+"valoperpub")
	config.SetBech32PrefixForConsensusNode(Bech32Prefix+"valcons", Bech32Prefix+"valconspub")
	sdk.DefaultBondDenom = BondDenom
})

// Encoding holds the codecs of one application; all of them share its interface registry.
type Encoding struct {
	InterfaceRegistry codectypes.InterfaceRegistry
	Codec             codec.Codec
	Amino             *codec.LegacyAmino
	TxConfig          client.TxConfig
}

// NewEncoding builds the codecs with the chain's address prefixes. The modules' types are registered by New.
func NewEncoding() (Encoding, error) {
	configureSDK()
	registry, err := codectypes.NewInterfaceRegistryWithOptions(codectypes.InterfaceRegistryOptions{
		ProtoFiles: proto.HybridResolver,
		SigningOptions: signing.Options{
			AddressCodec:          address.NewBech32Codec(Bech32Prefix),
			ValidatorAddressCodec: address.NewBech32Codec(Bech32Prefix + "valoper"),
		},
	})
	if err != nil {
		return Encoding{}, fmt.Errorf("interface registry: %w", err)
	}
	cdc := codec.NewProtoCodec(registry)
	amino := codec.NewLegacyAmino()
	std.RegisterLegacyAminoCodec(amino)
	std.RegisterInterfaces(registry)
	return Encoding{
		InterfaceRegistry: registry,
		Codec:             cdc,
		Amino:             amino,
		TxConfig:          authtx.NewTxConfig(cdc, authtx.DefaultSignModes),
	}, nil
}
