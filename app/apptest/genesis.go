// SPDX-License-Identifier: Apache-2.0

package apptest

import (
	"encoding/json"
	"fmt"

	abci "github.com/cometbft/cometbft/abci/types"
	cmtproto "github.com/cometbft/cometbft/proto/tendermint/types"
	dbm "github.com/cosmos/cosmos-db"
	"github.com/cosmos/gogoproto/proto"

	sdkmath "cosmossdk.io/math"
	"github.com/cosmos/cosmos-sdk/codec"
	"github.com/cosmos/cosmos-sdk/crypto/keys/ed25519"
	sdk "github.com/cosmos/cosmos-sdk/types"
	authtypes "github.com/cosmos/cosmos-sdk/x/auth/types"
	banktypes "github.com/cosmos/cosmos-sdk/x/bank/types"
	genutiltypes "github.com/cosmos/cosmos-sdk/x/genutil/types"
	stakingtypes "github.com/cosmos/cosmos-sdk/x/staking/types"

	"github.com/gpucoord/gpucoord/app"
)

// validatorStake is what the only validator bonds, in ualeph.
const validatorStake = 1_000_000_000

// validator signs every block alone.
type validator struct {
	key     *ed25519.PrivKey
	address []byte
	power   int64
}

// commit is the last commit that a block carries: the validator has signed.
func (v validator) commit() abci.CommitInfo {
	return abci.CommitInfo{Votes: []abci.VoteInfo{{
		Validator:   abci.Validator{Address: v.address, Power: v.power},
		BlockIdFlag: cmtproto.BlockIDFlagCommit,
	}}}
}

func build(opts Options) (*Chain, json.RawMessage, error) {
	db := opts.DB
	if db == nil {
		db = dbm.NewMemDB()
	}
	application, err := newApp(db)
	if err != nil {
		return nil, nil, err
	}
	key := ed25519.GenPrivKeyFromSecret([]byte("validator"))
	c := &Chain{
		App: application, fee: opts.Fee, Accounts: opts.Accounts,
		Validator: NewAccount("validator", sdk.NewInt64Coin(app.BondDenom, 2*validatorStake)),
		validator: validator{
			key: key, address: key.PubKey().Address(),
			power: sdk.TokensToConsensusPower(sdkmath.NewInt(validatorStake), sdk.DefaultPowerReduction),
		},
	}
	state := application.DefaultGenesis()
	for _, set := range []func(app.GenesisState) error{c.setAccounts, c.setValidator} {
		if err := set(state); err != nil {
			return nil, nil, err
		}
	}
	if opts.Patch != nil {
		if err := opts.Patch(application, state); err != nil {
			return nil, nil, fmt.Errorf("patch the genesis: %w", err)
		}
	}
	raw, err := json.Marshal(state)
	return c, raw, err
}

// Edit decodes the genesis state of a module into state, lets edit change it, and puts it back.
func Edit[T proto.Message](cdc codec.JSONCodec, genesis app.GenesisState, module string, state T, edit func(T) error) error {
	if err := cdc.UnmarshalJSON(genesis[module], state); err != nil {
		return fmt.Errorf("genesis of %s: %w", module, err)
	}
	if err := edit(state); err != nil {
		return err
	}
	raw, err := cdc.MarshalJSON(state)
	if err != nil {
		return fmt.Errorf("genesis of %s: %w", module, err)
	}
	genesis[module] = raw
	return nil
}

func (c *Chain) setAccounts(state app.GenesisState) error {
	cdc := c.App.Encoding().Codec
	funded := append([]*Account{c.Validator}, c.Accounts...)
	err := Edit(cdc, state, authtypes.ModuleName, &authtypes.GenesisState{}, func(auth *authtypes.GenesisState) error {
		accounts := make([]authtypes.GenesisAccount, len(funded))
		for i, account := range funded {
			account.number = uint64(i)
			accounts[i] = authtypes.NewBaseAccount(account.Address, nil, account.number, 0)
		}
		var err error
		auth.Accounts, err = authtypes.PackAccounts(accounts)
		return err
	})
	if err != nil {
		return err
	}
	return Edit(cdc, state, banktypes.ModuleName, &banktypes.GenesisState{}, func(bank *banktypes.GenesisState) error {
		for _, account := range funded {
			if !account.Coins.Empty() {
				bank.Balances = append(bank.Balances, banktypes.Balance{Address: account.String(), Coins: account.Coins})
			}
			bank.Supply = bank.Supply.Add(account.Coins...)
		}
		c.Supply = bank.Supply
		return nil
	})
}

func (c *Chain) setValidator(state app.GenesisState) error {
	rates := stakingtypes.NewCommissionRates(sdkmath.LegacyZeroDec(), sdkmath.LegacyOneDec(), sdkmath.LegacyOneDec())
	msg, err := stakingtypes.NewMsgCreateValidator(
		sdk.ValAddress(c.Validator.Address).String(), c.validator.key.PubKey(), sdk.NewInt64Coin(app.BondDenom, validatorStake),
		stakingtypes.Description{Moniker: "validator"}, rates, sdkmath.OneInt(),
	)
	if err != nil {
		return fmt.Errorf("validator: %w", err)
	}
	encoding := c.App.Encoding()
	raw, err := sign(encoding.TxConfig, c.Validator, nil, msg)
	if err != nil {
		return err
	}
	signed, err := encoding.TxConfig.TxDecoder()(raw)
	if err != nil {
		return fmt.Errorf("validator: %w", err)
	}
	text, err := encoding.TxConfig.TxJSONEncoder()(signed)
	if err != nil {
		return fmt.Errorf("validator: %w", err)
	}
	return Edit(encoding.Codec, state, genutiltypes.ModuleName, &genutiltypes.GenesisState{}, func(g *genutiltypes.GenesisState) error {
		g.GenTxs = []json.RawMessage{text}
		return nil
	})
}
