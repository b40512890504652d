// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"time"

	sdkmath "cosmossdk.io/math"
	"github.com/cosmos/cosmos-sdk/client/tx"
	sdk "github.com/cosmos/cosmos-sdk/types"
	"github.com/cosmos/cosmos-sdk/types/tx/signing"
	authtypes "github.com/cosmos/cosmos-sdk/x/auth/types"
	banktypes "github.com/cosmos/cosmos-sdk/x/bank/types"
	"github.com/cosmos/cosmos-sdk/x/genutil"
	genutiltypes "github.com/cosmos/cosmos-sdk/x/genutil/types"
	stakingtypes "github.com/cosmos/cosmos-sdk/x/staking/types"

	"github.com/gpucoord/gpucoord/app"
	"github.com/gpucoord/gpucoord/domain/deterrence"
	operatorstypes "github.com/gpucoord/gpucoord/x/operators/types"
	receiptstypes "github.com/gpucoord/gpucoord/x/receipts/types"
)

const (
	// localEpochBlocks is the default epoch of a local network.
	localEpochBlocks = 20

	genTxGas = 200_000
)

// writeGenesis writes the genesis: accounts, balances, the validator's transaction, short epochs, then the patch.
func (n *localnet) writeGenesis() error {
	state := n.wiring.DefaultGenesis()
	for _, set := range []func(app.GenesisState) error{n.setAccounts, n.setValidator, n.setEpochs, n.setAnchors} {
		if err := set(state); err != nil {
			return err
		}
	}
	raw, err := json.Marshal(state)
	if err != nil {
		return fmt.Errorf("encode the genesis state: %w", err)
	}
	genesis := &genutiltypes.AppGenesis{
		AppName:       app.Name,
		GenesisTime:   time.Now().UTC(),
		ChainID:       n.opts.chainID,
		InitialHeight: 1,
		AppState:      raw,
		Consensus:     &genutiltypes.ConsensusGenesis{Params: app.DefaultConsensusParams()},
	}
	file := n.comet.GenesisFile()
	if err := genutil.ExportGenesisFile(genesis, file); err != nil {
		return fmt.Errorf("write the genesis: %w", err)
	}
	if err := patchGenesis(file, n.opts.patchFile); err != nil {
		return err
	}
	return n.validate(file)
}

func (n *localnet) setAccounts(state app.GenesisState) error {
	cdc := n.wiring.Encoding().Codec
	var auth authtypes.GenesisState
	var bank banktypes.GenesisState
	if err := cdc.UnmarshalJSON(state[authtypes.ModuleName], &auth); err != nil {
		return fmt.Errorf("default auth state: %w", err)
	}
	if err := cdc.UnmarshalJSON(state[banktypes.ModuleName], &bank); err != nil {
		return fmt.Errorf("default bank state: %w", err)
	}
	accounts := make([]authtypes.GenesisAccount, 0, len(n.accounts)+1)
	for _, funded := range append([]fundedAccount{n.validator}, n.accounts...) {
		accounts = append(accounts, authtypes.NewBaseAccount(funded.address, nil, 0, 0))
		bank.Balances = append(bank.Balances, banktypes.Balance{Address: funded.Address, Coins: funded.coins})
		bank.Supply = bank.Supply.Add(funded.coins...)
	}
	packed, err := authtypes.PackAccounts(accounts)
	if err != nil {
		return fmt.Errorf("pack accounts: %w", err)
	}
	auth.Accounts = packed
	bank.Balances = banktypes.SanitizeGenesisBalances(bank.Balances)
	if state[authtypes.ModuleName], err = cdc.MarshalJSON(&auth); err != nil {
		return fmt.Errorf("encode auth state: %w", err)
	}
	if state[banktypes.ModuleName], err = cdc.MarshalJSON(&bank); err != nil {
		return fmt.Errorf("encode bank state: %w", err)
	}
	return nil
}

// setValidator adds the signed transaction that creates the only validator when the chain starts.
func (n *localnet) setValidator(state app.GenesisState) error {
	msg, err := stakingtypes.NewMsgCreateValidator(
		sdk.ValAddress(n.validator.address).String(), n.consensus, sdk.NewInt64Coin(app.BondDenom, validatorStake),
		stakingtypes.Description{Moniker: validatorName},
		stakingtypes.NewCommissionRates(sdkmath.LegacyNewDecWithPrec(10, 2), sdkmath.LegacyNewDecWithPrec(20, 2), sdkmath.LegacyNewDecWithPrec(1, 2)),
		sdkmath.OneInt(),
	)
	if err != nil {
		return fmt.Errorf("create-validator message: %w", err)
	}
	txConfig := n.wiring.Encoding().TxConfig
	builder := txConfig.NewTxBuilder()
	if err := builder.SetMsgs(msg); err != nil {
		return fmt.Errorf("create-validator transaction: %w", err)
	}
	builder.SetGasLimit(genTxGas)
	factory := tx.Factory{}.WithChainID(n.opts.chainID).WithKeybase(n.keys).WithTxConfig(txConfig).
		WithSignMode(signing.SignMode_SIGN_MODE_DIRECT)
	if err := tx.Sign(context.Background(), factory, validatorName, builder, true); err != nil {
		return fmt.Errorf("sign the create-validator transaction: %w", err)
	}
	raw, err := txConfig.TxJSONEncoder()(builder.GetTx())
	if err != nil {
		return fmt.Errorf("encode the create-validator transaction: %w", err)
	}
	cdc := n.wiring.Encoding().Codec
	if state[genutiltypes.ModuleName], err = cdc.MarshalJSON(&genutiltypes.GenesisState{GenTxs: []json.RawMessage{raw}}); err != nil {
		return fmt.Errorf("encode genutil state: %w", err)
	}
	return nil
}

