// SPDX-License-Identifier: Apache-2.0

package apptest

import (
	"context"
	"fmt"

	"github.com/cosmos/cosmos-sdk/client"
	"github.com/cosmos/cosmos-sdk/client/tx"
	"github.com/cosmos/cosmos-sdk/crypto/keys/secp256k1"
	sdk "github.com/cosmos/cosmos-sdk/types"
	"github.com/cosmos/cosmos-sdk/types/tx/signing"
	authsigning "github.com/cosmos/cosmos-sdk/x/auth/signing"
)

// GasLimit is the gas limit of a signed transaction, if the options say no other: the gas of a whole block.
const GasLimit = 200_000_000

// Account is a funded account with its key.
type Account struct {
	Name    string
	Address sdk.AccAddress
	Coins   sdk.Coins

	key      *secp256k1.PrivKey
	number   uint64
	sequence uint64
}

// NewAccount returns the account whose key is derived from name.
func NewAccount(name string, coins ...sdk.Coin) *Account {
	key := secp256k1.GenPrivKeyFromSecret([]byte(name))
	return &Account{Name: name, Address: sdk.AccAddress(key.PubKey().Address()), Coins: sdk.NewCoins(coins...), key: key}
}

// String returns the account's bech32 address.
func (a *Account) String() string { return a.Address.String() }

// Sign returns a transaction of msgs with the account's next sequence, which it takes.
func (c *Chain) Sign(from *Account, msgs ...sdk.Msg) ([]byte, error) {
	raw, err := sign(c.App.Encoding().TxConfig, from, c.fee, c.gas, msgs...)
	if err != nil {
		return nil, err
	}
	from.sequence++
	return raw, nil
}

func sign(config client.TxConfig, from *Account, fee sdk.Coins, gas uint64, msgs ...sdk.Msg) ([]byte, error) {
	builder := config.NewTxBuilder()
	if err := builder.SetMsgs(msgs...); err != nil {
		return nil, fmt.Errorf("messages of %s: %w", from.Name, err)
	}
	builder.SetGasLimit(gas)
	builder.SetFeeAmount(fee)
	mode := signing.SignMode_SIGN_MODE_DIRECT
	// The signer's info is signed too, so it is set once without the signature.
	unsigned := signing.SignatureV2{
		PubKey: from.key.PubKey(), Data: &signing.SingleSignatureData{SignMode: mode}, Sequence: from.sequence,
	}
	if err := builder.SetSignatures(unsigned); err != nil {
		return nil, fmt.Errorf("signer %s: %w", from.Name, err)
	}
	data := authsigning.SignerData{
		Address: from.String(), ChainID: ChainID, AccountNumber: from.number, Sequence: from.sequence, PubKey: from.key.PubKey(),
	}
	signature, err := tx.SignWithPrivKey(context.Background(), mode, data, builder, from.key, config, from.sequence)
	if err != nil {
		return nil, fmt.Errorf("sign for %s: %w", from.Name, err)
	}
	if err := builder.SetSignatures(signature); err != nil {
		return nil, fmt.Errorf("signature of %s: %w", from.Name, err)
	}
	return config.TxEncoder()(builder.GetTx())
}

// readSequences takes the sequences from the state: a transaction that fails before its messages run takes none.
func (c *Chain) readSequences() error {
	ctx := c.Context()
	for _, account := range c.funded() {
		stored := c.App.Auth.GetAccount(ctx, account.Address)
		if stored == nil {
			return fmt.Errorf("account %s is not on the chain", account.Name)
		}
		account.sequence = stored.GetSequence()
	}
	return nil
}
