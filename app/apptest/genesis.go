// SPDX-License-Identifier: Apache-2.0

package apptest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"

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
	"github.com/gpucoord/gpucoord/domain/receipt"
	anchorstypes "github.com/gpucoord/gpucoord/x/anchors/types"
	receiptstypes "github.com/gpucoord/gpucoord/x/receipts/types"
)

// validatorPower is the voting power of a validator that has no other one.
const validatorPower = 1_000

// Validator is one validator of a chain, with its account and keys.
type Validator struct {
	*Account

	// AnchorKey signs anchors; it is registered in the genesis if the options say so.
	AnchorKey *receipt.PrivateKey
	// Power is the voting power of the genesis.
	Power int64

	key     *ed25519.PrivKey
	address []byte
}

// newValidators makes validators of the given powers, or one.
func newValidators(powers []int64) ([]*Validator, error) {
	if len(powers) == 0 {
		powers = []int64{validatorPower}
	}
	validators := make([]*Validator, len(powers))
	for i, power := range powers {
		name := "validator"
		if i > 0 {
			name = fmt.Sprintf("validator-%d", i)
		}
		anchorKey, err := ReceiptKey("anchor key of " + name)
		if err != nil {
			return nil, err
		}
		key := ed25519.GenPrivKeyFromSecret([]byte(name))
		v := &Validator{AnchorKey: anchorKey, Power: power, key: key, address: key.PubKey().Address()}
		v.Account = NewAccount(name, sdk.NewCoin(app.BondDenom, v.stake().MulRaw(2)))
		validators[i] = v
	}
	return validators, nil
}

// stake is what the validator bonds in the genesis, in ualeph.
func (v *Validator) stake() sdkmath.Int {
	return sdk.TokensFromConsensusPower(v.Power, sdk.DefaultPowerReduction)
}

// ValAddress is the operator address.
func (v *Validator) ValAddress() sdk.ValAddress { return sdk.ValAddress(v.Address) }

// ConsAddress is the consensus address.
func (v *Validator) ConsAddress() sdk.ConsAddress { return v.address }

// commit is the last commit that a block carries: every validator of the genesis has signed.
func (c *Chain) commit() abci.CommitInfo {
	var info abci.CommitInfo
	for _, v := range c.validators {
		info.Votes = append(info.Votes, abci.VoteInfo{
			Validator: abci.Validator{Address: v.address, Power: v.Power}, BlockIdFlag: cmtproto.BlockIDFlagCommit,
		})
	}
	return info
}

func build(opts Options) (*Chain, json.RawMessage, error) {
	db := opts.DB
	if db == nil {
		db = dbm.NewMemDB()
	}
	application, err := newApp(db, opts.Settings)
	if err != nil {
		return nil, nil, err
	}
	validators, err := newValidators(opts.Powers)
	if err != nil {
		return nil, nil, err
	}
	c := &Chain{
		App: application, fee: opts.Fee, gas: opts.Gas, Accounts: opts.Accounts, Validator: validators[0].Account, validators: validators,
	}
	if c.gas == 0 {
		c.gas = GasLimit
	}
	state := application.DefaultGenesis()
	for _, set := range []func(app.GenesisState) error{c.setAccounts, c.setValidators, c.setKeyNotice} {
		if err := set(state); err != nil {
			return nil, nil, err
		}
	}
	if opts.AnchorKeys {
		if err := c.setAnchorKeys(state); err != nil {
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

// setKeyNotice has keys of gateways begin and end at once: tests and benchmarks serve jobs right after the first block.
func (c *Chain) setKeyNotice(state app.GenesisState) error {
	return Edit(c.App.Encoding().Codec, state, receiptstypes.ModuleName, &receiptstypes.GenesisState{}, func(g *receiptstypes.GenesisState) error {
		g.Params.KeyNoticeSeconds = 0
		return nil
	})
}

func (c *Chain) setAccounts(state app.GenesisState) error {
	cdc := c.App.Encoding().Codec
	funded := c.funded()
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

// funded are the accounts of the genesis: the validators' and those of the options.
func (c *Chain) funded() []*Account {
	var accounts []*Account
	for _, v := range c.validators {
		accounts = append(accounts, v.Account)
	}
	return append(accounts, c.Accounts...)
}

func (c *Chain) setValidators(state app.GenesisState) error {
	genTxs := make([]json.RawMessage, len(c.validators))
	for i, v := range c.validators {
		var err error
		if genTxs[i], err = c.genTx(v); err != nil {
			return fmt.Errorf("%s: %w", v.Name, err)
		}
	}
	cdc := c.App.Encoding().Codec
	return Edit(cdc, state, genutiltypes.ModuleName, &genutiltypes.GenesisState{}, func(g *genutiltypes.GenesisState) error {
		g.GenTxs = genTxs
		return nil
	})
}

// genTx is the transaction that creates a validator when the chain starts.
func (c *Chain) genTx(v *Validator) (json.RawMessage, error) {
	rates := stakingtypes.NewCommissionRates(sdkmath.LegacyZeroDec(), sdkmath.LegacyOneDec(), sdkmath.LegacyOneDec())
	msg, err := stakingtypes.NewMsgCreateValidator(
		v.ValAddress().String(), v.key.PubKey(), sdk.NewCoin(app.BondDenom, v.stake()),
		stakingtypes.Description{Moniker: v.Name}, rates, sdkmath.OneInt(),
	)
	if err != nil {
		return nil, err
	}
	encoding := c.App.Encoding()
	atGenesis := *v.Account
	atGenesis.number = 0 // every account has that one while the chain starts
	raw, err := sign(encoding.TxConfig, &atGenesis, nil, GasLimit, msg)
	if err != nil {
		return nil, err
	}
	signed, err := encoding.TxConfig.TxDecoder()(raw)
	if err != nil {
		return nil, err
	}
	return encoding.TxConfig.TxJSONEncoder()(signed)
}

// setAnchorKeys registers every validator's anchor key.
func (c *Chain) setAnchorKeys(state app.GenesisState) error {
	cdc := c.App.Encoding().Codec
	return Edit(cdc, state, anchorstypes.ModuleName, &anchorstypes.GenesisState{}, func(g *anchorstypes.GenesisState) error {
		for _, v := range c.validators {
			address := receipt.KeyAddress(v.AnchorKey)
			g.Keys = append(g.Keys, anchorstypes.AnchorKey{Validator: v.ValAddress().String(), Address: address[:]})
		}
		slices.SortFunc(g.Keys, func(a, b anchorstypes.AnchorKey) int { return bytes.Compare(a.Address, b.Address) })
		return nil
	})
}