// setEpochs scales the epoch and its windows to the asked length, and the clock to the asked block time.
func (n *localnet) setEpochs(state app.GenesisState) error {
	cdc := n.wiring.Encoding().Codec
	var operators operatorstypes.GenesisState
	var receipts receiptstypes.GenesisState
	if err := cdc.UnmarshalJSON(state[operatorstypes.ModuleName], &operators); err != nil {
		return fmt.Errorf("default operators state: %w", err)
	}
	if err := cdc.UnmarshalJSON(state[receiptstypes.ModuleName], &receipts); err != nil {
		return fmt.Errorf("default receipts state: %w", err)
	}
	params := &operators.Params
	schedule := params.Schedule
	scaled := func(length uint64) uint64 { return max(1, length*n.opts.epochBlocks/schedule.EpochBlocks) }
	params.Schedule = &operatorstypes.Schedule{
		EpochBlocks:  n.opts.epochBlocks,
		SubmitBlocks: scaled(schedule.SubmitBlocks),
		// More hashes would add no chance; one hash alone would be its proposer's choice.
		BeaconBlocks:    max(deterrence.MinBeaconBlocks, min(schedule.BeaconBlocks, scaled(schedule.BeaconBlocks))),
		OpenBlocks:      scaled(schedule.OpenBlocks),
		ChallengeBlocks: scaled(schedule.ChallengeBlocks),
		ResponseBlocks:  scaled(schedule.ResponseBlocks),
		GenesisHeight:   schedule.GenesisHeight,
	}
	windows, err := params.Schedule.Domain().Windows(0)
	if err != nil {
		return fmt.Errorf("--epoch-blocks %d: %w", n.opts.epochBlocks, err)
	}
	// A short grid has few blocks between an epoch and its first settlement, in which panels of probers conclude.
	params.ProbeCommitBlocks, params.ProbeRevealBlocks = scaled(params.ProbeCommitBlocks), scaled(params.ProbeRevealBlocks)
	params.MaxMediansPerBlock = operatorstypes.MaxPanelHosts
	params.UnbondingBlocks = windows.MinUnbonding
	// All gateways and operators of a local network are its owner's: nobody ends a key to harm another, and the first job need not wait.
	receipts.Params.KeyNoticeSeconds = 0
	receipts.Params.ThawBlocks = windows.MinUnbonding // like a bond, escrow stays until every claim on it is settled
	params.BlockTimeMs = uint64(max(1, n.opts.blockTime.Milliseconds()))
	if state[operatorstypes.ModuleName], err = cdc.MarshalJSON(&operators); err != nil {
		return fmt.Errorf("encode operators state: %w", err)
	}
	if state[receiptstypes.ModuleName], err = cdc.MarshalJSON(&receipts); err != nil {
		return fmt.Errorf("encode receipts state: %w", err)
	}
	return nil
}

// patchGenesis applies the JSON merge patch in patchFile, if one is named, to the genesis in file.
func patchGenesis(file, patchFile string) error {
	if patchFile == "" {
		return nil
	}
	genesis, err := readJSON(file)
	if err != nil {
		return err
	}
	patch, err := readJSON(patchFile)
	if err != nil {
		return err
	}
	raw, err := json.MarshalIndent(mergePatch(genesis, patch), "", "  ")
	if err != nil {
		return fmt.Errorf("encode the patched genesis: %w", err)
	}
	if err := os.WriteFile(file, raw, 0o644); err != nil { //nolint:gosec // a genesis is public
		return fmt.Errorf("write the patched genesis: %w", err)
	}
	return nil
}

func readJSON(file string) (any, error) {
	raw, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber() // a float would round large integers
	var value any
	if err := decoder.Decode(&value); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return value, nil
}

// mergePatch applies patch to target as RFC 7396 says: objects merge, null removes, everything else replaces.
func mergePatch(target, patch any) any {
	members, ok := patch.(map[string]any)
	if !ok {
		return patch
	}
	object, ok := target.(map[string]any)
	if !ok {
		object = make(map[string]any)
	}
	for name, value := range members {
		if value == nil {
			delete(object, name)
			continue
		}
		object[name] = mergePatch(object[name], value)
	}
	return object
}

// validate reads the genesis back and lets every module check its part.
func (n *localnet) validate(file string) error {
	genesis, err := genutiltypes.AppGenesisFromFile(file)
	if err != nil {
		return fmt.Errorf("read the genesis back: %w", err)
	}
	if err := genesis.ValidateAndComplete(); err != nil {
		return fmt.Errorf("genesis: %w", err)
	}
	var state app.GenesisState
	if err := json.Unmarshal(genesis.AppState, &state); err != nil {
		return fmt.Errorf("genesis app_state: %w", err)
	}
	encoding := n.wiring.Encoding()
	if err := n.wiring.Basics().ValidateGenesis(encoding.Codec, encoding.TxConfig, state); err != nil {
		return fmt.Errorf("genesis: %w", err)
	}
	return nil
}
